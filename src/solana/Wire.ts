/**
 * The wire form of transactions: signatures, then the signed message.
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
   * The error for bytes that are not a transaction.
   *
   * @since 0.1.0
   * @category errors
   */
  WireError
} from "./WireError.js"

/**
 * Maximum size of a transaction with its signatures: 1280 bytes of the smallest IPv6 packet, less 48 bytes of headers.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_TRANSACTION_BYTES = MAX_BYTES

/**
 * Offset of the fee payer's signature, which is the id of the transaction.
 *
 * @since 0.1.0
 * @category constants
 */
export const FIRST_SIGNATURE_AT = 1

/**
 * A decoded transaction. Signatures and message bytes are views of the input.
 *
 * @since 0.1.0
 * @category models
 */
export interface Transaction {
  /** 64 bytes each, in the order of the signing accounts. A missing signature is all zeros. */
  readonly signatures: ReadonlyArray<Uint8Array>
  /** The bytes that the signatures sign. */
  readonly messageBytes: Uint8Array
  readonly message: Message.CompiledMessage
}

/**
 * Joins signatures and message. The signatures, 64 bytes each, are in the order of the message's first accounts.
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
 * Returns a transaction with `signers` zeroed signatures, to be signed in place. Its message begins at {@link
 * messageAt}.
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
 * Offset of the message in a transaction with `signers` signatures.
 *
 * @since 0.1.0
 * @category getters
 */
export const messageAt = (signers: number): number => ShortVec.size(signers) + SIGNATURE_BYTES * signers

/**
 * Writes a signature of 64 bytes in its place. `index` is the signer's index in the message.
 *
 * @since 0.1.0
 * @category encoding
 */
export const setSignature = (wire: Uint8Array, index: number, signature: Uint8Array): void => {
  const prefix = (wire[0] ?? 0) < 0x80 ? 1 : 2
  wire.set(signature, prefix + SIGNATURE_BYTES * index)
}

/**
 * Decodes a transaction of at most {@link MAX_TRANSACTION_BYTES}, as strictly as `Message.decode`. The number of
 * signatures must equal the number that the message requires. It does not verify the signatures.
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
              detail: `${message.header.requiredSignatures} signatures are required and ${count} are present`
            })
          )
  )
}

const shift = (error: WireError, by: number): WireError =>
  new WireError({ reason: error.reason, offset: error.offset + by, detail: error.detail })
