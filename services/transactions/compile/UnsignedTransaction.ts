/**
 * Compiles instructions to a message without a blockhash, and signs it.
 *
 * - A message is compiled once. It can be signed with several blockhashes.
 * - Each required signer must be given exactly once, and no other. Only the caller's own wallet may be unused, if
 *   another wallet pays the fee.
 * - The compute budget follows the caller's instructions, so the index of an instruction in an error is the caller's.
 *   The advance of a nonce comes first, as the runtime requires.
 */
import type { Address, Instruction } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { model } from "../../../src/internal/jsonable.js"
import { InvalidInput } from "../../../src/InvalidInput.js"
import * as Blockhash from "../../../src/solana/Blockhash.js"
import * as Message from "../../../src/solana/Message.js"
import * as NonceAccount from "../../../src/solana/NonceAccount.js"
import * as PreparedMessage from "../../../src/solana/PreparedMessage.js"
import * as Signature from "../../../src/solana/Signature.js"
import * as Wire from "../../../src/solana/Wire.js"
import type { WireError } from "../../../src/solana/WireError.js"
import { type Lifetime, SignedTransaction } from "../../SignedTransaction.js"
import { type Service as Wallet, WalletError } from "../../Wallet.js"
import type { LatestBlockhash } from "../lifetime/BlockhashCache.js"
import * as Fees from "./Fees.js"

/** Each signer takes 96 of 1232 bytes: 64 for its signature, 32 for its address. */
const MAX_SIGNERS = 12

/**
 * The durable nonce of a transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface DurableNonceOptions {
  /** The nonce account. It is advanced when the transaction lands, even if the transaction fails. */
  readonly account: Address
  /** The authority that may advance the nonce; it signs. Default: the `Wallet`. */
  readonly authority?: Wallet | undefined
}

/**
 * Options of compiling instructions.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompileOptions {
  /** Version of the message. Default 0; `"legacy"` for signers that do not support versions. */
  readonly version?: Message.Version | undefined
  /** Address lookup tables for the accounts, so that more accounts fit. Default none. */
  readonly lookupTables?: ReadonlyArray<Message.LookupTable> | undefined
  /**
   * Maximum compute units of the transaction, 1 … 1,400,000. Default: the cluster's, 200,000 for each instruction of a
   * program. Too low: it fails and still pays its fee. Too high: with a price, it pays for unused units, and it has to
   * wait longer for room in a block.
   */
  readonly computeUnitLimit?: number | undefined
  /**
   * Price of a compute unit in millionths of a lamport (u64). Default 0. It needs a limit, because the fee is their
   * product. Too low: the transaction waits or expires while blocks are full. Too high: a higher fee without a benefit.
   */
  readonly computeUnitPrice?: bigint | undefined
  /** The payer of the fee. Default: the `Wallet`. With another payer, the `Wallet` signs only if an instruction requires it. */
  readonly feePayer?: Wallet | undefined
  /**
   * A durable nonce instead of a recent blockhash: the transaction can land until any transaction advances the account.
   * It has the same fee and needs about 100 bytes. Of all transactions signed with one nonce, one can land, so the uses
   * of an account within a layer run one after another. Default: a recent blockhash.
   */
  readonly durableNonce?: DurableNonceOptions | undefined
}

/**
 * Options of compiling and signing instructions.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignOptions extends CompileOptions {
  /** Further signers of the instructions, such as the key of an account to create. Default none. */
  readonly signers?: ReadonlyArray<Wallet> | undefined
}

export interface UnsignedTransaction {
  readonly prepared: PreparedMessage.PreparedMessage
  readonly fee: bigint
  /** The durable nonce, if the transaction has one instead of a blockhash. */
  readonly nonce: NonceAccount.NonceInput | undefined
}

/** A transaction without its blockhash and its signatures. */
export interface SignableTransaction extends UnsignedTransaction {
  /** The signers, in the order of the message. */
  readonly signers: ReadonlyArray<Wallet>
}

/** The message, with zeros for the blockhash. Dies if the message, which was compiled here, is malformed. */
export const messageOf = ({ prepared }: UnsignedTransaction): Message.CompiledMessage =>
  Either.getOrThrowWith(Message.decode(prepared.bytes), (error: WireError) => error)

interface Frame {
  readonly before: ReadonlyArray<Instruction>
  readonly after: ReadonlyArray<Instruction>
}

const NO_INSTRUCTIONS: ReadonlyArray<Instruction> = []

const NO_FRAME: Either.Either<Frame> = Either.right({ before: NO_INSTRUCTIONS, after: NO_INSTRUCTIONS })

const nonceOf = (wallet: Wallet, { durableNonce }: CompileOptions) =>
  durableNonce && { account: durableNonce.account, authority: (durableNonce.authority ?? wallet).address }

/** The instructions that the options add before and after the caller's. */
export const frame = (wallet: Wallet, options: CompileOptions): Either.Either<Frame, InvalidInput> => {
  const nonce = nonceOf(wallet, options)
  if (nonce === undefined && options.computeUnitLimit === undefined && options.computeUnitPrice === undefined) {
    return NO_FRAME
  }
  const before = nonce === undefined ? NO_INSTRUCTIONS : [NonceAccount.advance(nonce)]
  return Either.map(Fees.computeBudget(options), (after) => ({ before, after }))
}

/** Names an instruction by its index in the caller's list, without the preceding instructions of the message. */
const atCallersIndex = (error: InvalidInput, preceding: number): InvalidInput => {
  const field = error.field.replace(
    /^instructions\[(\d+)\]/,
    (_, index: string) => `instructions[${Number(index) - preceding}]`
  )
  return new InvalidInput({ ...error, field })
}

/** Compiles instructions. */
export const make = (
  wallet: Wallet,
  instructions: ReadonlyArray<Instruction>,
  options: CompileOptions
): Either.Either<UnsignedTransaction, InvalidInput> => {
  if (instructions.length === 0) {
    return Either.left(new InvalidInput({ field: "instructions", rule: "must be at least one", size: 0 }))
  }
  const { feePayer = wallet, lookupTables, version = 0 } = options
  const framed = frame(wallet, options)
  if (Either.isLeft(framed)) return Either.left(framed.left)
  const { after, before } = framed.right
  const all = before.length + after.length === 0 ? instructions : [...before, ...instructions, ...after]
  const prepared = PreparedMessage.prepare({
    version,
    feePayer: feePayer.address,
    instructions: all,
    lookupTables
  })
  if (Either.isLeft(prepared)) return Either.left(atCallersIndex(prepared.left, before.length))
  return Either.map(Fees.ofInstructions(prepared.right.signers.length, all), (fee) => ({
    prepared: prepared.right,
    fee,
    nonce: nonceOf(wallet, options)
  }))
}

const refuse = (rule: string, size?: number): Either.Either<never, InvalidInput> =>
  Either.left(new InvalidInput({ field: "signers", rule, size }))

/** Adds the authority of the nonce, unless it is a signer already. */
const withAuthority = (wallet: Wallet, named: ReadonlyArray<Wallet>, { authority }: DurableNonceOptions) =>
  authority === undefined || [wallet, ...named].some(({ address }) => address === authority.address)
    ? named
    : [...named, authority]

/** Compiles instructions, and puts the signers in the order of the message. */
export const signable = (
  wallet: Wallet,
  instructions: ReadonlyArray<Instruction>,
  options: CompileOptions,
  signers: ReadonlyArray<Wallet>
): Either.Either<SignableTransaction, InvalidInput> => {
  const { durableNonce, feePayer } = options
  const named = feePayer === undefined ? signers : [feePayer, ...signers]
  const others = durableNonce === undefined ? named : withAuthority(wallet, named, durableNonce)
  if (others.length >= MAX_SIGNERS) {
    return refuse(`must be at most ${MAX_SIGNERS}, the wallet included`, others.length + 1)
  }
  return Either.flatMap(make(wallet, instructions, options), ({ fee, nonce, prepared }) =>
    others.length === 0 && prepared.signers.length === 1
      ? Either.right({ prepared, fee, nonce, signers: [wallet] })
      : Either.map(inOrder(wallet, others, prepared.signers), (signers) => ({ prepared, fee, nonce, signers }))
  )
}

/** The required signers, in the order of the message. */
const inOrder = (
  wallet: Wallet,
  others: ReadonlyArray<Wallet>,
  required: ReadonlyArray<Address>
): Either.Either<ReadonlyArray<Wallet>, InvalidInput> => {
  const byAddress = new Map([[wallet.address, wallet]])
  for (const other of others) {
    if (byAddress.has(other.address)) return refuse(`must not name ${other.address} twice`)
    if (!required.includes(other.address)) return refuse(`${other.address} is not a required signer`)
    byAddress.set(other.address, other)
  }
  return Either.all(
    required.map((address) => {
      const signer = byAddress.get(address)
      return signer === undefined ? refuse(`${address} is a required signer and is missing`) : Either.right(signer)
    })
  )
}

/**
 * As the constructor, without its checks and copies, which take as long as compiling the message. The parts are valid.
 */
const signedOf = (parts: ConstructorParameters<typeof SignedTransaction>[0]): SignedTransaction =>
  Object.assign(Object.create(SignedTransaction.prototype), parts)

/** Sets the blockhash or the nonce, signs with each wallet in turn, and passes the result to `next`. */
export const sign = <E = never>(
  { fee, prepared, signers }: SignableTransaction,
  lifetime: Lifetime,
  minContextSlot: bigint,
  next: (signed: SignedTransaction) => Effect.Effect<SignedTransaction, E> = Effect.succeed
): Effect.Effect<SignedTransaction, E | WalletError> => {
  const wire = Wire.unsigned(signers.length, prepared.bytes)
  const messageBytes = wire.subarray(Wire.messageAt(signers.length))
  messageBytes.set(Blockhash.toBytes("nonce" in lifetime ? lifetime.nonce : lifetime.blockhash), prepared.blockhashAt)
  const signAs = ({ address, sign }: Wallet, index: number): Effect.Effect<SignedTransaction, E | WalletError> =>
    Effect.flatMap(sign([messageBytes]), ([signature]): Effect.Effect<SignedTransaction, E | WalletError> => {
      if (signature?.length !== Signature.SIZE) {
        const detail = "the wallet did not return a signature of 64 bytes; check that it has the key of this address"
        return new WalletError({ reason: "InvalidSignature", address, detail })
      }
      Wire.setSignature(wire, index, signature)
      const other = signers[index + 1]
      if (other !== undefined) return signAs(other, index + 1)
      const named = Signature.fromBytes(wire, Wire.FIRST_SIGNATURE_AT)
      return next(signedOf({ signature: named, wire, lifetime, fee, minContextSlot }))
    })
  const [first] = signers
  return first === undefined ? Effect.dieMessage("a transaction without a signer") : signAs(first, 0)
}

/** Reads signed bytes. The lifetime of the `newest` blockhash is an upper bound for theirs. */
export const fromWire = (
  wire: Uint8Array,
  { lastValidBlockHeight }: LatestBlockhash
): Either.Either<SignedTransaction, InvalidInput> =>
  Either.gen(function* () {
    const { message } = yield* Either.mapLeft(
      Wire.decode(wire),
      (error) =>
        new InvalidInput({ field: "wire", rule: `must be a signed transaction: ${error.message}`, size: wire.length })
    )
    const account = NonceAccount.advancedBy(message)
    const lifetime =
      account === undefined
        ? model({ blockhash: message.blockhash, lastValidBlockHeight })
        : model({ nonce: message.blockhash, account, lastValidBlockHeight })
    const fee = yield* Fees.ofMessage(message)
    return signedOf({ signature: Signature.fromBytes(wire, Wire.FIRST_SIGNATURE_AT), wire, lifetime, fee })
  })

/** The bytes for a simulation, with zeros for the blockhash and the signatures. */
export const unsigned = ({ prepared }: UnsignedTransaction): Uint8Array =>
  Wire.unsigned(prepared.signers.length, prepared.bytes)
