import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Account from "../../src/protocol/Account.js"
import * as Envelope from "../../src/protocol/Envelope.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import type { Sent } from "./Workload.js"

/** Addresses of messages, by their text. */
export type Truth = ReadonlyMap<string, ReadonlyArray<Address>>

/** A sender's result, compared with the chain. */
export type Verdict = "landedOnce" | "landedTwice" | "lost" | "failedTruly" | "failedFalsely"

const utf8 = new TextDecoder()

/** The text in an envelope, or the text of bare bytes. */
const textOf = (bytes: Uint8Array): string =>
  utf8.decode(Either.match(Envelope.decode(bytes), { onLeft: () => bytes, onRight: ({ payload }) => payload }))

/** Reads all messages of the chain. With a pool without faults, it bypasses the faults. */
export const truth: Effect.Effect<Truth, never, PayloadStore.PayloadStore | RpcPool.RpcPool> = Effect.gen(function* () {
  const pool = yield* RpcPool.RpcPool
  const payloads = yield* PayloadStore.PayloadStore
  const { value } = yield* pool.getProgramAccounts(PROGRAM_ID, {
    commitment: "processed",
    filters: [{ memcmp: { offset: 0, bytes: Account.discriminator("DirectMessage") } }]
  })
  const found = new Map<string, Array<Address>>()
  for (const { address, data } of value) {
    const { payloadHash } = yield* Account.decodeDirectMessage(data)
    const text = textOf(yield* payloads.get(payloadHash))
    found.set(text, [...(found.get(text) ?? []), address])
  }
  return found
}).pipe(Effect.orDie)

export const verdict = (truth: Truth, { text, told }: Sent): Verdict => {
  const addresses = truth.get(text) ?? []
  if (addresses.length > 1) return "landedTwice"
  if (told._tag === "Failed") return addresses.length === 0 ? "failedTruly" : "failedFalsely"
  const isThere = told.address === undefined ? addresses.length > 0 : addresses.includes(told.address)
  return isThere ? "landedOnce" : "lost"
}
