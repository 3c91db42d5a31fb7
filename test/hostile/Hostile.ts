/** Plays hostile inputs from a seed against the clients and the embedded cluster, and counts violations. */
import * as Effect from "effect/Effect"
import { held } from "../support/heap.js"
import * as Frames from "./Frames.js"
import * as Replies from "./Replies.js"
import * as Requests from "./Requests.js"
import * as Tally from "./Tally.js"

export interface Options {
  /** Approximate number of inputs of all parts. */
  readonly cases: number
  readonly seed: number
}

/** Maximum bytes by which a run may grow the heap, whatever the number of its cases. */
const MAX_GROWTH = 64e6

export const run = ({ cases, seed }: Options) =>
  Effect.gen(function* () {
    const tally = Tally.make()
    const before = held()
    const share = Math.ceil(cases / 3)
    yield* Tally.watch(
      tally,
      Effect.gen(function* () {
        yield* Frames.play(tally, share, seed)
        yield* Replies.play(tally, share, seed)
        yield* Requests.play(tally, share, seed)
      })
    )
    const heapGrowthBytes = held() - before
    if (heapGrowthBytes > MAX_GROWTH) tally.leaks.push(`the heap grew by ${heapGrowthBytes} bytes`)
    return {
      findings: [...tally.crashes, ...tally.hangs, ...tally.untypedErrors, ...tally.leaks],
      report: {
        seed,
        cases: tally.cases,
        crashes: tally.crashes.length,
        hangs: tally.hangs.length,
        untypedErrors: tally.untypedErrors.length,
        heapGrowthBytes
      }
    }
  })
