/**
 * The fiber console of Node.js: lines of code through `node:inspector`, dumps on a signal, and a live view in the terminal.
 *
 * @since 0.1.0
 */
import type { Writable } from "node:stream"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FiberConsole from "../services/FiberConsole.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import * as Places from "./fiberconsole/Places.js"

/**
 * The console of this process. See `FiberConsole.layerWith` for its cost.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<FiberConsole.FiberConsole> = /* @__PURE__ */ Layer.suspend(() =>
  FiberConsole.layerWith(Places.locate)
)

/**
 * A console that only reads. See `FiberConsole.layerRoots`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerRoots: Layer.Layer<FiberConsole.FiberConsole> = /* @__PURE__ */ Layer.suspend(() =>
  FiberConsole.layerRoots(Places.locate)
)

/** Number of fibers whose lines of code are looked up for a dump on a signal. */
const PLACES = 50

const write = (output: Writable, text: string): Effect.Effect<void> =>
  Effect.sync(() => void (output.writable && output.write(text)))

/**
 * Options of {@link dumpOnSignal}.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignalOptions {
  /** Default `SIGUSR2`. Node itself uses `SIGUSR1`. */
  readonly signal?: NodeJS.Signals | undefined
  /** Default: standard error. */
  readonly output?: Writable | undefined
  /** Default `text`. `json` is one line. */
  readonly format?: "text" | "json" | undefined
}

/**
 * Writes a dump at each signal, until the Scope closes. Signals during a dump are ignored. The handler does not keep
 * the process alive.
 *
 * @example
 * ```ts
 * import { FiberConsoleNode } from "@pod-protocol/effect"
 * import * as Effect from "effect/Effect"
 *
 * // `kill -USR2` with the id of the process prints its fibers.
 * export const withDumps = <A, E, R>(main: Effect.Effect<A, E, R>) =>
 *   Effect.zipRight(FiberConsoleNode.dumpOnSignal(), main).pipe(Effect.scoped, Effect.provide(FiberConsoleNode.layer))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const dumpOnSignal = (
  options: SignalOptions = {}
): Effect.Effect<void, never, FiberConsole.FiberConsole | Scope.Scope> =>
  Effect.gen(function* () {
    const { format = "text", output = process.stderr, signal = "SIGUSR2" } = options
    const { dump } = yield* FiberConsole.FiberConsole
    const run = yield* FiberSet.makeRuntime()
    const one = yield* Effect.makeSemaphore(1)
    const dumped = dump({ places: PLACES }).pipe(
      Effect.flatMap((all) => write(output, format === "json" ? `${JSON.stringify(all)}\n` : FiberConsole.render(all))),
      Effect.catchAllCause((cause) => Effect.logWarning("The fibers cannot be dumped", cause)),
      one.withPermitsIfAvailable(1)
    )
    const handler = (): void => void run(dumped)
    yield* Effect.acquireRelease(
      Effect.sync(() => process.on(signal, handler)),
      () => Effect.sync(() => process.off(signal, handler))
    )
  })

const HOME_AND_CLEAR = "\u001B[H\u001B[J"

/**
 * Draws the fibers periodically until it is interrupted. On a terminal, each picture replaces the last one and has as
 * many rows as fit.
 *
 * @since 0.1.0
 * @category combinators
 */
export const live = (
  options: {
    readonly output?: NodeJS.WriteStream | undefined
    readonly period?: Duration.DurationInput | undefined
  } = {}
): Effect.Effect<void, InvalidInput, FiberConsole.FiberConsole> =>
  Effect.gen(function* () {
    const { output = process.stdout, period } = options
    const console = yield* FiberConsole.FiberConsole
    const picture = (dump: FiberConsole.Dump): string => {
      if (!output.isTTY) return FiberConsole.render(dump)
      const rows = Math.max(output.rows - dump.lints.length - 5, 5)
      const lines = FiberConsole.render(dump, rows).split("\n")
      return `${HOME_AND_CLEAR}${lines.map((line) => line.slice(0, output.columns)).join("\n")}`
    }
    yield* Stream.runForEach(console.live(period), (dump) => write(output, picture(dump)))
  })
