/**
 * Detects slots that the cluster never reaches. A caller gets one from a lying node, or from a validator that restarted
 * with lower slots. A read at that slot or later would never succeed.
 *
 * A slot is false if the pool's slot is more than {@link MAX_LAG} below it, three times in a row over six seconds. A
 * true slot is at most {@link MAX_LAG} ahead: the cluster reaches it within three minutes, and the read waits for it.
 */
import type { Slot } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { RpcError } from "../RpcTransport.js"

/**
 * Maximum difference in slots between two nodes of one cluster: three times the 150 slots at which a node reports itself
 * unhealthy.
 */
export const MAX_LAG = 450n

/** Number of contradictions that prove a slot false, and the milliseconds before each check. */
const CONTRADICTIONS = 3
const PAUSE = 2000

/** The shortest duration of a slot in any cluster. */
const MIN_SLOT_MILLIS = 100

/** The highest slot that a node can have reached, this long after another node of its cluster was at `slot`. */
export const furthest = (slot: Slot, millis: number): Slot =>
  slot + MAX_LAG + BigInt(Math.floor(millis / MIN_SLOT_MILLIS))

/** Whether no node of a cluster at `slot` can have reached `claimed`. */
export const isFar = (claimed: Slot, slot: Slot): boolean => claimed > slot + MAX_LAG

/** The pool's slot, if it contradicts the claim in every check. None as soon as the claim may be true. */
export const contradicted = (
  claimed: Slot,
  current: Effect.Effect<Slot, RpcError>
): Effect.Effect<Option.Option<Slot>> =>
  Effect.gen(function* () {
    let found = Option.none<Slot>()
    for (let times = 0; times < CONTRADICTIONS; times++) {
      yield* Effect.sleep(PAUSE)
      // A failure of any kind contradicts nothing.
      const answer = Exit.getOrElse(Exit.map(yield* Effect.exit(current), Option.some), () => Option.none())
      found = Option.filter(answer, (slot) => isFar(claimed, slot))
      if (Option.isNone(found)) break
    }
    return found
  })

/** Waits until the claim proves false, and returns the pool's slot. Never ends if it may be true. */
const refuted = (claimed: Slot, current: Effect.Effect<Slot, RpcError>): Effect.Effect<Slot> =>
  Effect.flatMap(
    contradicted(claimed, current),
    Option.match({
      onNone: () => refuted(claimed, current),
      onSome: Effect.succeed
    })
  )

/**
 * Reads at a slot or later. If the slot proves false, `onFalse` gets the pool's slot, and the read is made without a
 * minimum.
 */
export const readFrom = <A>(
  slot: Slot | undefined,
  read: (minContextSlot?: Slot) => Effect.Effect<A, RpcError>,
  { current, onFalse }: { readonly current: Effect.Effect<Slot, RpcError>; readonly onFalse: (current: Slot) => void }
): Effect.Effect<A, RpcError> =>
  slot === undefined
    ? read()
    : // Interruptible even in an uninterruptible region, because a race waits for the end of the loser.
      Effect.raceFirst(
        Effect.interruptible(read(slot)),
        Effect.interruptible(
          Effect.flatMap(refuted(slot, current), (current) => {
            onFalse(current)
            return read()
          })
        )
      )
