/**
 * A process with a store in a folder. `write` puts rows until it is killed, and prints each acknowledged one. `corrupt`
 * damages the files in several ways and reads after each. `full` fills a small file system. `share` shares rows with
 * other processes.
 */
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as CacheStoreSqlite from "../../layers/CacheStoreSqlite.js"
import type * as CacheStore from "../../services/CacheStore.js"

const [mode = "", directory = "", count = "0"] = process.argv.slice(2)

const keyOf = (name: number): Uint8Array => {
  const key = new Uint8Array(98)
  new DataView(key.buffer).setUint32(0, name)
  return key
}

const rowOf = (name: number): CacheStore.Row => ({
  slot: BigInt(name),
  readAt: name,
  state: "value",
  value: new Uint8Array(300).fill(name)
})

const write = Effect.gen(function* () {
  const store = yield* CacheStoreSqlite.make({ directory })
  for (let name = Number(count); ; name++) {
    yield* store.putMany([[keyOf(name), rowOf(name)]])
    process.stdout.write(`${name}\n`)
    yield* Effect.yieldNow()
  }
})

const fill = Effect.gen(function* () {
  const store = yield* CacheStoreSqlite.make({ directory })
  yield* store.putMany(Array.from({ length: 400 }, (_, name) => [keyOf(name), rowOf(name)] as const))
})

/** The next pseudo-random number. */
const next = (seed: number): number => (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0

/** Damages a file in the way with this number. */
const damage = (file: string, way: number): void => {
  const { size } = statSync(file)
  const bytes = readFileSync(file)
  switch (way % 5) {
    case 0:
      return writeFileSync(file, "garbage".repeat(1 + (way % 700)))
    case 1:
      return truncateSync(file, Math.floor((size * (way % 97)) / 97))
    case 2:
      bytes.fill(0, 0, Math.min(size, 4096 * (1 + (way % 3))))
      return writeFileSync(file, bytes)
    case 3: {
      const at = next(way) % Math.max(1, size)
      bytes.fill(0xff, at, Math.min(size, at + 4096))
      return writeFileSync(file, bytes)
    }
    default: {
      let at = way
      for (let flips = 0; flips < 50; flips++) {
        at = next(at)
        const index = at % Math.max(1, size)
        bytes[index] = (bytes[index] ?? 0) ^ (1 << (flips % 8))
      }
      return writeFileSync(file, bytes)
    }
  }
}

const corrupt = Effect.gen(function* () {
  let typed = 0
  let rebuilt = 0
  for (let way = 0; way < Number(count); way++) {
    for (const file of readdirSync(directory)) rmSync(path.join(directory, file))
    yield* Effect.scoped(fill)
    damage(path.join(directory, "cache.sqlite"), way)
    yield* Effect.scoped(
      Effect.gen(function* () {
        // A damaged file may be found when the store is opened: the next attempt creates a new one.
        const store = yield* Effect.retry(CacheStoreSqlite.make({ directory }), { times: 2 })
        for (let name = 0; name < 400; name += 7) {
          const found = yield* Effect.either(store.get(keyOf(name)))
          if (Either.isLeft(found)) typed++
          else if (found.right._tag === "Some" && found.right.value.value[0] !== name % 256) {
            return yield* Effect.dieMessage(`a wrong row of ${name}`)
          }
        }
        yield* Effect.retry(store.putMany([[keyOf(1), rowOf(1)]]), { times: 3 })
        rebuilt++
      })
    )
  }
  process.stdout.write(JSON.stringify({ rebuilt, typed }))
})

/** Writes far more than fits, reads at the same time, and writes again when there is room. */
const full = Effect.gen(function* () {
  const filler = path.join(directory, "filler")
  writeFileSync(filler, new Uint8Array(1024 * 1024))
  const store = yield* CacheStoreSqlite.make({ directory })
  const acknowledged: Array<number> = []
  const reasons = new Set<string>()
  let unread = 0
  let name = 0
  const write = (count: number) =>
    Effect.gen(function* () {
      let failures = 0
      for (const end = name + count; name < end; name++) {
        const put = yield* Effect.either(store.putMany([[keyOf(name), rowOf(name)]]))
        if (Either.isRight(put)) acknowledged.push(name)
        else {
          failures++
          reasons.add(put.left.reason)
        }
        const known = acknowledged.at(-1)
        if (known === undefined) continue
        const found = yield* Effect.either(store.get(keyOf(known)))
        if (Either.isLeft(found) || found.right._tag === "None") unread++
      }
      return failures
    })
  const failures = yield* write(Number(count))
  rmSync(filler)
  const failuresWithRoom = yield* write(100)
  process.stdout.write(JSON.stringify({ failures, failuresWithRoom, reasons: [...reasons], unread }))
})

/** Slots of shared keys only rise, whichever process writes them. A busy store is retried. */
const share = Effect.gen(function* () {
  const store = yield* CacheStoreSqlite.make({ directory })
  const newest = new Map<number, bigint>()
  let seed = process.pid
  let backwards = 0
  let busy = 0
  const patient = <A>(effect: Effect.Effect<A, CacheStore.CacheError>) =>
    Effect.retry(effect, {
      times: 200,
      while: ({ reason }) => {
        busy++
        return reason === "Busy"
      }
    })
  for (let step = 1; step <= Number(count); step++) {
    seed = next(seed)
    const name = (seed >>> 8) % 10
    const slot = BigInt(step * 10 + ((seed >>> 20) % 50))
    yield* patient(store.putMany([[keyOf(name), { ...rowOf(name), slot }]]))
    const found = yield* patient(store.get(keyOf(name)))
    const read = found._tag === "Some" ? found.value.slot : -1n
    const known = newest.get(name) ?? 0n
    if (read < slot || read < known) backwards++
    newest.set(name, read)
    if (step % 10 === 0) yield* Effect.sleep(0)
  }
  process.stdout.write(
    JSON.stringify({ backwards, busy, newest: Array.from(newest, ([name, slot]) => [name, String(slot)]) })
  )
})

const modes = new Map([
  ["write", write],
  ["corrupt", corrupt],
  ["full", full],
  ["share", share]
])

void Effect.runPromise(Effect.scoped(modes.get(mode) ?? Effect.dieMessage(`no mode ${mode}`)))
