/** Prints the program's events live, then checks that the chain's history has the same events. */
import { type ProtocolEvent, ProtocolEvents } from "@pod-protocol/effect"
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Narrator } from "./Narrator.js"
import type { Actor } from "./Story.js"

type Event = ProtocolEvent.ProtocolEvent

/**
 * The actor that caused an event: the first account that is an actor's wallet. `undefined` for events of other users.
 */
const causeOf = (actors: ReadonlyArray<Actor>) => {
  const names = new Map<Address, string>(actors.map(({ name, wallet }) => [wallet.address, name]))
  return ({ accounts }: Event): string | undefined => accounts.map((address) => names.get(address)).find(Boolean)
}

/** Whether the event is the last one of the story. */
const isLast = ({ _tag }: Event): boolean => _tag === "ChannelLeft"

const document = (actors: ReadonlyArray<Actor>) => {
  const cause = causeOf(actors)
  return (event: Event) => ({
    event: event._tag,
    by: cause(event) ?? null,
    signature: event.signature,
    slot: String(event.slot),
    path: event.path
  })
}

/** Filters the events of the actors, up to the last event of the story. */
const own =
  (actors: ReadonlyArray<Actor>) =>
  <E>(events: Stream.Stream<Event, E>): Stream.Stream<Event, E> => {
    const cause = causeOf(actors)
    return events.pipe(
      Stream.filter((event) => cause(event) !== undefined),
      Stream.takeUntil(isLast)
    )
  }

/** Prints the events of these actors live. Returns all of them after the last one, as read from the chain's history. */
export const listen = Effect.fnUntraced(function* (actors: ReadonlyArray<Actor>) {
  const { heard } = yield* Narrator
  const { batches, stream } = yield* ProtocolEvents.ProtocolEvents
  const cause = causeOf(actors)
  const begun = yield* Deferred.make<ProtocolEvents.Cursor, ProtocolEvents.EventsError>()
  const live = yield* batches({ from: "now" }).pipe(
    Stream.tap(({ cursor }) => Deferred.succeed(begun, cursor)),
    Stream.mapConcat(({ items }) => items.map(({ event }) => event)),
    own(actors),
    Stream.tap((event) =>
      heard(
        cause(event) ?? "",
        `${event._tag.padEnd(20)} slot ${String(event.slot).padEnd(4)} ${event.signature.slice(0, 16)}…`
      )
    ),
    Stream.runCollect,
    Effect.tapErrorCause((failure) => Deferred.failCause(begun, failure)),
    Effect.fork
  )
  const from = yield* Deferred.await(begun)
  return Effect.gen(function* () {
    const told = Chunk.toReadonlyArray(yield* Fiber.join(live)).map(document(actors))
    const kept = yield* stream({ from }).pipe(
      Stream.map(({ event }) => event),
      own(actors),
      Stream.runCollect
    )
    const events = Chunk.toReadonlyArray(kept).map(document(actors))
    if (JSON.stringify(told) !== JSON.stringify(events)) {
      return yield* Effect.dieMessage("the live events differ from the events in the history")
    }
    return events
  })
})
