/**
 * A line of waiting fibers, first come first served. Joining, calling the first and leaving from anywhere are O(1).
 *
 * A fiber that is called can be given a turn: an effect that does something for the whole line and must not be lost.
 * A fiber that is interrupted before it begins its turn says so, and the turn goes to the next.
 */
import * as Effect from "effect/Effect"
import { cancelable } from "./cancelable.js"

/** Makes a region of an uninterruptible effect interruptible again. */
export type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** A fiber in the line and what it told the others when it joined. */
export interface Waiter<A, E, T> {
  readonly info: T
  /** Lets the fiber go on with this result. */
  readonly resolve: (result: Effect.Effect<A, E>) => void
  /** Lets the fiber go on with a turn, which starts uninterruptible. */
  readonly handOff: (turn: (restore: Restore) => Effect.Effect<A, E>) => void
}

/** What a fiber's stay in the line leads to. All run synchronously. */
export interface Events {
  /** It stands in the line. */
  readonly joined?: () => void
  /** It was interrupted while it stood in the line, and stands there no more. */
  readonly left?: () => void
  /** It was given a turn and interrupted before it began. */
  readonly turnLost: () => void
}

class Node<A, E, T> implements Waiter<A, E, T> {
  previous: Node<A, E, T> | undefined = undefined
  next: Node<A, E, T> | undefined = undefined
  standing = true
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

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /** Waits until called. */
  join(info: T, on: Events): Effect.Effect<A, E> {
    return cancelable<A, E>((resume) => {
      const node = new Node<A, E, T>(info, resume)
      this.#append(node)
      on.joined?.()
      return () => {
        if (node.standing) {
          this.#unlink(node)
          on.left?.()
        } else if (node.turnPending) {
          node.turnPending = false
          on.turnLost()
        }
      }
    })
  }

  /** What those in the line told, in order. O(n). */
  infos(): Array<T> {
    const infos: Array<T> = []
    for (let node = this.#first; node !== undefined; node = node.next) infos.push(node.info)
    return infos
  }

  /** The first steps out; whoever calls this must resolve it or give it a turn. */
  shift(): Waiter<A, E, T> | undefined {
    const node = this.#first
    if (node !== undefined) this.#unlink(node)
    return node
  }

  /** Those for whom it holds step out, in order. O(n). */
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
    node.standing = false
    this.#size--
  }
}
