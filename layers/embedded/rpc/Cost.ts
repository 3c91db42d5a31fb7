/** The compute units that a transaction takes of its block, computed like the scheduler of Agave 4.2. */
import type { Address } from "@solana/kit"
import type { Chain } from "../chain/Chain.js"
import type { TransactionRecord } from "../chain/Ledger.js"
import { isWritable, type LoadedTransaction } from "../chain/LoadedTransaction.js"
import * as Fees from "./Fees.js"
import * as SimulationView from "./SimulationView.js"

const SIGNATURE = 720n
const WRITE_LOCK = 300n
const DATA_BYTES_PER_UNIT = 4n
const PAGE_BYTES = 32 * 1024
const PAGE = 8n

/** Units of each signature that an instruction of the program has verified. */
const VERIFIERS: ReadonlyMap<Address, bigint> = new Map([
  [Fees.SECP256K1_PROGRAM, 6690n],
  [Fees.ED25519_PROGRAM, 2400n],
  [Fees.SECP256R1_PROGRAM, 4800n]
])

/** The units of a landed transaction, with the present sizes of its accounts. */
export const unitsOf = (chain: Chain, { outcome, transaction }: TransactionRecord): bigint => {
  const { addresses, message } = transaction
  const loadedBytes = SimulationView.loadedBytes(chain, transaction, chain.bank("processed").slot)
  const writes = addresses.filter((_, index) => isWritable(transaction, index)).length
  let verified = 0n
  let bytes = 0n
  for (const { data, programIndex } of message.instructions) {
    verified += (VERIFIERS.get(programOf(transaction, programIndex)) ?? 0n) * BigInt(data[0] ?? 0)
    bytes += BigInt(data.length)
  }
  return (
    BigInt(message.header.requiredSignatures) * SIGNATURE +
    verified +
    BigInt(writes) * WRITE_LOCK +
    bytes / DATA_BYTES_PER_UNIT +
    outcome.unitsConsumed +
    BigInt(Math.ceil(loadedBytes / PAGE_BYTES)) * PAGE
  )
}

const programOf = ({ addresses, feePayer }: LoadedTransaction, index: number): Address => addresses[index] ?? feePayer
