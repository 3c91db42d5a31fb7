/**
 * What the runtime logs of a transaction, as a tree of program invocations.
 *
 * Every line belongs to the invocation that was running when it was written, so that what one program logs is never
 * taken for another's. Lines that programs write can not pass for the runtime's, which begin otherwise.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Addresses from "../solana/Address.js"

/**
 * One invocation of a program.
 *
 * @since 0.1.0
 * @category models
 */
export interface Frame {
  readonly program: Address
  /** 1 for an instruction of the transaction, 2 and more for one that another program invoked. */
  readonly depth: number
  /** The invocation that invoked this one. */
  readonly parent: Frame | undefined
  /** What it logged, without the `Program log: ` in front; and what builtin programs say, which has none. */
  readonly logs: ReadonlyArray<string>
  /** What it emitted as data: base64, several parts with spaces between. */
  readonly data: ReadonlyArray<string>
  /** Compute units that it used, where the runtime says so: builtin programs are not metered aloud. */
  readonly unitsConsumed: number | undefined
  readonly outcome: Outcome
}

/**
 * How an invocation ended. `Unknown` when the log was cut off before its end.
 *
 * @since 0.1.0
 * @category models
 */
export type Outcome =
  | { readonly _tag: "Success" }
  | { readonly _tag: "Failure"; readonly error: string }
  | { readonly _tag: "Unknown" }

/**
 * A parsed log.
 *
 * @since 0.1.0
 * @category models
 */
export interface Logs {
  /** Invocations in the order in which they began. */
  readonly frames: ReadonlyArray<Frame>
  /** The invocation that failed first: the one whose error it is. Those around it fail with the same words. */
  readonly failed: Frame | undefined
  /** The runtime dropped lines, because the log was longer than it keeps (10 kB by default). */
  readonly isTruncated: boolean
}

interface OpenFrame extends Frame {
  readonly logs: Array<string>
  readonly data: Array<string>
  unitsConsumed: number | undefined
  outcome: Outcome
}

const LOG = "Program log: "
const DATA = "Program data: "
const TRUNCATED = "Log truncated"
const RUNTIME = /^Program ([1-9A-HJ-NP-Za-km-z]{32,44}) (.*)$/s
const INVOKE = /^invoke \[(\d{1,3})\]$/
const CONSUMED = /^consumed (\d{1,15}) of \d{1,15} compute units$/
const FAILED = "failed: "

const SUCCESS: Outcome = { _tag: "Success" }
const UNKNOWN: Outcome = { _tag: "Unknown" }

/**
 * Parses the log of a transaction. Lines of no known form, ends without a beginning and beginnings without an end are
 * borne; nothing is guessed about them.
 *
 * @since 0.1.0
 * @category decoding
 */
export const parse = (lines: ReadonlyArray<string>): Logs => {
  const frames: Array<OpenFrame> = []
  /** The invocations that have not ended, the innermost last. */
  const open: Array<OpenFrame> = []
  let failed: Frame | undefined
  let isTruncated = false

  const begin = (program: Address, depth: number): void => {
    while ((open.at(-1)?.depth ?? 0) >= depth) open.pop()
    const frame: OpenFrame = {
      program,
      depth,
      parent: open.at(-1),
      logs: [],
      data: [],
      unitsConsumed: undefined,
      outcome: UNKNOWN
    }
    frames.push(frame)
    open.push(frame)
  }

  const end = (program: Address, outcome: Outcome): void => {
    const position = open.findLastIndex((frame) => frame.program === program)
    const frame = open[position]
    if (frame === undefined) return
    frame.outcome = outcome
    if (outcome._tag === "Failure") failed ??= frame
    open.length = position
  }

  for (const line of lines) {
    const current = open.at(-1)
    if (line.startsWith(LOG)) {
      current?.logs.push(line.slice(LOG.length))
    } else if (line.startsWith(DATA)) {
      current?.data.push(line.slice(DATA.length))
    } else if (line === TRUNCATED) {
      isTruncated = true
    } else {
      const [, program = "", event = ""] = RUNTIME.exec(line) ?? []
      const depth = INVOKE.exec(event)?.[1]
      const units = CONSUMED.exec(event)?.[1]
      if (!Addresses.is(program)) {
        current?.logs.push(line)
      } else if (depth !== undefined) {
        begin(program, Math.max(1, Number(depth)))
      } else if (units !== undefined) {
        if (current?.program === program) current.unitsConsumed = Number(units)
      } else if (event === "success") {
        end(program, SUCCESS)
      } else if (event.startsWith(FAILED)) {
        end(program, { _tag: "Failure", error: event.slice(FAILED.length) })
      } else {
        current?.logs.push(line)
      }
    }
  }
  return { frames, failed, isTruncated }
}

/**
 * The invocation itself and those around it, from the inside out.
 *
 * @since 0.1.0
 * @category decoding
 */
export const ancestry = (frame: Frame): ReadonlyArray<Frame> =>
  frame.parent === undefined ? [frame] : [frame, ...ancestry(frame.parent)]
