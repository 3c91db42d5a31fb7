/**
 * Prepares a message for its transaction: stores its payload, and builds the instruction that records the payload's
 * hash. If the instruction cannot be built or the caller leaves, the payload is abandoned.
 */
import type { Address } from "@solana/kit"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Utf8 from "../../src/internal/Utf8.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Envelope from "../../src/protocol/Envelope.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageId from "../../src/protocol/MessageId.js"
import { seed, Text } from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Random from "../internal/random.js"
import { PayloadStore, type PayloadStoreError } from "../PayloadStore.js"
import { isWallet } from "../program/agentAddress.js"
import * as Prepare from "../program/prepare.js"
import type { RpcError } from "../RpcTransport.js"
import { type SealedError, Sealing } from "../Sealing.js"
import { type SendOptions, Transactions } from "../Transactions.js"
import type * as Abandoned from "./abandoned.js"
import type { SendInput } from "./Input.js"
import * as Payloads from "./payloads.js"

const NO_ROOM = "is not possible in bare bytes: omit it, or omit raw"

/** The header of an envelope, which makes its bytes unique or reproducible. */
const envelope = ({ createdAt, id }: SendInput, now: number): Either.Either<Uint8Array, InvalidInput> =>
  id === undefined
    ? Envelope.header({ createdAt: createdAt ?? BigInt(now), id: Random.unsafeBytes(MessageId.SIZE) })
    : Either.flatMap(MessageId.toBytes(id), (id) => Envelope.header({ createdAt: createdAt ?? 0n, id }))

/** The bytes that the hash covers, in parts so that the payload need not be copied behind its header. */
const toStore = (input: SendInput, now: number): Either.Either<ReadonlyArray<Uint8Array>, InvalidInput> => {
  const { createdAt, id, payload, raw = false, recipient, type = Text } = input
  const invalid = Addresses.check(recipient, "recipient")
  if (invalid !== undefined) return Either.left(invalid)
  if (!isWallet(recipient)) {
    const rule = "must be the recipient's wallet: nobody could mark a message to another address as read"
    return Either.left(new InvalidInput({ field: "recipient", rule }))
  }
  if (input.seal === true && raw) {
    return Either.left(new InvalidInput({ field: "raw", rule: "excludes seal: bare bytes have no header for it" }))
  }
  return Either.flatMap(seed(type), () => {
    const bytes = typeof payload === "string" ? Utf8.encode(payload) : payload
    if (!raw) return Either.map(envelope(input, now), (header) => [header, bytes])
    if (id !== undefined) return Either.left(new InvalidInput({ field: "id", rule: NO_ROOM }))
    if (createdAt !== undefined) return Either.left(new InvalidInput({ field: "createdAt", rule: NO_ROOM }))
    return Either.right([bytes])
  })
}

/** Whether other sends may store the same bytes: true unless the envelope has a random id. */
const isShared = ({ id, raw = false }: SendInput): boolean => id !== undefined || raw

/** Whether an earlier send counts: by default true for a message with an id. */
export const isResent = ({ id }: SendInput, options: SendOptions | undefined): boolean | undefined =>
  options?.resend ?? (id === undefined ? undefined : true)

/** A message whose payload is stored: the instruction that records it, and the account that the instruction creates. */
export interface Outgoing {
  readonly address: Address
  readonly instruction: Instruction.ProgramInstruction
  readonly stored: Abandoned.Stored
}

const record = (
  programId: Address,
  wallet: Address,
  agent: Address,
  { recipient, type = Text }: SendInput,
  stored: Abandoned.Stored
): Either.Either<Outgoing, InvalidInput> => {
  const payloadHash = stored.hash
  const found = Pda.message({ sender: agent, recipient, payloadHash, type }, programId)
  if (Either.isLeft(found)) return Either.left(found.left)
  const { address } = found.right
  const fields = { wallet, agent, recipient, payloadHash, type, message: address, programId }
  return Either.map(Instruction.sendMessage(fields), (instruction) => ({ address, instruction, stored }))
}

/** Continues with a stored message in the remaining time. */
type Next<A, E, R> = (outgoing: Outgoing, timeout: Duration.DurationInput | undefined) => Effect.Effect<A, E, R>

type StoreError = InvalidInput | PayloadStoreError | RpcError | SealedError

/** Stores the payload, then runs `next` with the message. */
type Store = <A, E, R>(
  now: number,
  wallet: Address,
  agent: Address,
  input: SendInput,
  options: SendOptions | undefined,
  next: Next<A, E, R>
) => Effect.Effect<A, E | StoreError, R>

export const make = (
  programId: Address,
  { abandon, leave }: Abandoned.Abandoned
): Effect.Effect<Store, never, PayloadStore | Transactions> =>
  Effect.gen(function* () {
    const prepare = Prepare.make(yield* Transactions)
    const payloads = yield* PayloadStore
    const sealing = yield* Effect.serviceOption(Sealing)

    const store = <A, E, R>(
      now: number,
      wallet: Address,
      agent: Address,
      input: SendInput,
      options: SendOptions | undefined,
      next: Next<A, E, R>
    ): Effect.Effect<A, E | StoreError, R> => {
      const parts = toStore(input, now)
      if (Either.isLeft(parts)) return Effect.fail(parts.left)
      const { recipient, seal = false, type = Text } = input
      const zeroCopy = input.zeroCopy === true || seal || typeof input.payload === "string"
      const shared = isShared(input)
      let kept: Parameters<typeof payloads.put>[0] = parts.right
      const put = seal
        ? Payloads.seal(sealing, { programId, sender: agent, recipient, type }, parts.right, input).pipe(
            Effect.flatMap((sealed) => {
              kept = sealed
              return payloads.put(sealed, { zeroCopy })
            })
          )
        : payloads.put(parts.right, { zeroCopy })
      const goOn = (
        hash: Uint8Array,
        timeout: Duration.DurationInput | undefined
      ): Effect.Effect<A, E | InvalidInput, R> => {
        const stored = { hash, isShared: shared, signed: [] }
        const outgoing = record(programId, wallet, agent, input, stored)
        if (Either.isRight(outgoing)) return next(outgoing.right, timeout)
        abandon(stored, outgoing.left)
        return Effect.fail(outgoing.left)
      }
      return payloads.synchronous === true && !seal
        ? Effect.flatMap(put, (hash) => goOn(hash, options?.timeout))
        : prepare(options, "its payload was stored", put, goOn, shared ? undefined : () => leave(kept))
    }
    return store
  })
