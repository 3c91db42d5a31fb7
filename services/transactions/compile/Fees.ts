/**
 * The cost of a transaction: the two instructions of the Compute Budget program that set it, and the resulting fee.
 */
import type { Address, Instruction, ReadonlyUint8Array } from "@solana/kit"
import * as Either from "effect/Either"
import * as Check from "../../../src/internal/check.js"
import { InvalidInput } from "../../../src/InvalidInput.js"
import * as Addresses from "../../../src/solana/Address.js"
import type { CompiledMessage } from "../../../src/solana/Message.js"

export const COMPUTE_BUDGET_PROGRAM: Address = Addresses.known("ComputeBudget111111111111111111111111111111")

/** Programs that verify signatures in their instruction data. The first byte is the number of signatures. */
const SIGNATURE_PROGRAMS: ReadonlySet<Address> = new Set([
  Addresses.known("Ed25519SigVerify111111111111111111111111111"),
  Addresses.known("KeccakSecp256k11111111111111111111111111111"),
  Addresses.known("Secp256r1SigVerify1111111111111111111111111")
])

/** Lamports, on every public cluster. */
const LAMPORTS_PER_SIGNATURE = 5000n

const MICRO_LAMPORTS_PER_LAMPORT = 1_000_000n

/** Maximum compute units of a transaction. */
export const MAX_COMPUTE_UNITS = 1_400_000

/** The lamports of a number of compute units, at a price in millionths of a lamport. */
export const feeOf = (price: bigint, units: number): bigint =>
  (price * BigInt(units) + MICRO_LAMPORTS_PER_LAMPORT - 1n) / MICRO_LAMPORTS_PER_LAMPORT

/** The highest price at which a number of units, above 0, costs at most these lamports. */
export const priceFor = (lamports: bigint, units: number): bigint =>
  (lamports * MICRO_LAMPORTS_PER_LAMPORT) / BigInt(units)

const SET_LIMIT = 2
const SET_PRICE = 3

export interface ComputeOptions {
  readonly computeUnitLimit?: number | undefined
  readonly computeUnitPrice?: bigint | undefined
}

const NO_INSTRUCTIONS: ReadonlyArray<Instruction> = []

/** The instructions that set the options. */
export const computeBudget = (options: ComputeOptions): Either.Either<ReadonlyArray<Instruction>, InvalidInput> => {
  const { computeUnitLimit: limit, computeUnitPrice: price } = options
  const checkedLimit = Check.integer("computeUnitLimit", limit ?? 1, 1, MAX_COMPUTE_UNITS)
  if (Either.isLeft(checkedLimit)) return Either.left(checkedLimit.left)
  const checkedPrice = Check.bigInteger("computeUnitPrice", price ?? 0n)
  if (Either.isLeft(checkedPrice)) return Either.left(checkedPrice.left)
  if (limit === undefined && price === undefined) return Either.right(NO_INSTRUCTIONS)
  const instructions: Array<Instruction> = []
  if (limit !== undefined) {
    const data = new Uint8Array(5)
    data[0] = SET_LIMIT
    new DataView(data.buffer).setUint32(1, limit, true)
    instructions.push({ programAddress: COMPUTE_BUDGET_PROGRAM, data })
  }
  if (price !== undefined) {
    const data = new Uint8Array(9)
    data[0] = SET_PRICE
    new DataView(data.buffer).setBigUint64(1, price, true)
    instructions.push({ programAddress: COMPUTE_BUDGET_PROGRAM, data })
  }
  return Either.right(instructions)
}

const NO_DATA = new Uint8Array(0)

const viewOf = (data: ReadonlyUint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.length)

/**
 * The fee of a message in lamports: 5000 for each signature, of the transaction or in the data of a program that
 * verifies signatures, plus the compute unit price times the limit, rounded up. A price without a limit is
 * `InvalidInput`: the limit that the cluster then uses depends on its version.
 */
export const ofInstructions = (
  signers: number,
  instructions: ReadonlyArray<Instruction>
): Either.Either<bigint, InvalidInput> => {
  let signatures = signers
  let limit: number | undefined
  let price: bigint | undefined
  for (const { data = NO_DATA, programAddress } of instructions) {
    if (SIGNATURE_PROGRAMS.has(programAddress)) signatures += data[0] ?? 0
    if (programAddress !== COMPUTE_BUDGET_PROGRAM) continue
    const isLimit = data[0] === SET_LIMIT && data.length >= 5
    const isPrice = data[0] === SET_PRICE && data.length >= 9
    if ((isLimit && limit !== undefined) || (isPrice && price !== undefined)) {
      const field = isLimit ? "computeUnitLimit" : "computeUnitPrice"
      const rule = "must be set once, by the option or by an instruction"
      return Either.left(new InvalidInput({ field, rule }))
    }
    if (isLimit) limit = Math.min(viewOf(data).getUint32(1, true), MAX_COMPUTE_UNITS)
    if (isPrice) price = viewOf(data).getBigUint64(1, true)
  }
  const base = signatures === 1 ? LAMPORTS_PER_SIGNATURE : BigInt(signatures) * LAMPORTS_PER_SIGNATURE
  if (price === undefined || price === 0n) return Either.right(base)
  if (limit === undefined) {
    const rule = "needs a computeUnitLimit, because the fee is price times limit"
    return Either.left(new InvalidInput({ field: "computeUnitPrice", rule, size: price }))
  }
  return Either.right(base + feeOf(price, limit))
}

/** As {@link ofInstructions}, of a compiled message. */
export const ofMessage = ({
  header,
  instructions,
  staticAccounts
}: CompiledMessage): Either.Either<bigint, InvalidInput> =>
  ofInstructions(
    header.requiredSignatures,
    instructions.flatMap(({ data, programIndex }) => {
      const programAddress = staticAccounts[programIndex]
      return programAddress === undefined ? [] : [{ programAddress, data }]
    })
  )
