/** The inputs and options of `Message`. */
import type { Address } from "@solana/kit"
import type * as Duration from "effect/Duration"
import type * as MessageId from "../../src/protocol/MessageId.js"
import type { MessageType } from "../../src/protocol/MessageType.js"
import type * as Sealed from "../../src/protocol/Sealed.js"
import type { FollowOptions } from "../Follow.js"
import type { SendOptions } from "../Transactions.js"

/**
 * One direct message to send.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendInput {
  /**
   * The recipient's **wallet** address. An agent's own address (off the ed25519 curve) is `InvalidInput`, because nobody
   * could sign to mark such a message as delivered or read.
   */
  readonly recipient: Address
  /** The content of the message: bytes, or a text, which is encoded as UTF-8. */
  readonly payload: Uint8Array | string
  /** Default `Text`. */
  readonly type?: MessageType | undefined
  /**
   * Idempotency key: 16 bytes, or a text (such as a request's id), which is hashed. Sends with the same id, payload, type,
   * `createdAt` and recipient make one account, one payload and one receipt, across processes and crashes. The send
   * looks the account up first, and again if the program refuses a duplicate; `resend: false` turns both off. The same
   * id with another payload is another message. Two overlapping sends may both pay a transaction fee. Default: 16 random
   * bytes, so each send makes a new message.
   */
  readonly id?: MessageId.MessageId | undefined
  /**
   * Time of writing, in Unix **milliseconds**. The payload hash covers it. Default: the time of Effect's Clock, or 0 with
   * an `id`, because a second run must give the same bytes.
   */
  readonly createdAt?: bigint | undefined
  /**
   * Sends the bare bytes, without an envelope, as other SDKs of the protocol do. Default false. One agent can send the
   * same bare bytes to one recipient only once. A second send fails with `DuplicateMessage`, or returns the first
   * receipt with `resend: true`. Bare bytes have no room for `id` and `createdAt`.
   */
  readonly raw?: boolean | undefined
  /**
   * Gives the payload array itself to the payload store, without a copy. Default false. It may be a view of a
   * `SharedArrayBuffer` or of a mapped file. Do not write to it while the store keeps it. See `PayloadStore.PutOptions`
   * for stores that copy anyway. An encoded text is never copied.
   */
  readonly zeroCopy?: boolean | undefined
  /**
   * Encrypts the payload to the recipient, so that nobody else can read it. Default false. It needs the
   * `Sealing` service (`Pod.layer` provides it on Node), and with an `id` a sender's wallet that can derive secrets (one
   * of `WalletNode`). It excludes `raw`. Sender, recipient, time and size class stay public; see `docs/privacy.md`.
   */
  readonly seal?: boolean | undefined
  /**
   * The key to seal to. `published`: the key that the recipient's agent publishes, looked up by the `PublishedKeys` in
   * the context; `SealedError` with reason `NoPublishedKey` if there is none. `wallet`: the key of the recipient's
   * wallet; a wallet that only signs cannot open it. Default: the published key if `PublishedKeys` finds one, else the
   * wallet's. A failed look-up is an error; the wallet's key is never a substitute. No effect without `seal`.
   *
   * If the recipient publishes another key, a later send with the same `id` is another message.
   */
  readonly sealTo?: Sealed.KeyKind | undefined
}

/**
 * Options of `sendAll`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SendAllOptions extends SendOptions {
  /**
   * Maximum number of transactions in flight. Default 16. Too low: each transaction waits for earlier confirmations. Too
   * high: the endpoint's rate limit refuses calls.
   */
  readonly concurrency?: number | undefined
}

/**
 * Options of reading a payload.
 *
 * @since 0.1.0
 * @category models
 */
export interface PayloadOptions {
  /** Returns the stored bytes unchanged: without decoding an envelope, and without opening a sealed payload. Default false. */
  readonly raw?: boolean | undefined
  /**
   * How long to wait for a payload that the store does not have yet. The call retries with growing intervals up to 5
   * seconds. Default: no wait. Too low: `PayloadNotFound` for a payload that arrives a little later. Too high: the
   * caller waits long for a payload that never arrives.
   */
  readonly wait?: Duration.DurationInput | undefined
}

/**
 * Options of `inbox` and `outbox`.
 *
 * @since 0.1.0
 * @category models
 */
export interface MailboxOptions {
  /**
   * Emits the existing messages, then each new one as it arrives. Default false: the Stream ends after the existing ones.
   * Each message is emitted once; a change of its status emits nothing. A message that the node failed to notify
   * arrives at the next resync: see `FollowOptions.resyncInterval`.
   */
  readonly follow?: boolean | FollowOptions | undefined
}
