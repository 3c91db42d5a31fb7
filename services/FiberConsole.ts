/**
 * Lists the live fibers of the process: the state of each, the fibers for which it waits, and suspected faults.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Supervisor from "effect/Supervisor"
import * as Check from "../src/internal/check.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as SafeText from "../src/SafeText.js"
import * as Internals from "./fiberconsole/internals.js"
import * as Lints from "./fiberconsole/lints.js"
import type { Dump, FiberView, Lint } from "./fiberconsole/Model.js"
import * as Text from "./fiberconsole/text.js"
import { groupOf, shownGroup, Tracker } from "./fiberconsole/Tracker.js"
import * as TestLayer from "./internal/testLayer.js"

export type { Dump, FiberView, Lint } from "./fiberconsole/Model.js"

/**
 * Options of a dump.
 *
 * @since 0.1.0
 * @category models
 */
export interface DumpOptions {
  /**
   * Number of fibers whose lines of code are looked up, from 0 to 200. Default 0. One fiber of each group comes first.
   * A look-up stops the process for some milliseconds. Too low: few fibers have lines. Too high: the process stops for
   * longer.
   */
  readonly places?: number | undefined
}

/**
 * The operations of the console.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** All live fibers except the calling one, the oldest first. */
  readonly list: Effect.Effect<ReadonlyArray<FiberView>>
  /** Suspected faults at this moment, the gravest first. */
  readonly lints: Effect.Effect<ReadonlyArray<Lint>>
  /**
   * The fibers and the lints of one moment. It is plain data for `JSON.stringify`; {@link render} makes a text of it.
   */
  readonly dump: (options?: DumpOptions) => Effect.Effect<Dump, InvalidInput>
  /** A dump per period (default 1 second, 100 milliseconds to 1 hour), as long as the stream is read. */
  readonly live: (period?: Duration.DurationInput) => Stream.Stream<Dump, InvalidInput>
}

/**
 * The live fibers of the process.
 *
 * @example
 * ```ts
 * import * as FiberConsole from "@pod-protocol/effect/services/FiberConsole"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 *
 * export const print = Effect.gen(function* () {
 *   const { dump } = yield* FiberConsole.FiberConsole
 *   yield* Console.log(FiberConsole.render(yield* dump({ places: 20 })))
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class FiberConsole extends Context.Tag("@pod-protocol/effect/FiberConsole")<FiberConsole, Service>() {}

/**
 * Looks up where generators are suspended, and returns a line of code or none for each. The console passes at most
 * three generators of each fiber.
 *
 * @since 0.1.0
 * @category models
 */
export type Locate = (generators: ReadonlyArray<object>) => Effect.Effect<ReadonlyArray<Option.Option<string>>>

const MAX_PLACES = 200

/** Maximum lines of code of a fiber. */
const DEPTH = 3

const locateNothing: Locate = (generators) => Effect.succeed(generators.map(() => Option.none()))

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** Sorts one fiber of each group to the front. */
const byVariety = (fibers: ReadonlyArray<FiberView>): ReadonlyArray<FiberView> => {
  const seen = new Set<string>()
  const [others, first] = [new Array<FiberView>(), new Array<FiberView>()]
  for (const fiber of fibers) {
    ;(seen.has(fiber.group) ? others : first).push(fiber)
    seen.add(fiber.group)
  }
  return [...first, ...others]
}

const build = (tracker: Tracker, locate: Locate): Service => {
  const read = (own: AnyFiber, roots: Iterable<AnyFiber>) => {
    const now = tracker.now()
    const found = Internals.withDescendants([...roots, ...Array.from(tracker.live.values(), ({ fiber }) => fiber)])
    const alive = found.filter((fiber) => fiber !== own && fiber.unsafePoll() === null)
    const names = new Map<string, string>()
    const shown = (name: string): string => {
      const known = names.get(name) ?? shownGroup(name)
      names.set(name, known)
      return known
    }
    const views = alive.map((fiber): FiberView => {
      const id = fiber.id().id
      const tracked = tracker.live.get(id)
      const isRunning = tracked?.isRunning ?? Internals.isRunning(fiber)
      const ageMillis = Math.max(now - (tracked?.startedAt ?? fiber.id().startTimeMillis), 0)
      const turn = tracked === undefined ? 0 : now - tracked.changedAt
      const busyMillis = (tracked?.busyMillis ?? 0) + (isRunning ? turn : 0)
      const { parent } = tracked ?? {}
      const window = tracked === undefined ? 0 : now - tracked.windowAt
      const rate = tracked !== undefined && window >= 100 ? (tracked.windowPolls / window) * 1000 : 0
      return {
        id,
        parent: Option.map(Option.fromNullable(parent), (fiber) => fiber.id().id),
        state: isRunning ? "running" : "suspended",
        group: shown(tracked?.group ?? groupOf(fiber)),
        span: fiber.currentSpan?._tag === "Span" ? Option.some(shown(fiber.currentSpan.name)) : Option.none(),
        ageMillis,
        waitsMillis: isRunning ? 0 : tracked === undefined ? 0 : turn,
        waitsFor: isRunning ? [] : Internals.waitsFor(fiber),
        polls: tracked?.polls ?? 0,
        pollsPerSecond: Math.max(tracked?.pollsPerSecond ?? 0, rate),
        busyMillis,
        idleMillis: tracked === undefined ? 0 : Math.max(ageMillis - busyMillis, 0),
        longestPollMillis: Math.max(tracked?.longestMillis ?? 0, isRunning ? turn : 0),
        isOrphan: parent !== undefined && parent.unsafePoll() !== null,
        places: []
      }
    })
    const fibers = new Map(alive.map((fiber) => [fiber.id().id, fiber]))
    return { views: views.toSorted((a, b) => a.id - b.id), fibers }
  }

  const now = Effect.withFiberRuntime<ReturnType<typeof read>>((own) =>
    Effect.map(Fiber.roots, (roots) => read(own, roots))
  )

  /** Looks up the generators of all chosen fibers in one call. */
  const withPlaces = (views: ReadonlyArray<FiberView>, fibers: ReadonlyMap<number, AnyFiber>, places: number) =>
    Effect.gen(function* () {
      const chosen = byVariety(views.filter(({ state }) => state === "suspended")).slice(0, places)
      const generators = chosen.flatMap(({ id }) => {
        const fiber = fibers.get(id)
        return fiber === undefined
          ? []
          : Internals.generators(fiber)
              .slice(0, DEPTH)
              .map((generator) => ({ id, generator }))
      })
      const lines = yield* locate(generators.map(({ generator }) => generator))
      const byId = new Map<number, Array<string>>()
      for (const [index, { id }] of generators.entries()) {
        const line = Option.getOrUndefined(lines[index] ?? Option.none())
        if (line !== undefined) byId.set(id, [...(byId.get(id) ?? []), SafeText.make(line, 200)])
      }
      return views.map((view) => ({ ...view, places: byId.get(view.id) ?? [] }))
    })

  const dump: Service["dump"] = ({ places = 0 } = {}) =>
    Effect.gen(function* () {
      yield* Check.integer("places", places, 0, MAX_PLACES)
      const { fibers, views } = yield* now
      return {
        fibers: places === 0 ? views : yield* withPlaces(views, fibers, places),
        lints: Lints.of(views, tracker.groups),
        ended: Array.from(tracker.groups.values()).reduce((sum, { ended }) => sum + ended, 0),
        untracked: tracker.untracked
      }
    })

  return {
    list: Effect.map(now, ({ views }) => views),
    lints: Effect.map(now, ({ views }) => Lints.of(views, tracker.groups)),
    dump,
    live: (period = "1 second") =>
      Stream.unwrap(
        Effect.map(Check.millisBetween("period", period, 100, 3_600_000), (millis) =>
          Stream.repeatEffectWithSchedule(dump(), Schedule.spaced(Duration.millis(millis)))
        )
      )
  }
}

/** Milliseconds of the fiber's monotonic clock, with fractions. */
const millisOf: Effect.Effect<() => number> = Effect.clockWith((clock) =>
  Effect.succeed(() => Number(clock.unsafeCurrentTimeNanos()) / 1e6)
)

/**
 * A console that tracks the fibers of the program to which it is provided. It adds a supervisor, which runs when a
 * fiber starts, suspends, resumes and ends. Fibers that started earlier are listed without turns.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (locate: Locate): Layer.Layer<FiberConsole> =>
  Layer.unwrapEffect(
    Effect.map(millisOf, (now) => {
      const tracker = new Tracker(now)
      return Layer.merge(Supervisor.addSupervisor(tracker), Layer.succeed(FiberConsole, build(tracker, locate)))
    })
  )

/**
 * {@link layerWith} without lines of code, for any platform. `FiberConsoleNode.layer` finds them too.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<FiberConsole> = /* @__PURE__ */ Layer.suspend(() => layerWith(locateNothing))

/**
 * A console that only reads, and costs nothing until it is used. It has no data on turns and waiting times, so
 * deadlocks are its only lints.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRoots = (locate: Locate = locateNothing): Layer.Layer<FiberConsole> =>
  Layer.effect(
    FiberConsole,
    Effect.map(millisOf, (now) => build(new Tracker(now), locate))
  )

/**
 * A test layer from stubs: a call to a missing member dies with the member's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<FiberConsole> => TestLayer.layer(FiberConsole, stubs)

/**
 * Writes a dump as a text: the lints, then a table of the fibers, at most `rows` (default 200) of them.
 *
 * @since 0.1.0
 * @category encoding
 */
export const render = (dump: Dump, rows = 200): string => Text.render(dump, rows)
