import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Cache from "../../services/Cache.js"
import * as CacheStore from "../../services/CacheStore.js"
import * as Metrics from "../../services/Metrics.js"
import * as RpcPool from "../../services/RpcPool.js"
import { discriminator } from "../../src/protocol/Account.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import * as Addresses from "../../src/solana/Address.js"
import { agentBytes, agentOf, infoOf } from "../support/cachedChain.js"

const { address, wallet } = agentOf(1)
const sound = agentBytes(wallet, "https://a.example/1")
const MEBIBYTE = 1024 * 1024

const padded = new Uint8Array(10 * MEBIBYTE)
padded.set(sound)

const endless = new Uint8Array(10 * MEBIBYTE)
endless.set(discriminator("AgentAccount"))

/** What a node says of an agent that cannot be kept, and what its reader gets. */
const bad: ReadonlyArray<readonly [what: string, info: ReturnType<typeof infoOf>, expected: string]> = [
  ["an account of another kind", infoOf(address, discriminator("ChannelAccount")), "AccountDecodeError"],
  ["no bytes", infoOf(address, new Uint8Array(0)), "AccountDecodeError"],
  ["cut bytes", infoOf(address, sound.subarray(0, sound.length - 20)), "AccountDecodeError"],
  ["10 MiB of zeros behind its kind", infoOf(address, endless), "agent"],
  ["an agent and 10 MiB behind it", infoOf(address, padded), "agent"],
  ["another owner", { ...infoOf(address, sound), owner: Addresses.SYSTEM_PROGRAM }, "AccountNotFound"],
  [
    "an account that was closed",
    { ...infoOf(address, new Uint8Array(0)), owner: Addresses.SYSTEM_PROGRAM, lamports: lamports(0n) },
    "AccountNotFound"
  ]
]

describe("bad accounts in a cache", () => {
  it.effect.each(bad)(
    "Given %s, When it is read, Then nothing of it is kept and the fence stays",
    ([, info, expected]) =>
      Effect.gen(function* () {
        let answer = { slot: 9n, value: Option.some(info) }
        let reads = 0
        const pool = RpcPool.layerTest({
          getAccountInfo: () =>
            Effect.sync(() => {
              reads++
              return answer
            }),
          getSlot: () => Effect.succeed(9n)
        })
        yield* Effect.gen(function* () {
          const cache = yield* Cache.Cache
          yield* cache.fence([address], 8n)
          const read = Effect.match(cache.account(AccountType.agent, address), {
            onFailure: ({ _tag }) => _tag,
            onSuccess: () => "agent"
          })
          const first = yield* read
          expect(first === "RpcError" ? "agent" : first).toBe(expected)
          expect((yield* cache.stats).bytes).toBeLessThan(MEBIBYTE)
          // What is behind the fence is still refused, and what is not is read.
          answer = { slot: 10n, value: Option.some(infoOf(address, sound)) }
          yield* cache.fence([address], 10n)
          expect(yield* read).toBe("agent")
          expect(reads).toBe(2)
        }).pipe(Effect.provide(Layer.provide(Cache.layerMemory(), pool)))
      })
  )
})

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString("hex")

/** Frames under their keys, as a disk has them. */
const overFrames = (frames: Map<string, Uint8Array>) =>
  CacheStore.make({
    get: (key) => Effect.sync(() => Option.fromNullable(frames.get(nameOf(key)))),
    putMany: (rows) => Effect.sync(() => rows.forEach(({ frame, key }) => frames.set(nameOf(key), frame))),
    remove: (key) => Effect.sync(() => void frames.delete(nameOf(key)))
  })

const key = Uint8Array.of(1, 2, 3)
const other = Uint8Array.of(1, 2, 4)
const row: CacheStore.Row = { slot: 5n, readAt: 6, state: "value", value: Uint8Array.of(7, 8, 9) }

describe("bad rows in a cache's store", () => {
  it.effect(
    "Given any bit of a row that is wrong, or any cut, When it is read, Then it is removed, counted and a miss",
    () =>
      Effect.gen(function* () {
        const frames = new Map<string, Uint8Array>()
        const store = overFrames(frames)
        yield* store.putMany([[key, row]])
        const [[name, frame = new Uint8Array(0)] = ["", undefined]] = [...frames]
        const damaged = [
          ...Array.from({ length: 8 * frame.length }, (_, bit) =>
            frame.with(bit >> 3, (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
          ),
          ...Array.from({ length: frame.length }, (_, length) => frame.slice(0, length)),
          Uint8Array.of(...frame, 0)
        ]
        for (const bytes of damaged) {
          frames.set(name, bytes)
          expect(Option.isNone(yield* store.get(key))).toBe(true)
          expect(frames.size).toBe(0)
        }
        frames.set(name, frame)
        expect(yield* store.get(key)).toEqual(Option.some(row))
        const counted = yield* Metric.value(Metric.tagged(Metrics.cacheRowsDamaged, "test", "rows"))
        expect(counted.count).toBe(damaged.length)
      }).pipe(Effect.tagMetrics("test", "rows"), Logger.withMinimumLogLevel(LogLevel.None))
  )

  it.effect("Given a row under another key, When it is read, Then it is a miss", () =>
    Effect.gen(function* () {
      const frames = new Map<string, Uint8Array>()
      const store = overFrames(frames)
      yield* store.putMany([[key, row]])
      const frame = frames.get(nameOf(key))
      if (frame !== undefined) frames.set(nameOf(other), frame)
      expect(yield* store.get(other)).toEqual(Option.none())
      expect(yield* store.get(key)).toEqual(Option.some(row))
    })
  )
})
