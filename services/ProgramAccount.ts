/**
 * The accounts of the program as the services return them, and the errors of reads and writes.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Arr from "effect/Array"
import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import { printable } from "../src/internal/printable.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { AccountDecodeError } from "../src/protocol/Account.js"
import type { ProgramError } from "../src/protocol/ProgramError.js"
import * as SafeText from "../src/SafeText.js"
import * as Turns from "./internal/eventLoop.js"
import type { AccountInfo } from "./RpcPool.js"
import type { RpcError, SubscriptionError } from "./RpcTransport.js"
import type { Receipt, TransactionError } from "./Transactions.js"
import type { WalletError } from "./Wallet.js"

/**
 * A decoded account of the program together with the address it was read from.
 *
 * @since 0.1.0
 * @category models
 */
export interface ProgramAccount<A> {
  /** The account's address. Keep it: the content does not always determine it (a renamed channel). */
  readonly address: Address
  /** The decoded content. */
  readonly account: A
}

/** Accounts per part of a list. A part is decoded in a fraction of a millisecond. */
const PART = 256

/**
 * Decodes many accounts, in the given order. It yields to the event loop after each 1024 accounts. An account that cannot be
 * decoded fails the whole call.
 *
 * @example
 * ```ts
 * import { ProgramAccount, RpcPool } from "@pod-protocol/effect"
 * import { decodeAgent, discriminator } from "@pod-protocol/effect/protocol/Account"
 * import { PROGRAM_ID } from "@pod-protocol/effect/protocol/Program"
 * import * as Effect from "effect/Effect"
 *
 * export const allAgents = Effect.gen(function* () {
 *   const rpc = yield* RpcPool.RpcPool
 *   const { value } = yield* rpc.getProgramAccounts(PROGRAM_ID, {
 *     filters: [{ memcmp: { offset: 0, bytes: discriminator("AgentAccount") } }]
 *   })
 *   return yield* ProgramAccount.decodeMany(value, decodeAgent)
 * })
 * ```
 *
 * @since 0.1.0
 * @category decoding
 */
export const decodeMany = <A, E>(
  accounts: Iterable<AccountInfo>,
  decode: (bytes: Uint8Array) => Either.Either<A, E>
): Effect.Effect<ReadonlyArray<ProgramAccount<A>>, E> =>
  Turns.flatMap(Turns.partsOf(Arr.fromIterable(accounts), PART), (part) => {
    const decoded: Array<ProgramAccount<A>> = []
    for (const { address, data } of part) {
      const account = decode(data)
      if (Either.isLeft(account)) return Either.left(account.left)
      decoded.push({ address, account: account.right })
    }
    return Either.right(decoded)
  })

/**
 * The receipt of a write: the transaction reached the requested commitment and created or changed this account.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountReceipt extends Receipt {
  /** The account that the instruction created or changed. */
  readonly address: Address
}

/**
 * The program has no account at this address: it was never created, or the account there belongs to another program.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccountNotFound extends printable(
  Schema.TaggedError<AccountNotFound>("@pod-protocol/effect/AccountNotFound")("AccountNotFound", {
    /** The expected type of the account. */
    account: Schema.Literal(
      "AgentAccount",
      "DirectMessage",
      "ChannelAccount",
      "ChannelParticipant",
      "ChannelInvitation",
      "ChannelMessage",
      "EscrowAccount"
    ),
    address: SafeText.Schema()
  })
) {
  /** Always false: the account must be created first. */
  readonly isRetryable = false

  override get message(): string {
    return `No ${this.account} of this program at ${this.address}: make it first, or check the address and the cluster`
  }
}

/**
 * The errors of reading one account: `InvalidInput` for an invalid address, and `RpcError` with reason `Decode` also if the
 * endpoint answers with the data of another account.
 *
 * @since 0.1.0
 * @category errors
 */
export type ReadError = AccountDecodeError | AccountNotFound | InvalidInput | RpcError

/**
 * The errors of a listing: `InvalidInput` for an invalid address, and `RpcError`.
 *
 * A bad account does not fail the listing. The listing leaves out an account if another program owns it, if it does not
 * match the filters, or if the list has it twice. It also leaves out an account that cannot be decoded, or whose fields
 * give another address. It logs these accounts as a warning and counts them in `Metrics.accountsRefused`.
 *
 * @since 0.1.0
 * @category errors
 */
export type ListError = InvalidInput | RpcError

/**
 * The errors of a listing that follows changes: also `InvalidInput` for an option out of range, and `SubscriptionError` if
 * the endpoint refuses the subscription.
 *
 * @since 0.1.0
 * @category errors
 */
export type FollowError = ListError | SubscriptionError

/**
 * A listing with the option `follow`. Without it, the Stream ends after the last account and can fail with a `ListError`.
 * With it, the Stream continues with new accounts and can fail with a `FollowError`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listing<A, Options extends { readonly follow?: unknown }> {
  (
    address: Address,
    options?: Options & { readonly follow?: false | undefined }
  ): Stream.Stream<ProgramAccount<A>, ListError>
  (address: Address, options?: Options): Stream.Stream<ProgramAccount<A>, FollowError>
}

/**
 * The errors of a write: `InvalidInput` before any I/O, `WalletError` if the wallet did not sign, and `RpcError` if the
 * endpoint did not answer. `ProgramError` if the program refused, and `TransactionError` if the transaction failed for
 * another reason or did not land.
 *
 * @since 0.1.0
 * @category errors
 */
export type WriteError = InvalidInput | ProgramError | RpcError | TransactionError | WalletError
