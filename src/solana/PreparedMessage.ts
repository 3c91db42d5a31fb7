/**
 * Messages without a blockhash. They are compiled once and signed with any number of blockhashes.
 *
 * @since 0.1.0
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Either from "effect/Either"
import { BoundedCache } from "../internal/BoundedCache.js"
import type { InvalidInput } from "../InvalidInput.js"
import * as Addresses from "./Address.js"
import * as Blockhashes from "./Blockhash.js"
import type { PreparedMessage, PrepareOptions } from "./internal/messageModels.js"
import * as Template from "./internal/messageTemplate.js"
import { VERSION_FLAG } from "./internal/wireConstants.js"
import * as Message from "./Message.js"

export type {
  /**
   * A compiled message with zeros in place of the blockhash.
   *
   * @since 0.1.0
   * @category models
   */
  PreparedMessage,
  /**
   * The input of {@link prepare}: that of `Message.compile` without the blockhash.
   *
   * @since 0.1.0
   * @category models
   */
  PrepareOptions
} from "./internal/messageModels.js"

const NO_DATA = new Uint8Array(0)

const NO_BLOCKHASH = Blockhashes.fromBytes(new Uint8Array(Blockhashes.SIZE))

/** Fee payers in one generation of the cache, and shapes of instruction for each: 64 × 8, about 1 MB. */
const CACHED_PAYERS = 64
const CACHED_SHAPES = 8

const templatesByPayer = new BoundedCache<Address, BoundedCache<number, Template.Template>>(CACHED_PAYERS)

const templatesOf = (feePayer: Address): BoundedCache<number, Template.Template> => {
  const known = templatesByPayer.get(feePayer)
  if (known !== undefined) return known
  const templates = new BoundedCache<number, Template.Template>(CACHED_SHAPES)
  templatesByPayer.set(feePayer, templates)
  return templates
}

/**
 * A key for instructions of one kind: the number of accounts and the first bytes of the data. Two kinds may share a
 * key.
 */
const shapeOf = ({ instructions: [instruction] }: PrepareOptions): number => {
  const data = instruction?.data ?? NO_DATA
  const head = (data[0] ?? 0) | ((data[1] ?? 0) << 8) | ((data[2] ?? 0) << 16)
  return head ^ (data.length << 4) ^ (instruction?.accounts?.length ?? 0)
}

const general = ({
  feePayer,
  instructions,
  lookupTables,
  version
}: PrepareOptions): Either.Either<PreparedMessage, InvalidInput> =>
  Either.map(Message.compile({ version, feePayer, instructions, lookupTables, blockhash: NO_BLOCKHASH }), (bytes) => {
    const headerAt = bytes[0] === VERSION_FLAG ? 1 : 0
    const keysAt = headerAt + 4
    const signers = Array.from({ length: bytes[headerAt] ?? 0 }, (_, index) =>
      Addresses.fromBytes(bytes, keysAt + index * Addresses.SIZE)
    )
    return { bytes, blockhashAt: keysAt + (bytes[headerAt + 3] ?? 0) * Addresses.SIZE, signers }
  })

/**
 * As `Message.compile`, with the same bytes and the same errors, but without a blockhash. A wallet often sends
 * instructions of one kind in sequence. For these it patches the bytes of the last message instead of compiling anew.
 *
 * @since 0.1.0
 * @category encoding
 */
export const prepare = (options: PrepareOptions): Either.Either<PreparedMessage, InvalidInput> => {
  if (options.instructions.length !== 1) return general(options)
  const templates = templatesOf(options.feePayer)
  const shape = shapeOf(options)
  const template = templates.get(shape)
  const filled = template === undefined ? undefined : Template.fill(template, options)
  if (filled !== undefined) return Either.right(filled)
  const prepared = general(options)
  if (Either.isRight(prepared)) {
    const learned = Template.learn(options, prepared.right)
    if (learned !== undefined) templates.set(shape, learned)
  }
  return prepared
}

/**
 * Returns the bytes to sign, with the given blockhash.
 *
 * @since 0.1.0
 * @category encoding
 */
export const withBlockhash = ({ blockhashAt, bytes }: PreparedMessage, blockhash: Blockhash): Uint8Array => {
  const complete = bytes.slice()
  complete.set(Blockhashes.toBytes(blockhash), blockhashAt)
  return complete
}
