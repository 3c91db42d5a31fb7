import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { inspect } from "../../scripts/architecture.js"
import { forbidden, reached } from "../../scripts/houseRules.js"
import { root } from "../../scripts/publicModules.js"

/** For each rule a file that breaks it, and what that file imports. */
const planted: ReadonlyArray<readonly [rule: string, file: string, imported: string]> = [
  ["imports run down: src", "src/Up.ts", "services/Metrics.ts"],
  ["imports run down: services", "services/Up.ts", "layers/Pod.ts"],
  ["imports run down: layers", "layers/Up.ts", "index.ts"],
  ["imports run down: index", "index.ts", "test/support.ts"],
  ["private room src/protocol/(internal|instruction|protocolEvent)", "services/A.ts", "src/protocol/internal/Borsh.ts"],
  ["private room src/concurrent/internal", "services/A.ts", "src/concurrent/internal/Ring.ts"],
  ["private room src/reputation/internal", "services/A.ts", "src/reputation/internal/kernelWasm.ts"],
  ["private room src/solana/internal", "layers/A.ts", "src/solana/internal/kernel.ts"],
  ["private room src/observe/flamegraph", "src/observe/Statistics.ts", "src/observe/flamegraph/script.ts"],
  ["private room src/observe/benchmark", "src/observe/Statistics.ts", "src/observe/benchmark/format.ts"],
  ["private room src/observe/metrictable", "src/observe/Statistics.ts", "src/observe/metrictable/rpc.ts"],
  ["private room services/analytics", "services/Agent.ts", "services/analytics/Ledger.ts"],
  ["private room services/benchmark", "services/Escrow.ts", "services/benchmark/Work.ts"],
  ["private room services/cache", "services/Escrow.ts", "services/cache/Levels.ts"],
  ["private room services/cacheinvalidator", "services/Cache.ts", "services/cacheinvalidator/changes.ts"],
  ["private room services/cachestore", "services/Cache.ts", "services/cachestore/Row.ts"],
  ["private room services/channel", "services/Agent.ts", "services/channel/Input.ts"],
  ["private room services/discovery", "services/Agent.ts", "services/discovery/tokens.ts"],
  ["private room services/fiberconsole", "services/Escrow.ts", "services/fiberconsole/Tracker.ts"],
  ["private room services/follow", "services/Escrow.ts", "services/follow/follower.ts"],
  ["private room services/memory", "services/Escrow.ts", "services/memory/Pressure.ts"],
  ["private room services/metrics", "services/Follow.ts", "services/metrics/Registry.ts"],
  ["private room services/message", "services/Agent.ts", "services/message/payloads.ts"],
  ["private room services/metadata", "services/Agent.ts", "services/metadata/Target.ts"],
  ["private room services/program", "services/Follow.ts", "services/program/submit.ts"],
  ["private room services/payloadstore", "services/Agent.ts", "services/payloadstore/Recent.ts"],
  ["private room services/profiler", "services/Escrow.ts", "services/profiler/SpanRecorder.ts"],
  ["private room services/protocolEvents", "services/Follow.ts", "services/protocolEvents/Feed.ts"],
  ["private room services/rpc", "services/Message.ts", "services/rpc/Decoders.ts"],
  ["private room services/sealedchannel", "services/Channel.ts", "services/sealedchannel/epochs.ts"],
  ["private room services/transactions", "services/Channel.ts", "services/transactions/Failure.ts"],
  ["private room services/transport", "services/RpcPool.ts", "services/transport/Retry.ts"],
  ["private room services/wire", "layers/A.ts", "services/wire/JsonRpc.ts"],
  ["private room services/internal", "examples/a.ts", "services/internal/clock.ts"],
  ["private room layers/cluster", "layers/Pod.ts", "layers/cluster/AgentClusterError.ts"],
  ["private room layers/embedded", "layers/Pod.ts", "layers/embedded/Cluster.ts"],
  ["private room layers/otlp", "layers/Pod.ts", "layers/otlp/Outbox.ts"],
  ["private room layers/fiberconsole", "layers/Pod.ts", "layers/fiberconsole/Places.ts"],
  ["private room layers/payloads", "layers/Pod.ts", "layers/payloads/Remote.ts"],
  ["private room layers/platform", "layers/RpcPoolUndici.ts", "layers/platform/Http.ts"],
  ["private room layers/podconfig", "layers/Pod.ts", "layers/podconfig/Effective.ts"],
  ["private room layers/profiler", "layers/Pod.ts", "layers/profiler/Inspector.ts"],
  ["private room layers/prometheus", "layers/Pod.ts", "layers/prometheus/Text.ts"],
  ["private room layers/threads", "layers/Pod.ts", "layers/threads/Board.ts"],
  ["private room layers/tasks", "layers/Pod.ts", "layers/tasks/sealFrame.ts"],
  ["private room layers/undici", "layers/RpcPoolHttpClient.ts", "layers/undici/Http.ts"],
  ["private room layers/internal", "examples/a.ts", "layers/internal/Url.ts"],
  ["src/internal is ground", "src/internal/base64.ts", "src/protocol/Pda.ts"],
  ["services/internal is ground", "services/internal/clock.ts", "services/Agent.ts"],
  ["transports know nothing of Solana's methods", "services/transport/Retry.ts", "services/RpcPool.ts"],
  ["no noun below Transactions", "services/transactions/Failure.ts", "services/Escrow.ts"],
  ["services are platform-neutral", "services/Agent.ts", "undici"],
  ["services are platform-neutral: Node's modules", "services/Agent.ts", "node:fs"],
  ["no circle", "services/Circle.ts", "services/CircleBack.ts"],
  ["no unreached module", "services/internal/unused.ts", "services/Metrics.ts"]
]

const foldersIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "wasm")
    .map(({ name }) => `${folder}/${name}`)

/** The folders whose modules the package does not export. Those of `src/` are `internal` and the folders in its rooms. */
const privateRooms = (): ReadonlyArray<string> => [
  "src/internal",
  ...foldersIn("src").flatMap(foldersIn),
  ...foldersIn("services"),
  ...foldersIn("layers")
]

describe("the rules of the house", () => {
  let base = ""
  let violations: ReadonlyArray<string> = []

  beforeAll(async () => {
    // Given a tree in which each rule is broken, by imports of types alone
    base = mkdtempSync(path.join(os.tmpdir(), "pod-house-"))
    const sources = new Map<string, string>()
    for (const [, file, imported] of planted) {
      const from = path.posix.relative(path.posix.dirname(file), imported).replace(/\.ts$/, ".js")
      const specifier = imported.endsWith(".ts") ? (from.startsWith(".") ? from : `./${from}`) : imported
      sources.set(file, `${sources.get(file) ?? ""}import type {} from "${specifier}"\nexport {}\n`)
      if (imported.endsWith(".ts") && !sources.has(imported)) sources.set(imported, "export {}\n")
    }
    sources.set("services/CircleBack.ts", `import type {} from "./Circle.js"\nexport {}\n`)
    for (const [file, source] of sources) {
      mkdirSync(path.dirname(path.join(base, file)), { recursive: true })
      writeFileSync(path.join(base, file), source)
    }
    // When the tree is inspected
    violations = (await inspect(base, ["index.ts", "src", "services", "layers", "test", "examples"])).violations
  })

  afterAll(() => rmSync(base, { recursive: true }))

  it.each(planted)("Given the rule %s, When %s breaks it, Then the check reports it", (rule, file) => {
    expect(violations.filter((violation) => violation.startsWith(`${rule}: ${file}`))).not.toEqual([])
  })

  it("Given all rules, When the cases above are listed, Then each rule has one", () => {
    expect(planted.map(([rule]) => rule).toSorted()).toEqual([...forbidden, reached].map(({ name }) => name).toSorted())
  })

  it("Given the private folders, When the rules and ARCHITECTURE.md are read, Then each folder is in both", () => {
    const rules = planted.flatMap(([rule]) => /^private room (.+)$/.exec(rule)?.slice(1) ?? [])
    const rows = readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| `"))
    // A row names several folders of one parent as `parent/one`, `two`
    const hasRow = (room: string) =>
      rows.some(
        (row) =>
          row.includes(`\`${room}\``) ||
          (row.includes(`\`${path.posix.dirname(room)}/`) && row.includes(`\`${path.posix.basename(room)}\``))
      )
    const hasRule = (room: string) => room === "src/internal" || rules.some((rule) => RegExp(`^${rule}$`).test(room))
    expect(privateRooms().filter((room) => !hasRule(room) || !hasRow(room))).toEqual([])
  })
})
