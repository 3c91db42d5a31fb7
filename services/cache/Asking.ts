/**
 * What hits need of their fiber: the time, the options of its reads, and the labels under which they are counted. To read and
 * to count these at each hit costs twice what else a hit does. So hits of one context in one turn of the event loop, at most
 * {@link HITS}, share them, and are counted when the turn ends.
 *
 * Only Effect's own clock is taken to stand still for so long. With any other, such as TestClock, each hit reads it.
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

/** A turn that computes for long between its hits sees the time again after so many. */
const HITS = 64

/** What hits of one fiber at one time share. */
export interface Asking {
  readonly call: Call.CallOptions
  readonly now: Clocks.Moment
  readonly labels: ReadonlyArray<MetricLabel.MetricLabel>
  readonly context: object
  readonly services: object
  /** Those that were not counted yet. */
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
