/**
 * The three compressed instructions. They compress nothing: the published program counts, logs an event and stores no
 * content. It does not check that the counted participant belongs to the wallet, so their events do not prove the
 * sender.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { SYSTEM_PROGRAM } from "../../solana/Address.js"
import { agentOf, optional, participantOf } from "../internal/derivedAccounts.js"
import { checked } from "../internal/givenAddresses.js"
import type { MessageType } from "../MessageType.js"
import * as Pda from "../Pda.js"
import { COMPRESSION_PROGRAM } from "../Program.js"
import { assemble } from "./build.js"

/**
 * Accounts for compression programs. The program reads none of them. An omitted account defaults to the System program.
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
 * Input shared by the compressed instructions.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompressedInput {
  /** The acting wallet. Signs. */
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

const compressionOf = checked(
  {
    registeredProgram: "optional",
    noopProgram: "optional",
    accountCompressionAuthority: "optional",
    accountCompressionProgram: "optional",
    merkleTree: "optional",
    nullifierQueue: "optional",
    cpiAuthority: "optional"
  },
  (given: CompressionAccounts) =>
    Either.right({
      registeredProgramId: given.registeredProgram ?? SYSTEM_PROGRAM,
      noopProgram: given.noopProgram ?? SYSTEM_PROGRAM,
      accountCompressionAuthority: given.accountCompressionAuthority ?? SYSTEM_PROGRAM,
      accountCompressionProgram: given.accountCompressionProgram ?? SYSTEM_PROGRAM,
      merkleTree: given.merkleTree ?? SYSTEM_PROGRAM,
      nullifierQueue: given.nullifierQueue ?? SYSTEM_PROGRAM,
      cpiAuthorityPda: given.cpiAuthority ?? SYSTEM_PROGRAM
    }),
  "compression."
)

const carriedBy = (input: CompressedInput) =>
  Either.map(compressionOf(input.compression ?? {}), (compression) => ({
    ...compression,
    channelAccount: input.channel,
    feePayer: input.feePayer ?? input.wallet,
    authority: input.wallet,
    systemProgram: SYSTEM_PROGRAM
  }))

/**
 * Input of {@link broadcastMessageCompressed}.
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
  /** 1–100 letters and digits that identify the stored content. */
  readonly ipfsHash: string
  /** Default: the participant address of the wallet's agent. */
  readonly participant?: Address | undefined
}

/**
 * Announces content that is stored elsewhere. The program logs an event.
 *
 * @since 0.1.0
 * @category constructors
 */
export const broadcastMessageCompressed = checked(
  {
    wallet: "required",
    channel: "required",
    feePayer: "optional",
    participant: "optional",
    replyTo: "optional",
    programId: "optional"
  },
  (input: BroadcastMessageCompressedInput) =>
    Either.flatMap(carriedBy(input), (carried) =>
      assemble(
        {
          _tag: "BroadcastMessageCompressed",
          content: input.content,
          type: input.type,
          replyTo: Option.fromNullable(input.replyTo),
          ipfsHash: input.ipfsHash
        },
        {
          ...carried,
          participantAccount: participantOf(input, agentOf(input)),
          compressionProgram: COMPRESSION_PROGRAM
        },
        input.programId
      )
    )
)

/**
 * Input of {@link joinChannelCompressed}.
 *
 * @since 0.1.0
 * @category models
 */
export interface JoinChannelCompressedInput extends CompressedInput {
  /** 32 bytes. */
  readonly metadataHash: Uint8Array
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /**
   * For a private channel: `true` derives the wallet's invitation address; an address is used as it is. Default:
   * omitted.
   */
  readonly invitation?: Address | boolean | undefined
  /**
   * Default: the participant address of the agent. The published program ignores it; a corrected program needs it to
   * count each agent once.
   */
  readonly participant?: Address | undefined
}

/**
 * Counts an agent as a participant. The program logs an event.
 *
 * @since 0.1.0
 * @category constructors
 */
export const joinChannelCompressed = checked(
  {
    wallet: "required",
    channel: "required",
    feePayer: "optional",
    agent: "optional",
    participant: "optional",
    invitation: "derivable",
    programId: "optional"
  },
  (input: JoinChannelCompressedInput) => {
    const agentAccount = agentOf(input)
    return Either.flatMap(carriedBy(input), (carried) =>
      assemble(
        { _tag: "JoinChannelCompressed", metadataHash: input.metadataHash },
        {
          ...carried,
          agentAccount,
          invitationAccount: optional(
            input.invitation,
            () => Pda.invitation(input.channel, input.wallet, input.programId).address
          ),
          participantAccount: participantOf(input, agentAccount)
        },
        input.programId
      )
    )
  }
)

/**
 * Input of {@link batchSyncCompressedMessages}.
 *
 * @since 0.1.0
 * @category models
 */
export interface BatchSyncCompressedMessagesInput extends CompressedInput {
  /** At most 100 hashes of 32 bytes, none all zeros; 22 fit a plain transaction. */
  readonly messageHashes: ReadonlyArray<Uint8Array>
  /** Unix **seconds**, within an hour of the chain's time. */
  readonly syncTimestamp: bigint
}

/**
 * Records a batch of hashes. The program logs one event per hash. The wallet must be the channel's creator.
 *
 * @since 0.1.0
 * @category constructors
 */
export const batchSyncCompressedMessages = checked(
  { wallet: "required", channel: "required", feePayer: "optional", programId: "optional" },
  (input: BatchSyncCompressedMessagesInput) =>
    Either.flatMap(carriedBy(input), (carried) =>
      assemble(
        {
          _tag: "BatchSyncCompressedMessages",
          messageHashes: input.messageHashes,
          syncTimestamp: input.syncTimestamp
        },
        { ...carried, compressionProgram: COMPRESSION_PROGRAM },
        input.programId
      )
    )
)
