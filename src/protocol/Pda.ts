/**
 * The program-derived addresses of the protocol.
 *
 * All functions are synchronous and return the canonical bump. Functions whose input may be an invalid seed (a channel
 * name, a message type) return an `Either`. Its error also reports a text that is not an address. The other functions
 * take only addresses. There, such a text is a defect and throws `InvalidInput` with the parameter's name.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Check from "../internal/check.js"
import { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "../solana/Address.js"
import * as ProgramAddress from "../solana/ProgramAddress.js"
import { KnownAddresses } from "./internal/KnownAddresses.js"
import * as Seeds from "./internal/seeds.js"
import * as MessageType from "./MessageType.js"
import { MAX_CHANNEL_NAME_BYTES, PROGRAM_ID } from "./Program.js"

const utf8 = new TextEncoder()

const HASH_SIZE = 32

// Caches of addresses that are used repeatedly. A message's address is new each time, so it has no cache.
const agents = new KnownAddresses()
const channels = new KnownAddresses()
const participants = new KnownAddresses()

const caches = [agents, channels, participants]

/** Bytes of a cached address with its key: 1 MB for the 4,096 addresses of a program. */
const CACHED_BYTES = 256

/**
 * Approximate bytes that the caches of derived addresses hold.
 *
 * @since 0.1.0
 * @category caches
 */
export const cachedBytes = (): number => caches.reduce((sum, { size }) => sum + size * CACHED_BYTES, 0)

/**
 * Empties the caches of derived addresses, and returns approximately how many bytes that frees. The next use of an
 * address derives it again, at about thirty times the cost of a hit.
 *
 * @since 0.1.0
 * @category caches
 */
export const clearCache = (): number => {
  const freed = cachedBytes()
  for (const cache of caches) cache.clear()
  return freed
}

/** Derives an address from seeds that are known to be valid. */
const derive = (seeds: ReadonlyArray<Uint8Array>, programId: Address): ProgramAddress.ProgramAddress => {
  const refused = Addresses.check(programId, "programId")
  if (refused !== undefined) throw refused
  return ProgramAddress.findUnsafe(seeds, programId)
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
  agents.get(programId, wallet, "") ?? agents.set(programId, wallet, "", derive(Seeds.agent(wallet), programId))

/**
 * The agent account of a wallet, by the bump that the account stores. `None` if no address has these seeds. An address
 * that {@link agent} has derived with this bump is not derived again.
 *
 * @since 0.1.0
 * @category constructors
 */
export const agentOfBump = (wallet: Address, bump: number, programId: Address = PROGRAM_ID): Option.Option<Address> => {
  const known = agents.get(programId, wallet, "")
  return known?.bump === bump
    ? Option.some(known.address)
    : ProgramAddress.create([...Seeds.agentOnce(wallet), Uint8Array.of(bump)], programId)
}

/**
 * The account of a direct message. `sender` is the sender's **agent** address. `recipient` is the recipient's wallet,
 * which alone can mark the message read. `payloadHash` has 32 bytes.
 *
 * The address has no nonce: the same sender, hash, recipient and type give the same address. Fails if `payloadHash` is
 * not 32 bytes, or for a custom type above 251.
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
): Either.Either<ProgramAddress.ProgramAddress, InvalidInput> => {
  const { payloadHash, recipient, sender } = seeds
  const refused =
    Addresses.check(sender, "sender") ??
    Addresses.check(recipient, "recipient") ??
    Addresses.check(programId, "programId")
  if (refused !== undefined) return Either.left(refused)
  return payloadHash.length === HASH_SIZE
    ? Either.flatMap(MessageType.seed(seeds.type), (type) =>
        ProgramAddress.find(Seeds.message(sender, recipient, payloadHash, type), programId)
      )
    : Either.left(
        new InvalidInput({ field: "payloadHash", rule: `must be ${HASH_SIZE} bytes`, size: payloadHash.length })
      )
}

/**
 * The account of a channel. `creator` is a **wallet**. The seed is the UTF-8 of the name, untrimmed. Fails for a name
 * above 32 bytes.
 *
 * Renaming a channel keeps its address: store the address, and do not derive it from the current name.
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
  const refused = Addresses.check(creator, "creator") ?? Addresses.check(programId, "programId")
  if (refused !== undefined) return Either.left(refused)
  const bytes = utf8.encode(name)
  return bytes.length <= MAX_CHANNEL_NAME_BYTES
    ? Either.map(ProgramAddress.find(Seeds.channel(creator, bytes), programId), (found) =>
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
 * The account of an **agent**'s membership of a channel.
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
  participants.set(programId, channel, agent, derive(Seeds.participant(channel, agent), programId))

/**
 * The account of a **wallet**'s invitation to a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const invitation = (
  channel: Address,
  invitee: Address,
  programId: Address = PROGRAM_ID
): ProgramAddress.ProgramAddress => derive(Seeds.invitation(channel, invitee), programId)

/**
 * The account of a **wallet**'s deposit for a channel.
 *
 * @since 0.1.0
 * @category constructors
 */
export const escrow = (
  channel: Address,
  depositor: Address,
  programId: Address = PROGRAM_ID
): ProgramAddress.ProgramAddress => derive(Seeds.escrow(channel, depositor), programId)

/**
 * The account of a message broadcast in a channel. `sender` is the **wallet**. `nonce` is a number that the sender uses
 * once per channel. Fails if the nonce is not a u64.
 *
 * @since 0.1.0
 * @category constructors
 */
export const channelMessage = (
  channel: Address,
  sender: Address,
  nonce: bigint,
  programId: Address = PROGRAM_ID
): Either.Either<ProgramAddress.ProgramAddress, InvalidInput> => {
  const refused =
    Addresses.check(channel, "channel") ?? Addresses.check(sender, "sender") ?? Addresses.check(programId, "programId")
  if (refused !== undefined) return Either.left(refused)
  return Either.flatMap(Check.bigInteger("nonce", nonce), (nonce) =>
    ProgramAddress.find(Seeds.channelMessage(channel, sender, nonce), programId)
  )
}
