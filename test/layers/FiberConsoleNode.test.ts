import { PassThrough } from "node:stream"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as FiberConsoleNode from "../../layers/FiberConsoleNode.js"
import * as FiberConsole from "../../services/FiberConsole.js"

const burn = (millis: number): void => {
  const start = performance.now()
  while (performance.now() - start < millis);
}

const dumpOf = (places: number) => Effect.flatMap(FiberConsole.FiberConsole, ({ dump }) => dump({ places }))

const settled = Effect.sleep(30)

const named = (name: string) => (fiber: FiberConsole.FiberView) => fiber.group === name

const HERE = /^test\/layers\/FiberConsoleNode\.test\.ts:\d+$/

describe.sequential("FiberConsoleNode", () => {
  it.live(
    "Given fibers that sleep, wait in a queue and in one another, When they are dumped, Then each is seen where it waits",
    () =>
      Effect.gen(function* () {
        const queue = yield* Queue.unbounded<number>()
        const sleeper = Effect.gen(function* () {
          yield* Effect.sleep("1 hour")
        })
        const reader = Effect.gen(function* () {
          const inner = Effect.gen(function* () {
            return yield* Queue.take(queue)
          })
          return yield* inner
        })
        const slept = yield* Effect.fork(Effect.withSpan(sleeper, "sleeper"))
        const read = yield* Effect.fork(Effect.withSpan(reader, "reader"))
        const joiner = yield* Effect.fork(Effect.withSpan(Fiber.join(read), "joiner"))
        yield* settled

        const { fibers, lints } = yield* dumpOf(50)
        const [sleeping] = fibers.filter(({ id }) => id === slept.id().id)
        const [reading] = fibers.filter(({ id }) => id === read.id().id)
        const [joining] = fibers.filter(({ id }) => id === joiner.id().id)
        expect(sleeping).toMatchObject({ state: "suspended", span: Option.some("sleeper"), polls: 1 })
        expect(sleeping?.waitsMillis).toBeGreaterThan(10)
        expect(sleeping?.places).toEqual([expect.stringMatching(HERE)])
        expect(reading?.places).toEqual([expect.stringMatching(HERE), expect.stringMatching(HERE)])
        expect(joining?.waitsFor).toEqual([read.id().id])
        expect(lints.filter(({ kind }) => kind === "deadlock")).toEqual([])
        expect(FiberConsole.render(yield* dumpOf(50))).toMatch(/suspended .* sleeper +test\/layers\/FiberConsoleNode/)
        yield* Fiber.interruptAll([slept, read, joiner])
      }).pipe(Effect.provide(FiberConsoleNode.layer))
  )

  it.live("Given two dumps at once, When one of them ends first, Then the other still has all lines of code", () =>
    Effect.gen(function* () {
      const sleeper = Effect.gen(function* () {
        yield* Effect.sleep("1 hour")
      })
      const fibers = yield* Effect.replicateEffect(Effect.fork(Effect.withSpan(sleeper, "one of ten")), 10)
      yield* settled
      const [, dump] = yield* Effect.all([dumpOf(1), dumpOf(200)], { concurrency: 2 })
      expect(dump.fibers.filter(named("one of ten")).map(({ places }) => places)).toEqual(
        fibers.map(() => [expect.stringMatching(HERE)])
      )
      yield* Fiber.interruptAll(fibers)
    }).pipe(Effect.provide(FiberConsoleNode.layer))
  )

  it.live.each([
    ["layer", FiberConsoleNode.layer],
    ["layerRoots", FiberConsoleNode.layerRoots]
  ] as const)(
    "Given two fibers that join one another, When %s is asked, Then it is a deadlock of these two",
    ([, layer]) =>
      Effect.gen(function* () {
        const other = yield* Deferred.make<Fiber.Fiber<void>>()
        const first = yield* Effect.forkDaemon(Effect.flatMap(Deferred.await(other), Fiber.join))
        const second = yield* Effect.forkDaemon(Fiber.join(first))
        yield* Deferred.succeed(other, second)
        yield* settled
        const ids = [first.id().id, second.id().id]
        const { lints } = yield* dumpOf(0)
        const own = lints.filter(({ fibers, kind }) => kind === "deadlock" && fibers.some((id) => ids.includes(id)))
        expect(own.map(({ fibers }) => fibers.toSorted((a, b) => a - b))).toEqual([ids])
        yield* Effect.all([Fiber.interruptFork(first), Fiber.interruptFork(second)])
      }).pipe(Effect.provide(layer))
  )

  it.live("Given a fiber that runs for long and one that spins, When they are judged, Then each is named", () =>
    Effect.gen(function* () {
      const spins = Effect.forever(Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void))))
      const long = Effect.zipRight(
        Effect.zipRight(
          Effect.sync(() => burn(80)),
          Effect.yieldNow()
        ),
        Effect.never
      )
      const fibers = [
        yield* Effect.fork(Effect.withSpan(long, "long")),
        yield* Effect.fork(Effect.withSpan(Effect.raceFirst(spins, Effect.sleep(400)), "spinning"))
      ]
      yield* Effect.sleep(250)
      const { lints } = yield* dumpOf(0)
      const [longPoll] = lints.filter(({ kind, message }) => kind === "long poll" && message.includes(" long "))
      expect(longPoll?.fibers).toEqual([fibers[0]?.id().id])
      expect(lints.some(({ kind, message }) => kind === "spins" && message.includes("spinning"))).toBe(true)
      yield* Fiber.interruptAll(fibers)
    }).pipe(Effect.provide(FiberConsoleNode.layer))
  )

  it.live(
    "Given a signal, When it is raised, Then the dump is written as it was asked for, until the Scope closes",
    () =>
      Effect.gen(function* () {
        const output = new PassThrough({ encoding: "utf8" })
        const before = process.listenerCount("SIGUSR2")
        yield* Effect.scoped(
          Effect.gen(function* () {
            yield* FiberConsoleNode.dumpOnSignal({ output, format: "json" })
            expect(process.listenerCount("SIGUSR2")).toBe(before + 1)
            process.kill(process.pid, "SIGUSR2")
            yield* Effect.repeat(Effect.sleep(10), { until: () => output.readableLength > 0 })
          })
        )
        expect(process.listenerCount("SIGUSR2")).toBe(before)
        const dump: unknown = JSON.parse(String(output.read()))
        expect(dump).toMatchObject({ fibers: expect.any(Array), lints: expect.any(Array), untracked: 0 })
      }).pipe(Effect.provide(FiberConsoleNode.layer))
  )

  it.live("Given 5,000 fibers that started and ended, When they are counted, Then nothing of them is kept", () =>
    Effect.gen(function* () {
      const { list } = yield* FiberConsole.FiberConsole
      yield* Effect.forEach(Array.from({ length: 5000 }), () => Effect.withSpan(Effect.yieldNow(), "short"), {
        concurrency: 100,
        discard: true
      })
      expect((yield* list).filter(named("short"))).toEqual([])
      expect((yield* dumpOf(0)).ended).toBeGreaterThanOrEqual(100)
    }).pipe(Effect.provide(FiberConsoleNode.layer))
  )

  it.effect.each([-1, 1.5, 201, Number.NaN])(
    "Given %d places, When a dump is asked for, Then it is refused",
    (places) =>
      Effect.gen(function* () {
        expect(yield* Effect.flip(dumpOf(places))).toMatchObject({ _tag: "InvalidInput", field: "places" })
      }).pipe(Effect.provide(Layer.fresh(FiberConsole.layer)))
  )
})
