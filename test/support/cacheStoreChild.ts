/**
 * A process with a store in a folder. `write` puts rows until it is killed and prints each that was acknowledged; `read`
 * damages the files in a hundred ways and reads through each.
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

/** A number that follows from the one before. */
const next = (seed: number): number => (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0

/** Damages a file in the way of this number. */
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
        // A damaged file may be found when the store is opened: the next attempt begins a new one.
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

void Effect.runPromise(Effect.scoped(mode === "write" ? write : corrupt))
