/**
 * The three compressed instructions. They compress nothing: the published program counts, logs an event and keeps no
 * content, and does not check whose participant it counts for. Do not take their events as proof of who spoke.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import type * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { InvalidInput } from "../../InvalidInput.js"
import { SYSTEM_PROGRAM } from "../../solana/Address.js"
import type { MessageType } from "../MessageType.js"
import * as Pda from "../Pda.js"
import { COMPRESSION_PROGRAM } from "../Program.js"
import { agentOf, optional, participantOf } from "../internal/derivedAccounts.js"
import { make, type ProgramInstruction } from "./build.js"

/**
 * The accounts that are carried for compression programs. The program looks at none of them, so that each may be left
 * out: the System program then takes its place.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressionAccounts {
  readonly registeredProgram?: Address | undefined
  readonly noopProgram?: Address | undefined
  readonly accountCompressionAuthority?: Address | undefined
  readonly accountCompressionProgram?: Address | undefined
  readonly merkleTree?: Address | undefined
  readonly nullifierQueue?: Address | undefined
  readonly cpiAuthority?: Address | undefined
}

/**
 * What the compressed instructions have in common.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressedInput {
  /** The wallet that acts. Signs. */
  readonly wallet: Address
  /** The channel's address. */
  readonly channel: Address
  /** Pays; signs. Default: the wallet. */
  readonly feePayer?: Address | undefined
  /** Default: the System program for each. */
  readonly compression?: CompressionAccounts | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

const carried = (input: CompressedInput) => {
  const { compression } = input
  return {
    channelAccount: input.channel,
    feePayer: input.feePayer ?? input.wallet,
    authority: input.wallet,
    systemProgram: SYSTEM_PROGRAM,
    registeredProgramId: compression?.registeredProgram ?? SYSTEM_PROGRAM,
    noopProgram: compression?.noopProgram ?? SYSTEM_PROGRAM,
    accountCompressionAuthority: compression?.accountCompressionAuthority ?? SYSTEM_PROGRAM,
    accountCompressionProgram: compression?.accountCompressionProgram ?? SYSTEM_PROGRAM,
    merkleTree: compression?.merkleTree ?? SYSTEM_PROGRAM,
    nullifierQueue: compression?.nullifierQueue ?? SYSTEM_PROGRAM,
    cpiAuthorityPda: compression?.cpiAuthority ?? SYSTEM_PROGRAM
  }
}

/**
 * What {@link broadcastMessageCompressed} takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface BroadcastMessageCompressedInput extends CompressedInput {
  /** About 633 bytes of UTF-8 fit a plain transaction. Not stored. */
  readonly content: string
  readonly type: MessageType
  /** Default: none. Not stored. */
  readonly replyTo?: Address | undefined
  /** 1–100 letters and digits that say where the content lies. */
  readonly ipfsHash: string
  /** Default: the participant address of the wallet's agent. */
  readonly participant?: Address | undefined
}

/**
 * Announces content that lies elsewhere, by an event.
 *
 * @since 0.1.0
 * @category constructors
 */
export const broadcastMessageCompressed = (
  input: BroadcastMessageCompressedInput
): Either.Either<ProgramInstruction, InvalidInput> =>
  make(
    {
      _tag: "BroadcastMessageCompressed",
      content: input.content,
      type: input.type,
      replyTo: Option.fromNullable(input.replyTo),
      ipfsHash: input.ipfsHash
    },
    {
      ...carried(input),
      participantAccount: participantOf(input, agentOf(input)),
      compressionProgram: COMPRESSION_PROGRAM
    },
    input.programId
  )

/**
 * What {@link joinChannelCompressed} takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface JoinChannelCompressedInput extends CompressedInput {
  /** 32 bytes. */
  readonly metadataHash: Uint8Array
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** For a private channel: `true` for the wallet's invitation address, or that address. Default: left out. */
  readonly invitation?: Address | boolean | undefined
  /**
   * Default: the participant address of the agent. The published program knows no such account and ignores it; a
   * corrected one needs it, to count nobody twice.
   */
  readonly participant?: Address | undefined
}

/**
 * Counts an agent as a participant, and announces it by an event.
 *
 * @since 0.1.0
 * @category constructors
 */
export const joinChannelCompressed = (
  input: JoinChannelCompressedInput
): Either.Either<ProgramInstruction, InvalidInput> => {
  const agentAccount = agentOf(input)
  return make(
    { _tag: "JoinChannelCompressed", metadataHash: input.metadataHash },
    {
      ...carried(input),
      agentAccount,
      invitationAccount: optional(
        input.invitation,
        () => Pda.invitation(input.channel, input.wallet, input.programId).address
      ),
      participantAccount: participantOf(input, agentAccount)
    },
    input.programId
  )
}

/**
 * What {@link batchSyncCompressedMessages} takes.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchSyncCompressedMessagesInput extends CompressedInput {
  /** At most 100 of 32 bytes, none all zeros; 22 fit a plain transaction. */
  readonly messageHashes: ReadonlyArray<Uint8Array>
  /** Unix **seconds**, within an hour of the chain's time. */
  readonly syncTimestamp: bigint
}

/**
 * Records a batch of hashes, by an event each. The wallet must be the channel's creator.
 *
 * @since 0.1.0
 * @category constructors
 */
export const batchSyncCompressedMessages = (
  input: BatchSyncCompressedMessagesInput
): Either.Either<ProgramInstruction, InvalidInput> =>
  make(
    {
      _tag: "BatchSyncCompressedMessages",
      messageHashes: input.messageHashes,
      syncTimestamp: input.syncTimestamp
    },
    { ...carried(input), compressionProgram: COMPRESSION_PROGRAM },
    input.programId
  )
