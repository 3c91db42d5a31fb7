/**
 * Where the program keeps its accounts: every program-derived address of the protocol.
 *
 * All functions are synchronous and give the canonical bump. The ones whose input may be impossible as a seed (a
 * channel name, a message type) return an `Either`, which `Effect.gen` yields as it is.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Check from "../internal/check.js"
import { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "../solana/Address.js"
import * as ProgramAddress from "../solana/ProgramAddress.js"
import { KnownAddresses } from "./internal/KnownAddresses.js"
import * as MessageType from "./MessageType.js"
import { MAX_CHANNEL_NAME_BYTES, PROGRAM_ID } from "./Program.js"

const utf8 = new TextEncoder()
const AGENT = utf8.encode("agent")
const MESSAGE = utf8.encode("message")
const CHANNEL = utf8.encode("channel")
const PARTICIPANT = utf8.encode("participant")
const INVITATION = utf8.encode("invitation")
const ESCROW = utf8.encode("escrow")
const CHANNEL_MESSAGE = utf8.encode("channel_message")

const HASH_SIZE = 32

// Those that are asked for again and again. A message's address is new each time.
const agents = new KnownAddresses()
const channels = new KnownAddresses()
const participants = new KnownAddresses()

const u64 = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

/**
 * The agent account of a wallet.
 *
 * @example
 * import * as Pda from "@pod-protocol/effect/protocol/Pda"
 * import { address } from "@solana/kit"
 *
 * const agent = Pda.agent(address("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9"))
 * // => { address: "B6udLRYHWG9nJaa7RGouJ3MJr7EHDrAnXfB23bAS9mKG", bump: 252 }
 *
 * @since 0.1.0
 * @category constructors
 */
export const agent = (wallet: Address, programId: Address = PROGRAM_ID): ProgramAddress.ProgramAddress =>
  agents.get(programId, wallet, "") ??
  agents.set(programId, wallet, "", ProgramAddress.findUnsafe([AGENT, Addresses.toBytes(wallet)], programId))

/**
 * A direct message. `sender` is the sender's **agent** address, `recipient` the address that the message is for (the
 * recipient's wallet, so that he can mark it read), `payloadHash` 32 bytes.
 *
 * The address has no nonce: the same hash, recipient and type make the same address. Fails if `payloadHash` is not 32
 * bytes, or for a custom type above 251.
 *
 * @since 0.1.0
 * @category constructors
 */
export const message = (
  seeds: {
    readonly sender: Address
    readonly recipient: Address
    readonly payloadHash: Uint8Array
    readonly type: MessageType.MessageType
  },
  programId: Address = PROGRAM_ID
): Either.Either<ProgramAddress.ProgramAddress, InvalidInput> =>
  seeds.payloadHash.length === HASH_SIZE
    ? Either.flatMap(MessageType.seed(seeds.type), (type) =>
        ProgramAddress.find(
          [
            MESSAGE,
            Addresses.toBytes(seeds.sender),
            Addresses.toBytes(seeds.recipient),
            seeds.payloadHash,
            Uint8Array.of(type)
          ],
          programId
        )
      )
    : Either.left(
        new InvalidInput({ field: "payloadHash", rule: `must be ${HASH_SIZE} bytes`, size: seeds.payloadHash.length })
      )

/**
 * A channel. `creator` is a **wallet**; the name's UTF-8 bytes are the seed as they are, untrimmed. Fails for a name
 * above 32 bytes.
 *
 * Renaming a channel does not move it: keep the address, never derive it from a stored name.
 *
 * @since 0.1.0
 * @category constructors
 */
export const channel = (
  creator: Address,
  name: string,
  programId: Address = PROGRAM_ID
): Either.Either<ProgramAddress.ProgramAddress, InvalidInput> => {
  const known = channels.get(programId, creator, name)
  if (known !== undefined) return Either.right(known)
  const bytes = utf8.encode(name)
  return bytes.length <= MAX_CHANNEL_NAME_BYTES
    ? Either.map(ProgramAddress.find([CHANNEL, Addresses.toBytes(creator), bytes], programId), (found) =>
        channels.set(programId, creator, name, found)
      )
    : Either.left(
        new InvalidInput({
          field: "name",
          rule: `must be at most ${MAX_CHANNEL_NAME_BYTES} bytes of UTF-8`,
          size: bytes.length
        })
      )
}

/**
 * An **agent**'s membership of a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const participant = (
  channel: Address,
  agent: Address,
  programId: Address = PROGRAM_ID
): ProgramAddress.ProgramAddress =>
  participants.get(programId, channel, agent) ??
  participants.set(
    programId,
    channel,
    agent,
    ProgramAddress.findUnsafe([PARTICIPANT, Addresses.toBytes(channel), Addresses.toBytes(agent)], programId)
  )

/**
 * The invitation of a **wallet** to a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const invitation = (
  channel: Address,
  invitee: Address,
  programId: Address = PROGRAM_ID
): ProgramAddress.ProgramAddress =>
  ProgramAddress.findUnsafe([INVITATION, Addresses.toBytes(channel), Addresses.toBytes(invitee)], programId)

/**
 * What a **wallet** has deposited for a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const escrow = (
  channel: Address,
  depositor: Address,
  programId: Address = PROGRAM_ID
): ProgramAddress.ProgramAddress =>
  ProgramAddress.findUnsafe([ESCROW, Addresses.toBytes(channel), Addresses.toBytes(depositor)], programId)

/**
 * A message broadcast in a channel. `sender` is the **wallet**, `nonce` a number that the sender uses once per channel.
 * Fails for a nonce that is no u64.
 *
 * @since 0.1.0
 * @category constructors
 */
export const channelMessage = (
  channel: Address,
  sender: Address,
  nonce: bigint,
  programId: Address = PROGRAM_ID
): Either.Either<ProgramAddress.ProgramAddress, InvalidInput> =>
  Either.flatMap(Check.bigInteger("nonce", nonce), (nonce) =>
    ProgramAddress.find([CHANNEL_MESSAGE, Addresses.toBytes(channel), Addresses.toBytes(sender), u64(nonce)], programId)
  )
