/**
 * The spans of messages. Each message of `sendAll` has its own span. It begins when the payload is stored and ends with
 * the outcome, like the span of a single send. The span of its transaction links to it.
 */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type * as Tracer from "effect/Tracer"
import { Text } from "../../src/protocol/MessageType.js"
import { isTraced, open, type OpenSpan } from "../internal/traced.js"
import type { SendInput } from "./Input.js"

export const attributesOf = (agent: Address, { recipient, type = Text }: SendInput): Record<string, unknown> => ({
  "pod.agent": agent,
  "pod.recipient": recipient,
  "pod.message.type": type._tag
})

/** The spans of messages by their position in the call. */
export interface PackedSpans {
  /** Prepares a message within its span. The span of a message that cannot be sent ends here. */
  readonly prepare: <A extends { readonly address: Address }, E, R>(
    place: number,
    input: SendInput,
    self: Effect.Effect<Either.Either<A, E>, never, R>
  ) => Effect.Effect<Either.Either<A, E>, never, R>
  readonly at: (place: number) => Tracer.AnySpan | undefined
  readonly end: (place: number, outcome: Either.Either<unknown, unknown>) => void
  /** Ends the spans that have no outcome. */
  readonly interrupt: () => void
}

const NONE: PackedSpans = {
  prepare: (_, __, self) => self,
  at: () => undefined,
  end: () => undefined,
  interrupt: () => undefined
}

/** Spans below the fiber's span. Does nothing if the fiber is not traced. */
export const packed = (agent: Address): Effect.Effect<PackedSpans> =>
  Effect.withFiberRuntime((fiber) => Effect.succeed(isTraced(fiber) ? make(agent) : NONE))

const make = (agent: Address): PackedSpans => {
  const spans = new Map<number, OpenSpan>()
  return {
    prepare: (place, input, self) =>
      Effect.withFiberRuntime((fiber) => {
        const opened = open(fiber, "Message.send", attributesOf(agent, input))
        if (opened === undefined) return self
        spans.set(place, opened)
        return Effect.map(opened.part(self), (prepared) => {
          if (Either.isLeft(prepared)) opened.end(Exit.fail(prepared.left))
          else opened.span.attribute("pod.message", prepared.right.address)
          return prepared
        })
      }),
    at: (place) => spans.get(place)?.span,
    end: (place, outcome) => spans.get(place)?.end(Either.isLeft(outcome) ? Exit.fail(outcome.left) : Exit.void),
    interrupt: () => {
      for (const opened of spans.values()) opened.end(Exit.interrupt(FiberId.none))
    }
  }
}
