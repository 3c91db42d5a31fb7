/**
 * Transactions as they travel: signatures, then the message that they sign.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import { Reader } from "./internal/Reader.js"
import * as ShortVec from "./internal/shortVec.js"
import { MAX_TRANSACTION_BYTES as MAX_BYTES, SIGNATURE_BYTES } from "./internal/wireConstants.js"
import * as Message from "./Message.js"
import { WireError } from "./WireError.js"

export {
  /**
   * Why bytes are no transaction.
   *
   * @since 0.1.0
   * @category errors
   */
  WireError
} from "./WireError.js"

/**
 * The largest transaction, signatures included: 1280 bytes of the smallest IPv6 packet, less 48 of headers.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_TRANSACTION_BYTES = MAX_BYTES

/**
 * Where the signature of the fee payer stands, which names the transaction.
 *
 * @since 0.1.0
 * @category constants
 */
export const FIRST_SIGNATURE_AT = 1

/**
 * A decoded transaction. Signatures and message bytes are views of the bytes that it was read from.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transaction {
  /** 64 bytes each, in the order of the accounts that sign; all zeros where a signature is still missing. */
  readonly signatures: ReadonlyArray<Uint8Array>
  /** What the signatures are over. */
  readonly messageBytes: Uint8Array
  readonly message: Message.CompiledMessage
}

/**
 * Joins signatures and message. The signatures, 64 bytes each, stand in the order of the message's first accounts.
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (signatures: ReadonlyArray<Uint8Array>, messageBytes: Uint8Array): Uint8Array => {
  const wire = unsigned(signatures.length, messageBytes)
  signatures.forEach((signature, index) => setSignature(wire, index, signature))
  return wire
}

/**
 * A transaction with zeros for so many signatures, to be signed where it lies: its message is what follows
 * {@link messageAt}.
 *
 * @since 0.1.0
 * @category encoding
 */
export const unsigned = (signers: number, messageBytes: Uint8Array): Uint8Array => {
  const at = messageAt(signers)
  const wire = new Uint8Array(at + messageBytes.length)
  ShortVec.write(wire, 0, signers)
  wire.set(messageBytes, at)
  return wire
}

/**
 * Where the message begins in a transaction of so many signatures.
 *
 * @since 0.1.0
 * @category getters
 */
export const messageAt = (signers: number): number => ShortVec.size(signers) + SIGNATURE_BYTES * signers

/**
 * Writes a signature, 64 bytes, over the zeros for it. `index` is the signer's place in the message.
 *
 * @since 0.1.0
 * @category encoding
 */
export const setSignature = (wire: Uint8Array, index: number, signature: Uint8Array): void => {
  const prefix = (wire[0] ?? 0) < 0x80 ? 1 : 2
  wire.set(signature, prefix + SIGNATURE_BYTES * index)
}

/**
 * Reads a transaction of at most {@link MAX_TRANSACTION_BYTES}, as strictly as `Message.decode`; it must bear exactly
 * as many signatures as its message requires. Whether the signatures are valid is not checked.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<Transaction, WireError> => {
  if (bytes.length > MAX_TRANSACTION_BYTES) {
    return Either.left(
      new WireError({ reason: "TooLarge", offset: MAX_TRANSACTION_BYTES, detail: `it is ${bytes.length} bytes` })
    )
  }
  const reader = new Reader(bytes)
  const count = reader.count(SIGNATURE_BYTES)
  const signatures = Array.from({ length: count }, () => reader.take(SIGNATURE_BYTES))
  if (reader.failure !== undefined) return Either.left(reader.failure)
  const messageAt = reader.offset
  const messageBytes = reader.take(reader.left)
  return Either.flatMap(
    Either.mapLeft(Message.decode(messageBytes), (error) => shift(error, messageAt)),
    (message) =>
      message.header.requiredSignatures === count
        ? Either.right({ signatures, messageBytes, message })
        : Either.left(
            new WireError({
              reason: "SignatureCount",
              offset: 0,
              detail: `${message.header.requiredSignatures} signatures are required and ${count} are there`
            })
          )
  )
}

const shift = (error: WireError, by: number): WireError =>
  new WireError({ reason: error.reason, offset: error.offset + by, detail: error.detail })
