/** Reads bodies of HTTP replies up to a limit, whatever their `content-length` says. */
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const FIRST_BYTES = 64 * 1024

/** Maximum bytes that are reserved because a server states them. Above it, the array grows with the received bytes. */
export const MAX_STATED = 64 * 1024 * 1024

/** Ends the connection of an unwanted body: the client closes it when the body's stream is interrupted. */
export const cut = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<void> =>
  Effect.raceFirst(Effect.ignore(Stream.runDrain(response.stream)), Effect.yieldNow())

/** Collects a body into one array, which grows with the received bytes. `undefined` if the body exceeds the limit. */
export const collect = <E>(
  stream: Stream.Stream<Uint8Array, E>,
  expected: number,
  maxBytes: number
): Effect.Effect<Uint8Array | undefined, E> =>
  Effect.suspend(() => {
    const first = expected > 0 && expected <= maxBytes ? Math.min(expected, MAX_STATED) : FIRST_BYTES
    let bytes = new Uint8Array(Math.min(first, maxBytes))
    let size = 0
    const isWithin = (chunk: Uint8Array): boolean => {
      const end = size + chunk.length
      if (end > maxBytes) {
        size = end
        return false
      }
      if (end > bytes.length) {
        const larger = new Uint8Array(Math.min(maxBytes, Math.max(end, bytes.length * 2)))
        larger.set(bytes.subarray(0, size))
        bytes = larger
      }
      bytes.set(chunk, size)
      size = end
      return true
    }
    return Effect.map(Stream.runDrain(Stream.takeWhile(stream, isWithin)), () =>
      size > maxBytes ? undefined : bytes.subarray(0, size)
    )
  })
