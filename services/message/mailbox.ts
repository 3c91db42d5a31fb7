/** Inbox and outbox: listings of messages, on request with payloads. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Stream from "effect/Stream"
import type { DirectMessage } from "../../src/protocol/Account.js"
import type { FollowError, Listing, ListError, ProgramAccount } from "../ProgramAccount.js"
import type { MailboxOptions, PayloadOptions } from "./Input.js"
import type { PayloadError } from "./payloads.js"

/**
 * A message with its payload, or with the error of reading it.
 *
 * @since 0.1.0
 * @category models
 */
export interface MessageWithPayload {
  readonly message: ProgramAccount<DirectMessage>
  readonly payload: Either.Either<Uint8Array, PayloadError>
}

/**
 * The inbox or outbox with payloads.
 *
 * @since 0.1.0
 * @category models
 */
export type PayloadListing = (
  address: Address,
  options: MailboxOptions & {
    /**
     * Reads the payload of each message, up to 8 at a time: `true`, or the options of reading. A failed payload does
     * not end the stream.
     */
    readonly payloads: true | PayloadOptions
  }
) => Stream.Stream<MessageWithPayload, FollowError>

const PAYLOADS_AT_A_TIME = 8

/** Adds the option `payloads` to a listing. */
export const make = (
  payload: (message: ProgramAccount<DirectMessage>, options: PayloadOptions) => Effect.Effect<Uint8Array, PayloadError>,
  list: (address: Address, options: MailboxOptions) => Stream.Stream<ProgramAccount<DirectMessage>, FollowError>
): PayloadListing & Listing<DirectMessage, MailboxOptions> => {
  function typed(
    address: Address,
    options: MailboxOptions & { readonly payloads: true | PayloadOptions }
  ): Stream.Stream<MessageWithPayload, FollowError>
  function typed(
    address: Address,
    options?: MailboxOptions & { readonly follow?: false | undefined }
  ): Stream.Stream<ProgramAccount<DirectMessage>, ListError>
  function typed(address: Address, options?: MailboxOptions): Stream.Stream<ProgramAccount<DirectMessage>, FollowError>
  function typed(
    address: Address,
    { payloads, ...options }: MailboxOptions & { readonly payloads?: true | PayloadOptions } = {}
  ) {
    const messages = list(address, options)
    if (payloads === undefined) return messages
    const how = payloads === true ? {} : payloads
    return Stream.mapEffect(
      messages,
      (message) => Effect.map(Effect.either(payload(message, how)), (payload) => ({ message, payload })),
      { concurrency: PAYLOADS_AT_A_TIME }
    )
  }
  return typed
}
