import * as Effect from "effect/Effect"

/** Runs an effect until its result is as expected, because events come after the write. */
export const eventually = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  isWanted: (a: A) => boolean
): Effect.Effect<A, E, R> =>
  Effect.flatMap(effect, (a) =>
    isWanted(a) ? Effect.succeed(a) : Effect.zipRight(Effect.sleep("10 millis"), eventually(effect, isWanted))
  )
