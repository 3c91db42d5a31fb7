/** An account as the machine stores it. */
import type { Address } from "@solana/kit"

/** A stored account. An account with 0 lamports does not exist. */
export interface StoredAccount {
  readonly lamports: bigint
  readonly owner: Address
  readonly executable: boolean
  readonly rentEpoch: bigint
  readonly data: Uint8Array
}
