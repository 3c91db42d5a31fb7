/** One process at a time in a folder: what killed processes left is removed, what live ones hold is kept. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as FolderLock from "../../layers/embedded/FolderLock.js"
import { bundled } from "../support/bundled.js"
import { runs } from "../support/runs.js"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(tmpdir(), "pod-lock-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

/** A process that does nothing. */
const other = Effect.acquireRelease(
  Effect.promise(async () => {
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log()"])
    await once(child.stdout, "data")
    return { pid: child.pid ?? 0, kill: () => child.kill("SIGKILL"), exited: once(child, "exit") }
  }),
  ({ kill }) => Effect.sync(kill)
)

/** The file that this process makes, as a file of another process. */
const fileOf = (own: string, pid: number) => {
  const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  return own.replace(/^lock\.\d+\.\d+/, `lock.${pid}.${started}`)
}

const held = (ledger: string) =>
  Effect.scoped(Effect.map(FolderLock.acquire(ledger), () => fs.readdirSync(ledger).toSorted()))

it.scoped("Given a folder that this process holds, When it asks again, Then it is refused until the scope closes", () =>
  Effect.gen(function* () {
    const ledger = yield* folder
    const again = yield* Effect.scoped(
      Effect.zipRight(FolderLock.acquire(ledger), Effect.flip(FolderLock.acquire(ledger)).pipe(Effect.scoped))
    )
    assert.match(again.message, /is in use by this process/)
    assert.deepStrictEqual(fs.readdirSync(ledger), [])
    assert.strictEqual((yield* held(ledger)).length, 1)
  })
)

it.scoped(
  "Given things that are no file of a process, When a process starts, Then it holds the folder and keeps them",
  () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const names = [
        "lock",
        "lock.",
        "lock.0",
        "lock.99999999999",
        "lock.4294967295",
        "lock.1.2",
        "lock.x.1.aa",
        "clock.1"
      ]
      names.forEach((name) => fs.writeFileSync(path.join(ledger, name), "1 0"))
      fs.mkdirSync(path.join(ledger, "lock.7777777"))
      fs.symlinkSync("/nowhere", path.join(ledger, "lock.7777778"))
      yield* held(ledger)
      assert.deepStrictEqual(fs.readdirSync(ledger).toSorted(), [...names, "lock.7777777", "lock.7777778"].toSorted())
    })
)

it.scoped("Given a folder that does not exist, When a process starts, Then the error says so", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Effect.scoped(FolderLock.acquire(path.join(yield* folder, "missing"))))
    assert.strictEqual(error.reason, "Ledger")
    assert.match(error.message, /cannot be locked/)
  })
)

describe.skipIf(process.platform !== "linux")("on Linux", () => {
  it.scopedLive(
    "Given the file of a live process, When another starts, Then it is refused, until the first is killed",
    () =>
      Effect.gen(function* () {
        const ledger = yield* folder
        const [own = ""] = yield* held(ledger)
        const { exited, kill, pid } = yield* other
        const name = fileOf(own, pid)
        fs.writeFileSync(path.join(ledger, name), "holder")
        const error = yield* Effect.flip(held(ledger))
        assert.match(error.message, new RegExp(`is in use by process ${pid}:`))
        assert.deepStrictEqual(fs.readdirSync(ledger), [name])
        kill()
        yield* Effect.promise(() => exited)
        assert.deepStrictEqual(yield* held(ledger), [own])
        assert.deepStrictEqual(fs.readdirSync(ledger), [])
      })
  )

  it.scopedLive("Given a live process with the id of a dead one, When a process starts, Then it is not fooled", () =>
    Effect.gen(function* () {
      const ledger = yield* folder
      const [own = ""] = yield* held(ledger)
      const { pid } = yield* other
      const live = fileOf(own, pid)
      const reused = [live.replace(/\d+\.(\w+)$/, "1.$1"), live.replace(/\w+$/, "00000000"), own.replace(/\w+$/, "0")]
      reused.forEach((name) => fs.writeFileSync(path.join(ledger, name), ""))
      assert.deepStrictEqual(yield* held(ledger), [own])
      assert.deepStrictEqual(fs.readdirSync(ledger), [])
    })
  )

  it.scopedLive(
    "Given starts that have not decided, When a process starts, Then the lowest id waits for the others",
    () =>
      Effect.gen(function* () {
        const ledger = yield* folder
        const [own = ""] = yield* held(ledger)
        const undecided = (pid: number) => {
          const file = path.join(ledger, fileOf(own, pid))
          fs.writeFileSync(file, "")
          return { file, withdraw: () => fs.rmSync(file) }
        }
        const { pid } = yield* other
        const beside = undecided(pid)
        const starting = yield* Effect.fork(Effect.either(held(ledger)))
        yield* Effect.sleep("40 millis")
        // A new process has a lower id if the system's ids have just begun again.
        const isLowest = process.pid < pid
        const files = [path.basename(beside.file), ...(isLowest ? [own] : [])]
        assert.deepStrictEqual(fs.readdirSync(ledger).toSorted(), files.toSorted())
        beside.withdraw()
        const outcome = yield* Fiber.join(starting)
        if (isLowest) assert.deepStrictEqual(outcome, Either.right([own]))
        else assert.isTrue(Either.isLeft(outcome))
        const first = undecided(1)
        assert.match((yield* Effect.flip(held(ledger))).message, /is in use by process 1:/)
        assert.deepStrictEqual(fs.readdirSync(ledger), [path.basename(first.file)])
      })
  )

  it.scopedLive("Given free folders, When two processes start on each at once, Then exactly one gets each", () =>
    Effect.gen(function* () {
      const parent = yield* folder
      const script = bundled("test/embedded/lockProcess.ts")
      const first = Date.now() + 1500
      const folders = Array.from({ length: runs(60) }, (_, round) => path.join(parent, String(first + 5 * round)))
      folders.forEach((ledger) => fs.mkdirSync(ledger))
      const answers = Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, [script, ...folders], { stdio: ["ignore", "pipe", "inherit"] })),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      ).pipe(
        Effect.flatMap(({ pid, stdout }) =>
          Effect.promise(async () => {
            const lines: Array<string> = []
            for await (const line of createInterface(stdout)) if (lines.push(line) === folders.length) break
            return { pid, lines }
          })
        )
      )
      const [one, two] = yield* Effect.all([answers, answers], { concurrency: 2 })
      for (const [index, line] of one.lines.entries()) {
        const [holder, refused] = line === "held" ? [one, two] : [two, one]
        assert.strictEqual(holder.lines[index], "held")
        assert.match(refused.lines[index] ?? "", new RegExp(`is in use by process ${holder.pid}:`))
      }
      assert.strictEqual(one.lines.length, folders.length)
    })
  )
})
