/**
 * Instructions about direct messages.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import { SYSTEM_PROGRAM } from "../../solana/Address.js"
import { agentOf } from "../internal/derivedAccounts.js"
import { checked } from "../internal/givenAddresses.js"
import type { MessageStatus, MessageType } from "../MessageType.js"
import * as Pda from "../Pda.js"
import { assemble } from "./build.js"

/**
 * Input of {@link sendMessage}.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendMessageInput {
  /** The sender's wallet. Signs, and pays the rent. */
  readonly wallet: Address
  /** The recipient's **wallet**: a message to an agent address can never be marked read. */
  readonly recipient: Address
  /** 32 bytes, by convention the SHA-256 of the payload. */
  readonly payloadHash: Uint8Array
  readonly type: MessageType
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the address derived from agent, recipient, hash and type. */
  readonly message?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Records the hash of a direct message. Fails for a custom type above 251, which has no address.
 *
 * @since 0.1.0
 * @category constructors
 */
export const sendMessage = checked(
  { wallet: "required", recipient: "required", agent: "optional", message: "optional", programId: "optional" },
  (input: SendMessageInput) => {
    const { payloadHash, programId, recipient, type, wallet } = input
    const sender = agentOf(input)
    const message =
      input.message === undefined
        ? Either.map(Pda.message({ sender, recipient, payloadHash, type }, programId), ({ address }) => address)
        : Either.right(input.message)
    return Either.flatMap(message, (messageAccount) =>
      assemble(
        { _tag: "SendMessage", recipient, payloadHash, type },
        { messageAccount, senderAgent: sender, signer: wallet, systemProgram: SYSTEM_PROGRAM },
        programId
      )
    )
  }
)

/**
 * Input of {@link updateMessageStatus}.
 *
 * @since 0.1.0
 * @category models
 */
export interface UpdateMessageStatusInput {
  /** The wallet of the sender or recipient, which must have an agent. Signs. */
  readonly wallet: Address
  /** The message's address. */
  readonly message: Address
  readonly status: MessageStatus
  /** Default: the wallet's agent address. */
  readonly agent?: Address | undefined
  /** Default: the published program. */
  readonly programId?: Address | undefined
}

/**
 * Changes the status of a direct message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const updateMessageStatus = checked(
  { wallet: "required", message: "required", agent: "optional", programId: "optional" },
  (input: UpdateMessageStatusInput) =>
    assemble(
      { _tag: "UpdateMessageStatus", status: input.status },
      {
        messageAccount: input.message,
        recipientAgent: agentOf(input),
        signer: input.wallet
      },
      input.programId
    )
)
