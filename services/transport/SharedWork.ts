/**
 * Work that one fiber does for itself and for others that wait for it.
 *
 * The first, the leader, runs it in its own fiber. When the leader is interrupted the next takes the lead and runs it anew,
 * so nobody fails by another's interruption. Others join only if their deadline is not before the leader's; when the
 * leader fails for want of time, those that have more of it go on.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Deadline from "../Deadline.js"
import type { Restore } from "../internal/FifoQueue.js"
import { FifoQueue } from "../internal/FifoQueue.js"
import { RetryPolicy } from "../RetryPolicy.js"
import type { RpcError } from "../RpcTransport.js"

/** One that wants the work done. */
export interface Member<T> {
  readonly item: T
  readonly deadline: number
  readonly policy: "safe" | "never"
}

/** A member, as its fiber's context says. */
export const member = <T>(fiber: Fiber.RuntimeFiber<unknown, unknown>, item: T): Member<T> => ({
  item,
  deadline: Deadline.of(fiber),
  policy: Context.get(fiber.currentContext, RetryPolicy)
})

export interface Work<A, T> {
  /** Does it. `members` lists the leader first; it is asked when the work is about to be done. */
  readonly run: (members: () => ReadonlyArray<Member<T>>) => Effect.Effect<ResultOf<A, T>, RpcError>
  /** It came to its end, or all have left. No more may join. */
  readonly ended: () => void
}

/** Each member's own result. */
export type ResultOf<A, T> = (member: Member<T>) => Effect.Effect<A, RpcError>

export class SharedWork<A, T> {
  readonly #line = new FifoQueue<A, RpcError, Member<T>>()
  readonly #work: Work<A, T>
  #leader: Member<T>

  constructor(leader: Member<T>, work: Work<A, T>) {
    this.#leader = leader
    this.#work = work
  }

  /** The leader and those that wait. */
  get size(): number {
    return this.#line.size + 1
  }

  /** Whether this one can wait for the leader. */
  admits({ deadline, policy }: Member<T>): boolean {
    return deadline >= this.#leader.deadline && policy === this.#leader.policy
  }

  /** For those that were admitted. */
  join(member: Member<T>): Effect.Effect<A, RpcError> {
    return this.#line.join(member, { turnLost: () => this.#passLead() })
  }

  /** For the first. */
  lead(): Effect.Effect<A, RpcError> {
    return Effect.uninterruptibleMask((restore) => this.#run(restore))
  }

  #run(restore: Restore): Effect.Effect<A, RpcError> {
    const leader = this.#leader
    return Effect.matchCauseEffect(restore(this.#work.run(() => [this.#leader, ...this.#line.infos()])), {
      onFailure: (cause) => {
        const error = Cause.failureOption(cause)
        if (Option.isSome(error)) {
          const more = error.value.isRetryable ? leader.deadline : Infinity
          this.#resolve(
            () => Effect.fail(error.value),
            ({ deadline }) => deadline <= more
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
    const next = this.#line.shift()
    if (next === undefined) return this.#work.ended()
    this.#leader = next.info
    next.handOff((restore) => this.#run(restore))
  }

  #resolve(resultOf: ResultOf<A, T>, which: (member: Member<T>) => boolean): void {
    if (this.#line.size === 0) return
    for (const { info, resolve } of this.#line.shiftWhere(which)) resolve(resultOf(info))
  }
}
