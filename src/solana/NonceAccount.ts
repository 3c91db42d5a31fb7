/**
 * Nonce accounts: the 80 bytes in which the System program keeps a durable nonce, and the instructions that create,
 * advance and change one.
 *
 * A transaction whose first instruction advances the account may use the stored nonce instead of a recent blockhash. It
 * stays valid until the account advances. Landing advances the account, even if the transaction fails.
 *
 * @since 0.1.0
 */
import type { Address, Instruction, Lamports } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { model } from "../internal/jsonable.js"
import { printable } from "../internal/printable.js"
import * as SafeText from "../SafeText.js"
import * as Addresses from "./Address.js"
import * as Blockhashes from "./Blockhash.js"
import type { CompiledMessage } from "./Message.js"

/**
 * Bytes in a nonce account.
 *
 * @since 0.1.0
 * @category constants
 */
export const SIZE = 80

/**
 * Versions in the order of their numbers. `legacy` nonces date from before 2022; no transaction can use them any more.
 */
const Version = Schema.Literal("legacy", "current")

const NO_NONCE = { version: Version }

const NONCE = {
  version: Version,
  /** The authority that may advance the account, withdraw its lamports and name another authority. */
  authority: Addresses.Schema,
  /** The value that a transaction uses in place of a blockhash. */
  nonce: Blockhashes.Schema,
  /** Lamports per signature at the time the nonce was stored. A transaction with this nonce pays the current fee. */
  lamportsPerSignature: Schema.BigInt
}

/**
 * The state of a nonce account: uninitialized, or initialized with a nonce. JSON: lamports as a decimal string.
 *
 * @since 0.1.0
 * @category models
 */
export const NonceAccount = Schema.Union(
  Schema.TaggedStruct("Uninitialized", NO_NONCE),
  Schema.TaggedStruct("Initialized", NONCE)
)

/**
 * A value of {@link NonceAccount}.
 *
 * @since 0.1.0
 * @category models
 */
export type NonceAccount = typeof NonceAccount.Type

/**
 * The bytes are not a nonce account.
 *
 * - `Size`: there are not exactly 80 bytes.
 * - `Version`: the version number is unknown.
 * - `State`: the state is neither uninitialized nor initialized.
 * - `Owner`: the account belongs to another program.
 *
 * @since 0.1.0
 * @category errors
 */
export class NonceAccountError extends printable(
  Schema.TaggedError<NonceAccountError>("@pod-protocol/effect/NonceAccountError")("NonceAccountError", {
    reason: Schema.Literal("Size", "Version", "State", "Owner"),
    detail: SafeText.Schema()
  })
) {
  /** Always false: the same bytes stay wrong. */
  readonly isRetryable = false

  override get message(): string {
    return `The account is not a nonce account (${this.detail}): check its address`
  }
}

const AUTHORITY_AT = 8
const NONCE_AT = AUTHORITY_AT + Addresses.SIZE
const LAMPORTS_AT = NONCE_AT + Blockhashes.SIZE

const refused = (reason: NonceAccountError["reason"], detail: string) =>
  Either.left(new NonceAccountError({ reason, detail }))

const u64 = (bytes: Uint8Array, offset: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(offset, true)

const u32 = (bytes: Uint8Array, offset: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset, true)

/**
 * Decodes the data of a nonce account. It ignores the bytes after the state of an uninitialized account.
 *
 * @since 0.1.0
 * @category decoding
 */
export const decode = (bytes: Uint8Array): Either.Either<NonceAccount, NonceAccountError> => {
  if (bytes.length !== SIZE) return refused("Size", `it has ${bytes.length} bytes instead of ${SIZE}`)
  const version = Version.literals[u32(bytes, 0)]
  if (version === undefined) return refused("Version", `version ${u32(bytes, 0)} is not known`)
  const state = u32(bytes, 4)
  if (state === 0) return Either.right({ _tag: "Uninitialized", version })
  if (state !== 1) return refused("State", `state ${state} is not known`)
  return Either.right(
    model({
      _tag: "Initialized",
      version,
      authority: Addresses.fromBytes(bytes, AUTHORITY_AT),
      nonce: Blockhashes.fromBytes(bytes, NONCE_AT),
      lamportsPerSignature: u64(bytes, LAMPORTS_AT)
    })
  )
}

/** Numbers of the System program's instructions, a little-endian u32 each. */
const CREATE_ACCOUNT = 0
const ADVANCE = 4
const WITHDRAW = 5
const INITIALIZE = 6
const AUTHORIZE = 7

/** Kit's `AccountRole`s. */
const READONLY = 0
const WRITABLE = 1
const READONLY_SIGNER = 2
const WRITABLE_SIGNER = 3

const RECENT_BLOCKHASHES = Addresses.known("SysvarRecentB1ockHashes11111111111111111111")
const RENT = Addresses.known("SysvarRent111111111111111111111111111111111")

const u64Bytes = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, value, true)
  return bytes
}

const instruction = (
  number: number,
  accounts: ReadonlyArray<readonly [Address, role: number]>,
  ...args: ReadonlyArray<Uint8Array>
): Instruction => ({
  programAddress: Addresses.SYSTEM_PROGRAM,
  accounts: accounts.map(([address, role]) => ({ address, role })),
  data: Uint8Array.of(number, 0, 0, 0, ...args.flatMap((bytes) => Array.from(bytes)))
})

/**
 * The account and the authority of a nonce instruction.
 *
 * @since 0.1.0
 * @category models
 */
export interface NonceInput {
  /** The nonce account. */
  readonly account: Address
  /** Signs every instruction except the creation of the account. */
  readonly authority: Address
}

/**
 * Input of {@link create}.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateInput extends NonceInput {
  /** Pays the lamports. Both the payer and the account sign. */
  readonly payer: Address
  /** At least the rent-exempt minimum for 80 bytes. */
  readonly lamports: Lamports
}

/**
 * Creates a nonce account and stores its first nonce. Returns both instructions.
 *
 * @since 0.1.0
 * @category constructors
 */
export const create = ({
  account,
  authority,
  lamports,
  payer
}: CreateInput): readonly [create: Instruction, initialize: Instruction] => [
  instruction(
    CREATE_ACCOUNT,
    [
      [payer, WRITABLE_SIGNER],
      [account, WRITABLE_SIGNER]
    ],
    u64Bytes(lamports),
    u64Bytes(BigInt(SIZE)),
    Addresses.toBytes(Addresses.SYSTEM_PROGRAM)
  ),
  instruction(
    INITIALIZE,
    [
      [account, WRITABLE],
      [RECENT_BLOCKHASHES, READONLY],
      [RENT, READONLY]
    ],
    Addresses.toBytes(authority, "authority")
  )
]

/**
 * Stores a new nonce. A transaction that uses the stored nonce begins with this instruction. The runtime refuses a
 * second advance within one block.
 *
 * @since 0.1.0
 * @category constructors
 */
export const advance = ({ account, authority }: NonceInput): Instruction =>
  instruction(ADVANCE, [
    [account, WRITABLE],
    [RECENT_BLOCKHASHES, READONLY],
    [authority, READONLY_SIGNER]
  ])

/**
 * Input of {@link withdraw}.
 *
 * @since 0.1.0
 * @category models
 */
export interface WithdrawInput extends NonceInput {
  readonly to: Address
  readonly lamports: Lamports
}

/**
 * Withdraws lamports. The remainder must be rent-exempt, or zero, which closes the account.
 *
 * @since 0.1.0
 * @category constructors
 */
export const withdraw = ({ account, authority, lamports, to }: WithdrawInput): Instruction =>
  instruction(
    WITHDRAW,
    [
      [account, WRITABLE],
      [to, WRITABLE],
      [RECENT_BLOCKHASHES, READONLY],
      [RENT, READONLY],
      [authority, READONLY_SIGNER]
    ],
    u64Bytes(lamports)
  )

/**
 * Sets another authority. The nonce stays the same.
 *
 * @since 0.1.0
 * @category constructors
 */
export const authorize = (input: NonceInput & { readonly newAuthority: Address }): Instruction =>
  instruction(
    AUTHORIZE,
    [
      [input.account, WRITABLE],
      [input.authority, READONLY_SIGNER]
    ],
    Addresses.toBytes(input.newAuthority, "newAuthority")
  )

/**
 * Whether the data of a System program instruction advances a nonce.
 *
 * @since 0.1.0
 * @category guards
 */
export const isAdvance = (data: Uint8Array): boolean => data.length >= 4 && u32(data, 0) === ADVANCE

const isWritable = ({ header, staticAccounts }: CompiledMessage, index: number): boolean =>
  index < header.requiredSignatures
    ? index < header.requiredSignatures - header.readonlySigned
    : index < staticAccounts.length - header.readonlyUnsigned

/**
 * The nonce account that the first instruction of a message advances; `undefined` if it advances none. With one, the
 * message may use a durable nonce.
 *
 * @since 0.1.0
 * @category getters
 */
export const advancedBy = (message: CompiledMessage): Address | undefined => {
  const [first] = message.instructions
  if (first === undefined || message.staticAccounts[first.programIndex] !== Addresses.SYSTEM_PROGRAM) return undefined
  const [index] = first.accountIndices
  return index !== undefined && isAdvance(first.data) && isWritable(message, index)
    ? message.staticAccounts[index]
    : undefined
}
