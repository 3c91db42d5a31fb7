/**
 * A FIFO queue of waiting fibers. To join, to take the first, and to leave from any place are O(1).
 *
 * A fiber that leaves the queue gets a result, or a turn: an effect that acts for the whole queue, such as waking the next
 * fiber.
 *
 * Invariants:
 * - A fiber is in the queue, or resolved once, or interrupted.
 * - A turn is never lost. If a fiber is interrupted between `handOff` and the start of its turn, `turnLost` runs. The caller
 *   then gives the turn to the next fiber.
 * - A turn starts uninterruptible, so no interruption falls between its start and its own protection.
 */
import * as Effect from "effect/Effect"
import { cancelable } from "./hot.js"

/** Makes a region of an uninterruptible effect interruptible again. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A waiting fiber, and the information that it joined with. */
export interface Waiter<A, E, T> {
  readonly info: T
  /** Resumes the fiber with a result. */
  readonly resolve: (result: Effect.Effect<A, E>) => void
  /** Resumes the fiber with a turn, which starts uninterruptible. */
  readonly handOff: (turn: (restore: Restore) => Effect.Effect<A, E>) => void
}

/** Callbacks for the events of one waiting fiber. All run synchronously. */
export interface Events {
  /** The fiber is in the queue. */
  readonly joined?: () => void
  /** The fiber was interrupted in the queue and has left it. */
  readonly left?: () => void
  /** The fiber was interrupted after it got a turn and before the turn began. */
  readonly turnLost: () => void
}

class Node<A, E, T> implements Waiter<A, E, T> {
  previous: Node<A, E, T> | undefined = undefined
  next: Node<A, E, T> | undefined = undefined
  queued = true
  turnPending = false

  constructor(
    readonly info: T,
    readonly resolve: (result: Effect.Effect<A, E>) => void
  ) {}

  handOff(turn: (restore: Restore) => Effect.Effect<A, E>): void {
    this.turnPending = true
    this.resolve(
      Effect.uninterruptibleMask((restore) => {
        this.turnPending = false
        return turn(restore)
      })
    )
  }
}

export class FifoQueue<A, E, T> {
  #first: Node<A, E, T> | undefined
  #last: Node<A, E, T> | undefined
  #size = 0

  /** The number of waiting fibers. */
  get size(): number {
    return this.#size
  }

  /** Waits until another fiber resolves this one or hands it a turn. */
  join(info: T, on: Events): Effect.Effect<A, E> {
    return cancelable<A, E>((resume) => {
      const node = new Node<A, E, T>(info, resume)
      this.#append(node)
      on.joined?.()
      return () => {
        if (node.queued) {
          this.#unlink(node)
          on.left?.()
        } else if (node.turnPending) {
          node.turnPending = false
          on.turnLost()
        }
      }
    })
  }

  /** The information of all waiting fibers, in order. O(n). */
  infos(): Array<T> {
    const infos: Array<T> = []
    for (let node = this.#first; node !== undefined; node = node.next) infos.push(node.info)
    return infos
  }

  /** Removes the first fiber. The caller must resolve it or hand it a turn. */
  shift(): Waiter<A, E, T> | undefined {
    const node = this.#first
    if (node !== undefined) this.#unlink(node)
    return node
  }

  /** Removes all fibers whose information satisfies the predicate, in order. The caller must resolve each. O(n). */
  shiftWhere(predicate: (info: T) => boolean): ReadonlyArray<Waiter<A, E, T>> {
    const out: Array<Waiter<A, E, T>> = []
    let node = this.#first
    while (node !== undefined) {
      const next: Node<A, E, T> | undefined = node.next
      if (predicate(node.info)) {
        this.#unlink(node)
        out.push(node)
      }
      node = next
    }
    return out
  }

  #append(node: Node<A, E, T>): void {
    node.previous = this.#last
    if (this.#last === undefined) this.#first = node
    else this.#last.next = node
    this.#last = node
    this.#size++
  }

  #unlink(node: Node<A, E, T>): void {
    if (node.previous === undefined) this.#first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) this.#last = node.previous
    else node.next.previous = node.previous
    node.previous = undefined
    node.next = undefined
    node.queued = false
    this.#size--
  }
}
