import type { Address, Lamports } from "@solana/kit"
import { jsonable } from "../../src/internal/jsonable.js"

/**
 * `Reply.AccountInfo`, of which one reply may hold many thousands: all have one hidden class.
 */
export const AccountInfo = jsonable(
  class {
    constructor(
      readonly address: Address,
      readonly data: Uint8Array,
      readonly lamports: Lamports,
      readonly owner: Address,
      readonly executable: boolean,
      readonly space: bigint
    ) {}
  }
)
