import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as FiberConsole from "../../services/FiberConsole.js"

const kinds = Effect.flatMap(FiberConsole.FiberConsole, ({ lints }) =>
  Effect.map(lints, (found) => found.map(({ kind, message }) => `${kind}: ${message}`))
)

const forkMany = (count: number, name: string, effect: Effect.Effect<unknown>) =>
  Effect.forEach(Array.from({ length: count }), () => Effect.fork(Effect.withSpan(effect, name)))

/** Lets forked fibers run until they wait. */
const turn = Effect.yieldNow({ priority: 100 })

const provided = Effect.provide(FiberConsole.layer)

describe.sequential("FiberConsole", () => {
  it.effect("Given a fiber that lives on where others ended soon, When it waits, Then it is said to wait long", () =>
    Effect.gen(function* () {
      const short = yield* forkMany(10, "call", Effect.sleep("1 second"))
      const long = yield* Effect.fork(Effect.withSpan(Effect.never, "call"))
      yield* TestClock.adjust("1 second")
      yield* Fiber.joinAll(short)
      expect((yield* kinds).filter((text) => text.startsWith("waits long"))).toEqual([])
      yield* TestClock.adjust("20 seconds")
      expect((yield* kinds).filter((text) => text.startsWith("waits long"))).toEqual([
        "waits long: call: waits more than 10 times as long as any of 10 ended fibers lived"
      ])
      yield* Fiber.interrupt(long)
    }).pipe(provided)
  )

  it.effect("Given a group that doubles, When it is judged, Then it piles up; a group that stays large does not", () =>
    Effect.gen(function* () {
      const fibers = yield* forkMany(200, "steady", Effect.never)
      yield* turn
      yield* TestClock.adjust("6 seconds")
      fibers.push(...(yield* forkMany(1, "steady", Effect.never)))
      yield* turn
      for (let second = 0; second < 8; second++) {
        fibers.push(...(yield* forkMany(40, "growing", Effect.never)))
        yield* turn
        yield* TestClock.adjust("2 seconds")
      }
      const piles = (yield* kinds).filter((text) => text.startsWith("piles up"))
      expect(piles).toEqual(["piles up: growing: 320 fibers live, twice as many as seconds ago"])
      yield* Fiber.interruptAll(fibers)
    }).pipe(provided)
  )

  it.effect("Given a daemon, When the fiber that started it has ended, Then it is an orphan", () =>
    Effect.gen(function* () {
      const daemon = yield* Effect.forkDaemon(Effect.withSpan(Effect.never, "daemon")).pipe(
        Effect.fork,
        Effect.flatMap(Fiber.join)
      )
      yield* turn
      const { list } = yield* FiberConsole.FiberConsole
      const [found] = (yield* list).filter(({ id }) => id === daemon.id().id)
      expect(found).toMatchObject({ group: "daemon", isOrphan: true, state: "suspended", span: Option.some("daemon") })
      expect((yield* kinds).some((text) => text.startsWith("orphan: daemon"))).toBe(true)
      yield* Fiber.interrupt(daemon)
    }).pipe(provided)
  )

  it.effect(
    "Given a live view, When time passes, Then there is a dump a period, and a period too short is refused",
    () =>
      Effect.gen(function* () {
        const { live } = yield* FiberConsole.FiberConsole
        const dumps = yield* Effect.fork(Stream.runCollect(Stream.take(live("1 second"), 3)))
        yield* TestClock.adjust("3 seconds")
        expect(Chunk.size(yield* Fiber.join(dumps))).toBe(3)
        expect(yield* Effect.flip(Stream.runDrain(live(1)))).toMatchObject({ field: "period" })
      }).pipe(provided)
  )

  it.effect("Given spans of hostile names, When a dump is rendered, Then each fiber is one line without commands", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.withSpan(Effect.never, "\u001b[2Jgone\nforged"))
      yield* turn
      const { dump } = yield* FiberConsole.FiberConsole
      const text = FiberConsole.render(yield* dump(), 100_000)
      expect(text).toContain("gone forged")
      expect(text).not.toContain("\u001b")
      yield* Fiber.interrupt(fiber)
    }).pipe(provided)
  )

  it.effect(
    "Given a group of a hostile name, When it piles up, Then the lint is found, and is one line without commands",
    () =>
      Effect.gen(function* () {
        const name = `\u001b[2Jgone\n${"x".repeat(200)}`
        const fibers = yield* forkMany(100, name, Effect.never)
        yield* turn
        for (let second = 0; second < 8; second++) {
          fibers.push(...(yield* forkMany(60, name, Effect.never)))
          yield* turn
          yield* TestClock.adjust("2 seconds")
        }
        const [pile] = (yield* kinds).filter((text) => text.startsWith("piles up"))
        expect(pile).toMatch(/^piles up: .*gone x+.*: \d+ fibers live/)
        for (const command of ["\u001b", "\n"]) expect(pile).not.toContain(command)
        yield* Fiber.interruptAll(fibers)
      }).pipe(provided)
  )

  it.effect("Given 300 fibers that wait, When they are dumped, Then all are listed and a lint names at most 20", () =>
    Effect.gen(function* () {
      const fibers = yield* forkMany(300, "many", Effect.never)
      yield* turn
      const { dump } = yield* FiberConsole.FiberConsole
      const all = yield* dump()
      expect(all.fibers.filter(({ group }) => group === "many")).toHaveLength(300)
      expect(Math.max(0, ...all.lints.map(({ fibers }) => fibers.length))).toBeLessThanOrEqual(20)
      expect(FiberConsole.render(all).split("\n").length).toBeLessThan(300)
      yield* Fiber.interruptAll(fibers)
    }).pipe(provided)
  )
})
