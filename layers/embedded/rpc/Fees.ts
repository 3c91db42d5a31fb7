/** The fee of a transaction: a fee per signature, and the bid price of its compute units. */
import type { Address } from "@solana/kit"
import { MAX_U64 } from "../../../src/internal/check.js"
import * as Addresses from "../../../src/solana/Address.js"
import type { AnyMessage } from "../chain/AnyTransaction.js"

const LAMPORTS_PER_SIGNATURE = 5000n
const MICRO_LAMPORTS = 1_000_000n
const MAX_COMPUTE_UNITS = 1_400_000n
/** Compute units of an instruction unless the transaction sets a limit: of a deployed program, and of a builtin. */
const DEFAULT_UNITS = 200_000n
const DEFAULT_BUILTIN_UNITS = 3_000n

/** The program whose instructions set a transaction's compute limit and price. */
export const COMPUTE_BUDGET_PROGRAM = Addresses.known("ComputeBudget111111111111111111111111111111")

export const ED25519_PROGRAM = Addresses.known("Ed25519SigVerify111111111111111111111111111")
export const SECP256K1_PROGRAM = Addresses.known("KeccakSecp256k11111111111111111111111111111")
export const SECP256R1_PROGRAM = Addresses.known("Secp256r1SigVerify1111111111111111111111111")

/**
 * Programs that verify signatures. Their instructions begin with the number of signatures, each of which costs as much
 * as one of the transaction's own.
 */
const SIGNATURE_PROGRAMS: ReadonlySet<Address> = new Set([ED25519_PROGRAM, SECP256K1_PROGRAM, SECP256R1_PROGRAM])

const BUILTINS: ReadonlySet<Address> = new Set([
  Addresses.SYSTEM_PROGRAM,
  COMPUTE_BUDGET_PROGRAM,
  Addresses.known("Vote111111111111111111111111111111111111111"),
  Addresses.known("BPFLoaderUpgradeab1e11111111111111111111111"),
  Addresses.known("BPFLoader1111111111111111111111111111111111"),
  Addresses.known("BPFLoader2111111111111111111111111111111111"),
  Addresses.known("LoaderV411111111111111111111111111111111111"),
  SECP256K1_PROGRAM,
  ED25519_PROGRAM
])

interface Budget {
  readonly limit: bigint
  /** Micro-lamports per compute unit. */
  readonly price: bigint
}

/** The fee of a message in lamports. */
export const feeOf = (message: AnyMessage): bigint => {
  const { limit, price } = budgetOf(message)
  let signatures = BigInt(message.header.requiredSignatures)
  for (const { programIndex, data } of message.instructions) {
    const program = message.staticAccounts[programIndex]
    if (program !== undefined && SIGNATURE_PROGRAMS.has(program)) signatures += BigInt(data[0] ?? 0)
  }
  const priorityFee =
    message.config === undefined
      ? (limit * price + MICRO_LAMPORTS - 1n) / MICRO_LAMPORTS
      : (message.config.priorityFee ?? 0n)
  return saturated(signatures * LAMPORTS_PER_SIGNATURE + priorityFee)
}

/** The runtime computes in a u64, which does not overflow. */
const saturated = (amount: bigint): bigint => (amount < MAX_U64 ? amount : MAX_U64)

/** The bid price of a message, in micro-lamports per compute unit. */
export const priceOf = (message: AnyMessage): bigint => {
  const { limit, price } = budgetOf(message)
  if (message.config === undefined) return price
  const { computeUnitLimit, priorityFee = 0n } = message.config
  const units = computeUnitLimit === undefined ? limit : BigInt(computeUnitLimit)
  return units === 0n ? 0n : saturated((priorityFee * MICRO_LAMPORTS) / units)
}

const budgetOf = (message: AnyMessage): Budget => {
  let limit: bigint | undefined
  let price = 0n
  let defaultLimit = 0n
  for (const { programIndex, data } of message.instructions) {
    const program = message.staticAccounts[programIndex]
    if (program === COMPUTE_BUDGET_PROGRAM) {
      const view = new DataView(data.buffer, data.byteOffset, data.length)
      if (data[0] === 2 && data.length >= 5) limit = BigInt(view.getUint32(1, true))
      if (data[0] === 3 && data.length >= 9) price = view.getBigUint64(1, true)
    }
    defaultLimit += program !== undefined && BUILTINS.has(program) ? DEFAULT_BUILTIN_UNITS : DEFAULT_UNITS
  }
  const asked = limit ?? defaultLimit
  return { price, limit: asked < MAX_COMPUTE_UNITS ? asked : MAX_COMPUTE_UNITS }
}
