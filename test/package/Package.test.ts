import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { promisify } from "node:util"
import * as esbuild from "esbuild"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { publicModules, root } from "../../scripts/publicModules.js"
import { install } from "./project.js"

const run = promisify(execFile)
const peers = [
  "effect",
  "@effect/cluster",
  "@effect/experimental",
  "@effect/platform",
  "@effect/platform-node",
  "@effect/rpc",
  "@effect/sql",
  "@solana/kit",
  "litesvm"
]

let scratch = ""

const node = (code: string): Promise<string> =>
  run(process.execPath, ["--input-type=module", "--eval", code], { cwd: scratch }).then(({ stdout }) => stdout.trim())

describe("the packed package", () => {
  beforeAll(async () => {
    // Given a scratch project in which only the packed tarball and the declared peers are installed
    scratch = await install(peers)
  }, 300_000)

  afterAll(() => fs.rm(scratch, { recursive: true, force: true }))

  it("Given the packed package, When its entry, layers and modules are imported, Then each is found", async () => {
    const names = await node(`
      const face = await import("@pod-protocol/effect")
      const services = await import("@pod-protocol/effect/services")
      const layers = await import("@pod-protocol/effect/layers")
      const { PROGRAM_ID } = await import("@pod-protocol/effect/protocol/Program")
      const base58 = await import("@pod-protocol/effect/solana/Base58")
      const agent = await import("@pod-protocol/effect/services/Agent")
      const pod = await import("@pod-protocol/effect/layers/Pod")
      console.log([face.Agent, services.Agent, layers.Pod, base58.encode, agent.Agent, pod.layerEmbedded].every(Boolean), PROGRAM_ID)
    `)
    expect(names).toBe("true HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")
  })

  it("Given the packed package, When one module is imported by several names, Then Node loads it once", async () => {
    // Given each name that the package exports
    const names = publicModules.map((module) => module.replace(/^src\//, "").replace(/\.ts$/, ""))
    // When Node imports all of them beside the face and the floors
    const different = await node(`
      const modules = await Promise.all(${JSON.stringify(names)}.map(async (name) =>
        [name.split("/").pop(), await import("@pod-protocol/effect/" + name)]))
      const faces = await Promise.all(["", "/services", "/layers"].map((name) => import("@pod-protocol/effect" + name)))
      for (const face of faces) {
        for (const [name, namespace] of Object.entries(face)) {
          if (typeof namespace === "function") continue
          const same = ([last, module]) => last === name && Object.keys(module).every((key) => module[key] === namespace[key])
          if (!modules.some(same)) console.log(name)
        }
      }
      for (const [, module] of modules) {
        for (const { name } of Object.values(module)) if (String(name).startsWith("_")) console.log(name)
      }
    `)
    // Then what they hold is the same and bears its own name, since each source is in one of the files that Node loads
    expect(different).toBe("")
    const folder = path.join(scratch, "node_modules/@pod-protocol/effect/dist/node")
    const maps = (await fs.readdir(folder, { recursive: true })).filter((file) => file.endsWith(".js.map"))
    const sources = await Promise.all(
      maps.map(async (map) => {
        const { sources }: { sources: ReadonlyArray<string> } = JSON.parse(
          await fs.readFile(path.join(folder, map), "utf8")
        )
        return sources.map((source) => path.join(folder, path.dirname(map), source))
      })
    )
    const all = sources.flat()
    expect(all.length).toBeGreaterThan(100)
    expect(all.filter((source, index) => all.indexOf(source) !== index)).toEqual([])
  })

  it("Given the packed package, When a bundler takes single modules, Then it drops the unused ones", async () => {
    // Given an application that uses one part of the face
    const built = await esbuild.build({
      stdin: { contents: `import { Logs } from "@pod-protocol/effect"; console.log(Logs)`, resolveDir: scratch },
      bundle: true,
      format: "esm",
      platform: "browser",
      external: ["effect/*", "@effect/*", "@noble/*", "node:*", "undici", "litesvm"],
      metafile: true,
      write: false
    })
    // When it is bundled, Then it holds little else
    const [application] = Object.values(built.metafile.outputs)
    const parts = Object.keys(application?.inputs ?? {}).filter((input) => input.includes("@pod-protocol"))
    expect(parts.filter((input) => input.includes("dist/node"))).toEqual([])
    expect(parts.some((input) => input.endsWith("protocol/Logs.js"))).toBe(true)
    expect(parts.length).toBeLessThan(20)
  })

  it("Given the packed package, When an internal module is imported, Then it is refused", async () => {
    await expect(node(`await import("@pod-protocol/effect/services/internal/index")`)).rejects.toThrow(
      /ERR_PACKAGE_PATH_NOT_EXPORTED/
    )
  })

  it("Given the packed package, When the embedded cluster starts from it, Then it runs", async () => {
    const receipt = await node(`
      import * as Effect from "effect/Effect"
      import { Agent, Pod, TestWallets, Wallet } from "@pod-protocol/effect"
      const main = Effect.gen(function* () {
        const wallet = yield* TestWallets.funded
        const agent = yield* Agent.Agent
        const receipt = yield* Effect.provideService(
          agent.register({ metadataUri: "https://example.com/agent.json" }), Wallet.Wallet, wallet)
        return receipt.address
      })
      console.log(await Effect.runPromise(Effect.provide(main, Pod.layerTest)))
    `)
    expect(receipt).toMatch(/^[1-9A-HJ-NP-Za-km-z]{32,44}$/)
  })
})

describe("the vocabulary and the services", () => {
  it("Given the portable modules, When they are bundled for a browser, Then no import of node: is left", async () => {
    // Given an application that uses the vocabulary and the services over test layers
    const entry = `
      import * as Effect from "effect/Effect"
      import * as Layer from "effect/Layer"
      import { Agent, RpcPool, Transactions } from "@pod-protocol/effect/services"
      import * as Pda from "@pod-protocol/effect/protocol/Pda"
      import { PROGRAM_ID } from "@pod-protocol/effect/protocol/Program"
      const layer = Agent.layer.pipe(Layer.provide([RpcPool.layerTest({}), Transactions.layerTest({})]))
      console.log(Pda.agent(PROGRAM_ID).address, Effect.provide(Agent.Agent, layer))
    `
    // When it is bundled for the browser
    const built = await esbuild.build({
      stdin: { contents: entry, resolveDir: root, loader: "ts" },
      alias: {
        "@pod-protocol/effect/services": path.join(root, "services/index.ts"),
        "@pod-protocol/effect/protocol/Pda": path.join(root, "src/protocol/Pda.ts"),
        "@pod-protocol/effect/protocol/Program": path.join(root, "src/protocol/Program.ts")
      },
      bundle: true,
      format: "esm",
      platform: "browser",
      metafile: true,
      minify: true,
      write: false
    })
    // Then no import of Node is left in it
    const code = built.outputFiles[0]?.text ?? ""
    expect(code).not.toMatch(/["']node:/)
    expect(Object.keys(built.metafile.inputs).filter((input) => /undici|litesvm|platform-node/.test(input))).toEqual([])
  })
})

describe("the face", () => {
  it("Given the entry, When it is imported, Then neither undici, @effect/platform nor the embedded cluster is loaded", async () => {
    // Given what an import of the face loads at once, and what it loads later
    const { metafile } = await esbuild.build({
      entryPoints: [path.join(root, "index.ts")],
      outdir: "out",
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "node",
      packages: "external",
      metafile: true,
      write: false
    })
    const outputs = Object.entries(metafile.outputs)
    const loaded = new Set(outputs.filter(([, { entryPoint }]) => entryPoint === "index.ts").map(([name]) => name))
    for (const name of loaded) {
      for (const { kind, path } of metafile.outputs[name]?.imports ?? []) {
        if (kind === "import-statement") loaded.add(path)
      }
    }
    // Then the heavy parts are there, and come later
    const heavy = /^undici$|^litesvm|^@effect\/platform|embedded\/Cluster\.ts/
    const inputs = outputs.flatMap(([name, { inputs }]) => Object.keys(inputs).map((input) => [name, input] as const))
    expect(inputs.some(([, input]) => heavy.test(input))).toBe(true)
    expect(inputs.filter(([name, input]) => loaded.has(name) && heavy.test(input))).toEqual([])
    expect([...loaded].filter((name) => heavy.test(name))).toEqual([])
  })
})
