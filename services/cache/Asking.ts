/**
 * The data that a hit takes from its fiber: the time, the options of its reads, and the metric labels. Reading them and
 * updating the counter for each hit would cost twice as much as the rest of the hit. So the hits of one context in one
 * turn of the event loop share the data, at most {@link HITS} of them. They are counted when the turn ends.
 *
 * The shared time assumes that the clock moves little within a turn. That holds for Effect's default clock. With any
 * other clock, such as TestClock, each hit reads the time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as MetricLabel from "effect/MetricLabel"
import * as Clocks from "../internal/clock.js"
import * as Metrics from "../Metrics.js"
import * as Call from "./Call.js"

const live = Context.get(DefaultServices.liveServices, Clock.Clock)

const counter = Metrics.cacheReadsOf("memory")

/** Maximum hits that share one time, so that a long turn reads the time again. */
const HITS = 64

/** The shared data of the hits of one fiber at one time. */
export interface Asking {
  readonly call: Call.CallOptions
  readonly now: Clocks.Moment
  readonly labels: ReadonlyArray<MetricLabel.MetricLabel>
  readonly context: object
  readonly services: object
  /** Hits that were not counted yet. */
  hits: number
}

export class Askings {
  #shared: Asking | undefined
  #left = 0
  #isEnding = false

  of(fiber: Fiber.RuntimeFiber<unknown, unknown>): Asking {
    const shared = this.#shared
    const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
    const { currentContext: context, currentDefaultServices: services } = fiber
    if (
      shared !== undefined &&
      this.#left > 0 &&
      context === shared.context &&
      services === shared.services &&
      labels === shared.labels
    ) {
      this.#left--
      return shared
    }
    this.#end()
    const asking: Asking = {
      call: Call.of(fiber),
      now: Clocks.moment(fiber),
      labels,
      context,
      services,
      hits: 0
    }
    this.#shared = asking
    this.#left = Clocks.of(fiber) === live ? HITS : 0
    if (!this.#isEnding) {
      this.#isEnding = true
      void Promise.resolve().then(() => {
        this.#isEnding = false
        this.#end()
      })
    }
    return asking
  }

  #end(): void {
    const shared = this.#shared
    this.#shared = undefined
    if (shared !== undefined && shared.hits > 0) counter.unsafeUpdate(shared.hits, shared.labels)
  }
}
