/**
 * Combines several payload servers: a payload is written to some of them and read from any.
 *
 * - A round asks each server at most once. If it fails because of an unavailable server, it is repeated after a wait.
 *   Each operation is idempotent, because the hash names the bytes.
 * - A write counts the servers that stored the payload over all rounds, and asks only the others.
 * - A server that was unavailable is asked last for a while, so a silent one delays few calls.
 * - "Not found" needs the answer of every server. A body with another hash counts as no answer while another server may
 *   still give the right one.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Backoff from "../../services/internal/backoff.js"
import * as Clock from "../../services/internal/clock.js"
import * as Hex from "../../services/internal/hex.js"
import { type Backend, PayloadStoreError } from "../../services/PayloadStore.js"
import { RetryPolicy } from "../../services/RetryPolicy.js"
import * as Hash from "../../src/solana/Hash.js"
import { Failure, type Remote } from "./Remote.js"

export interface Settings {
  /** Number of servers to which a payload is written. */
  readonly copies: number
  readonly maxBytes: number
  /** Maximum rounds after the first. */
  readonly retries: number
}

/** Milliseconds for which an unavailable server is asked last. */
const DEMOTED = 300_000

const FIRST_WAIT = 200
const LONGEST_WAIT = 5000

/** The order in which failures of a round are reported: an unavailable server before a missing payload. */
const RANK: ReadonlyArray<PayloadStoreError["reason"]> = [
  "Unavailable",
  "Full",
  "Refused",
  "HashMismatch",
  "TooLarge",
  "NotFound"
]

const worst = (failures: ReadonlyArray<Failure>, key: string): Failure =>
  failures.reduce(
    (a, b) => (RANK.indexOf(b.error.reason) < RANK.indexOf(a.error.reason) ? b : a),
    new Failure(new PayloadStoreError({ reason: "NotFound", hash: key }))
  )

const repeated = <A>(round: Effect.Effect<A, Failure>, retries: number): Effect.Effect<A, PayloadStoreError> => {
  const from = (nth: number): Effect.Effect<A, PayloadStoreError> =>
    Effect.catchAll(round, ({ error, retryAfter }) =>
      nth >= retries || !error.isRetryable
        ? Effect.fail(error)
        : Backoff.fullJitter(FIRST_WAIT, LONGEST_WAIT, nth).pipe(
            Effect.flatMap((wait) => Effect.sleep(Math.max(wait, retryAfter))),
            Effect.zipRight(Effect.suspend(() => from(nth + 1)))
          )
    )
  return Effect.flatMap(RetryPolicy, (policy) => (policy === "never" ? Effect.mapError(round, toError) : from(0)))
}

const toError = ({ error }: Failure): PayloadStoreError => error

export const make = (servers: ReadonlyArray<Remote>, { copies, maxBytes, retries }: Settings): Backend => {
  /** The servers that were unavailable, with the end of their demotion. */
  const demoted = new Map<Remote, number>()

  /** All servers, in the order in which to ask them. */
  const inOrder: Effect.Effect<ReadonlyArray<Remote>> = Effect.suspend(() =>
    demoted.size === 0
      ? Effect.succeed(servers)
      : Effect.map(Clock.monotonicMillis, (now) => {
          const isLast = (server: Remote) => (demoted.get(server) ?? 0) > now
          return [...servers.filter((server) => !isLast(server)), ...servers.filter(isLast)]
        })
  )

  /** Notes whether the server answered. */
  const noted =
    (server: Remote) =>
    <A>(asked: Effect.Effect<A, Failure>): Effect.Effect<A, Failure> =>
      Effect.matchEffect(asked, {
        onFailure: (failure) =>
          Effect.zipRight(
            Effect.map(Clock.monotonicMillis, (now) => {
              if (failure.error.reason === "Unavailable") demoted.set(server, now + DEMOTED)
            }),
            Effect.fail(failure)
          ),
        onSuccess: (answer) => {
          demoted.delete(server)
          return Effect.succeed(answer)
        }
      })

  /** Asks the servers one after another until one answers. `isLast`: no other server can answer in this round or later. */
  const any = <A>(
    key: string,
    ask: (server: Remote, isLast: boolean) => Effect.Effect<Option.Option<A>, Failure>
  ): Effect.Effect<Option.Option<A>, Failure> =>
    Effect.gen(function* () {
      const failures: Array<Failure> = []
      for (const [index, server] of (yield* inOrder).entries()) {
        const isLast = index === servers.length - 1 && failures.every(({ error }) => !error.isRetryable)
        const answer = yield* Effect.either(noted(server)(ask(server, isLast)))
        if (answer._tag === "Left") failures.push(answer.left)
        else if (Option.isSome(answer.right)) return answer.right
      }
      const failure = worst(failures, key)
      return failure.error.reason === "NotFound" ? Option.none() : yield* Effect.fail(failure)
    })

  const write = (key: string, bytes: Uint8Array): Effect.Effect<void, PayloadStoreError> =>
    Effect.suspend(() => {
      const took = new Set<Remote>()
      const round = Effect.flatMap(inOrder, (ordered) => {
        const left = ordered.filter((server) => !took.has(server)).values()
        const failures: Array<Failure> = []
        /** Writes to the next server until one stores the payload. */
        const lane: Effect.Effect<void> = Effect.suspend(() => {
          const next = left.next()
          if (next.done === true) return Effect.void
          return Effect.matchEffect(noted(next.value)(next.value.put(key, bytes)), {
            onFailure: (failure) => {
              failures.push(failure)
              return lane
            },
            onSuccess: () => Effect.sync(() => void took.add(next.value))
          })
        })
        const wanted = copies - took.size
        const lanes = Array.from({ length: wanted }, () => lane)
        return Effect.zipRight(
          // One lane runs in the caller's fiber.
          wanted === 1 ? lane : Effect.all(lanes, { concurrency: "unbounded", discard: true }),
          Effect.suspend(() => (took.size >= copies ? Effect.void : Effect.fail(worst(failures, key))))
        )
      })
      return repeated(round, retries)
    })

  return {
    set: (key, bytes) =>
      bytes.length > maxBytes
        ? new PayloadStoreError({ reason: "TooLarge", hash: key, size: bytes.length })
        : write(key, bytes),
    get: (key) =>
      repeated(
        any(key, (server, isLast) =>
          Effect.flatMap(server.get(key), (bytes) =>
            // The caller verifies the bytes of the last server.
            isLast || Hex.encode(Hash.sha256(bytes)) === key
              ? Effect.succeedSome(bytes)
              : Effect.fail(new Failure(new PayloadStoreError({ reason: "HashMismatch", hash: key })))
          )
        ),
        retries
      ),
    has: (key) =>
      Effect.map(
        repeated(
          any(key, (server) =>
            Effect.map(server.has(key), (isThere) => (isThere ? Option.some(true) : Option.none<true>()))
          ),
          retries
        ),
        Option.isSome
      ),
    remove: (key) =>
      repeated(
        Effect.flatMap(
          Effect.partition(servers, (server) => server.remove(key), { concurrency: "unbounded" }),
          ([failures]) => (failures.length === 0 ? Effect.void : Effect.fail(worst(failures, key)))
        ),
        retries
      )
  }
}
