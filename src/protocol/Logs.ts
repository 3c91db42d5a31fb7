/**
 * Parses the runtime's log of a transaction to a tree of program invocations.
 *
 * Every line belongs to the invocation that was running at that time, so output of one program is never attributed to
 * another. The runtime's lines have prefixes that a program cannot write.
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
  /** 1 for an instruction of the transaction; 2 or more for a nested invocation. */
  readonly depth: number
  /** The invocation that invoked this one. */
  readonly parent: Frame | undefined
  /** Lines that the program logged, without the prefix `Program log: `. Lines of builtin programs have no prefix. */
  readonly logs: ReadonlyArray<string>
  /** Data that the program emitted: base64, several parts separated by spaces. */
  readonly data: ReadonlyArray<string>
  /** Compute units consumed. Undefined for builtin programs, for which the runtime logs none. */
  readonly unitsConsumed: number | undefined
  readonly outcome: Outcome
}

/**
 * The outcome of an invocation; `Unknown` if the log was cut off before its end.
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
  /** The first invocation that failed, which is the source of the error. The invocations around it repeat the error. */
  readonly failed: Frame | undefined
  /** True if the runtime dropped lines because the log exceeded its limit (10 kB by default). */
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
 * Parses the log of a transaction. An unknown line counts as a log line of the running invocation. The parser ignores
 * lines outside of invocations, and ends without a beginning. A beginning without an end has the outcome `Unknown`.
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
 * The invocation, then its callers from the inside out.
 *
 * @since 0.1.0
 * @category decoding
 */
export const ancestry = (frame: Frame): ReadonlyArray<Frame> =>
  frame.parent === undefined ? [frame] : [frame, ...ancestry(frame.parent)]
