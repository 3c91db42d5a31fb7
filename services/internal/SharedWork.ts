/**
 * Work that one fiber does for itself and for other fibers that wait for the result.
 *
 * The first member is the leader and runs the work in its own fiber. A member joins only with the leader's retry policy and
 * with a deadline that is not earlier than the leader's.
 *
 * Invariants:
 * - The interruption of one member fails no other: when the leader is interrupted, the next member leads and runs the work
 *   again.
 * - A retryable failure, such as the leader's timeout, fails only members whose deadline is not later than the
 *   leader's. The others continue with a new leader.
 * - Every member is resolved: with the result, with a failure, or as the next leader.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { RpcError } from "../RpcTransport.js"
import type { Restore } from "./FifoQueue.js"
import { FifoQueue } from "./FifoQueue.js"

/** A caller that waits for the work. */
export interface Member<T> {
  readonly item: T
  readonly deadline: number
  readonly policy: "safe" | "never"
}

/** A failure; `isRetryable` if the same work may succeed with more time. */
interface Failure {
  readonly isRetryable: boolean
}

export interface Work<A, T, E extends Failure = RpcError> {
  /** Does the work. `members` lists the present members, the leader first. */
  readonly run: (members: () => ReadonlyArray<Member<T>>) => Effect.Effect<ResultOf<A, T, E>, E>
  /** Called when the work is done or no member is left. No fiber may join after this. */
  readonly ended: () => void
}

/** Selects the result of one member. */
export type ResultOf<A, T, E extends Failure = RpcError> = (member: Member<T>) => Effect.Effect<A, E>

export class SharedWork<A, T, E extends Failure = RpcError> {
  readonly #waiting = new FifoQueue<A, E, Member<T>>()
  readonly #work: Work<A, T, E>
  #leader: Member<T>

  constructor(leader: Member<T>, work: Work<A, T, E>) {
    this.#leader = leader
    this.#work = work
  }

  /** The number of members: the leader and the fibers that wait. */
  get size(): number {
    return this.#waiting.size + 1
  }

  /** Whether this member may wait for the leader. */
  admits({ deadline, policy }: Member<T>): boolean {
    return deadline >= this.#leader.deadline && policy === this.#leader.policy
  }

  /** Waits for the leader's result. The member must be admitted. */
  join(member: Member<T>): Effect.Effect<A, E> {
    return this.#waiting.join(member, { turnLost: () => this.#passLead() })
  }

  /** Runs the work for the first member. */
  lead(): Effect.Effect<A, E> {
    return Effect.uninterruptibleMask((restore) => this.#run(restore))
  }

  #run(restore: Restore): Effect.Effect<A, E> {
    const leader = this.#leader
    return Effect.matchCauseEffect(restore(this.#work.run(() => [this.#leader, ...this.#waiting.infos()])), {
      onFailure: (cause) => {
        const error = Cause.failureOption(cause)
        if (Option.isSome(error)) {
          const latest = error.value.isRetryable ? leader.deadline : Infinity
          this.#resolve(
            () => Effect.fail(error.value),
            ({ deadline }) => deadline <= latest
          )
        } else if (!Cause.isInterrupted(cause)) {
          this.#resolve(
            () => Effect.failCause(cause),
            () => true
          )
        }
        this.#passLead()
        return Effect.failCause(cause)
      },
      onSuccess: (resultOf) => {
        this.#work.ended()
        this.#resolve(resultOf, () => true)
        const own = resultOf(leader)
        return Exit.isExit(own) ? own : restore(own)
      }
    })
  }

  #passLead(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return this.#work.ended()
    this.#leader = next.info
    next.handOff((restore) => this.#run(restore))
  }

  #resolve(resultOf: ResultOf<A, T, E>, which: (member: Member<T>) => boolean): void {
    if (this.#waiting.size === 0) return
    for (const { info, resolve } of this.#waiting.shiftWhere(which)) resolve(resultOf(info))
  }
}
