/** Reads payloads of direct messages, waits for them, seals and opens them. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Check from "../../src/internal/check.js"
import { printable } from "../../src/internal/printable.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import type { DirectMessage } from "../../src/protocol/Account.js"
import type * as Envelope from "../../src/protocol/Envelope.js"
import * as Sealed from "../../src/protocol/Sealed.js"
import * as SafeText from "../../src/SafeText.js"
import * as Backoff from "../internal/backoff.js"
import * as Clock from "../internal/clock.js"
import * as Hex from "../internal/hex.js"
import type { PayloadStoreError, Service as Store } from "../PayloadStore.js"
import * as Keys from "../program/sealingKeys.js"
import type { ProgramAccount, ReadError } from "../ProgramAccount.js"
import { SealedError, type Service as Sealing } from "../Sealing.js"
import { Wallet } from "../Wallet.js"
import type { SendInput } from "./Input.js"

export class PayloadNotFound extends printable(
  Schema.TaggedError<PayloadNotFound>("@pod-protocol/effect/PayloadNotFound")("PayloadNotFound", {
    /** Address of the message. */
    account: SafeText.Schema(),
    /** SHA-256 of the payload in hexadecimal. */
    hash: SafeText.Schema(),
    /** The sender's agent. */
    sender: SafeText.Schema(),
    /** The recipient's wallet. */
    recipient: SafeText.Schema(),
    /** When the message was sent, in Unix seconds. */
    createdAt: Schema.BigIntFromSelf,
    /** When the message expires, in Unix seconds. */
    expiresAt: Schema.BigIntFromSelf,
    /** How long the call waited, in milliseconds. */
    waited: Schema.Number
  })
) {
  /** Always true: the sender may put the payload later, until the message expires. */
  readonly isRetryable = true

  override get message(): string {
    const waited = this.waited === 0 ? "" : ` after ${this.waited} ms`
    return `The store has no payload ${this.hash} of the message ${this.account}${waited}: sender and recipient must share one store; wait, or ask ${this.sender} to send it again`
  }
}

const FIRST_WAIT = 100
const LONGEST_WAIT = 5000

const isNotFound = ({ reason }: PayloadStoreError): boolean => reason === "NotFound"

/** The stored bytes of a message. Waits up to `wait` for them. */
export const read = (
  store: Store,
  { account, address }: ProgramAccount<DirectMessage>,
  wait: Duration.DurationInput | undefined
): Effect.Effect<Uint8Array, InvalidInput | PayloadNotFound | PayloadStoreError> =>
  Effect.gen(function* () {
    const most = wait === undefined ? 0 : yield* Check.millis("wait", wait, "unlimited")
    const start = yield* Clock.monotonicMillis
    for (let nth = 0; ; nth++) {
      const found = yield* Effect.either(store.get(account.payloadHash))
      if (Either.isRight(found)) return found.right
      if (!isNotFound(found.left)) return yield* found.left
      const waited = (yield* Clock.monotonicMillis) - start
      if (waited >= most) return yield* notFound(account, address, waited)
      const pause = yield* Backoff.fullJitter(FIRST_WAIT, LONGEST_WAIT, nth)
      yield* Effect.sleep(Math.max(1, Math.min(pause, most - waited)))
    }
  })

const notFound = (
  { createdAt, expiresAt, payloadHash, recipient, sender }: DirectMessage,
  address: string,
  waited: number
) =>
  new PayloadNotFound({
    account: address,
    hash: Hex.encode(payloadHash),
    sender,
    recipient,
    createdAt,
    expiresAt,
    waited
  })

/** The `derive` of the wallet in the context. */
const derivation = (recipient: string) =>
  Effect.flatMap(Effect.serviceOption(Wallet), (wallet) => {
    const derive = Option.getOrUndefined(wallet)?.derive
    return derive === undefined
      ? Effect.fail(new SealedError({ reason: "CannotDerive", recipient }))
      : Effect.succeed(derive)
  })

/** Seals an envelope, given in parts. An envelope with an id gives the same bytes each time. */
export const seal = (
  sealing: Option.Option<Sealing>,
  binding: Sealed.Binding,
  parts: ReadonlyArray<Uint8Array>,
  { id, sealTo }: Pick<SendInput, "id" | "sealTo">
): Effect.Effect<ReadonlyArray<Uint8Array>, InvalidInput | SealedError> =>
  Effect.gen(function* () {
    const { recipient } = binding
    if (Option.isNone(sealing)) return yield* new SealedError({ reason: "NoSealing", recipient })
    const info = yield* Sealed.info(binding)
    const derive = id === undefined ? undefined : yield* derivation(recipient)
    const { key, keyKind } = yield* Keys.of(recipient, sealTo)
    return [Sealed.encode(yield* sealing.value.seal(key, info, Sealed.pad(parts), derive), keyKind)]
  })

/** The envelope in a sealed payload, opened by the wallet of the context. */
export const open = (
  bytes: Uint8Array,
  binding: Sealed.Binding
): Effect.Effect<Uint8Array, InvalidInput | SealedError> =>
  Effect.gen(function* () {
    const { recipient } = binding
    const failed = (reason: SealedError["reason"]) => new SealedError({ reason, recipient })
    const sealed = yield* Either.mapLeft(Sealed.decode(bytes), failed)
    const wallet = yield* Effect.serviceOption(Wallet)
    if (Option.isNone(wallet)) return yield* failed("NoWallet")
    if (wallet.value.address !== recipient) return yield* failed("NotRecipient")
    const opened = yield* Keys.open(wallet.value, sealed, yield* Sealed.info(binding))
    return Sealed.unpad(opened) ?? (yield* failed("Rejected"))
  })

/**
 * The errors of reading a payload.
 *
 * @since 0.1.0
 * @category errors
 */
export type PayloadError = Envelope.EnvelopeDecodeError | PayloadNotFound | PayloadStoreError | ReadError | SealedError
