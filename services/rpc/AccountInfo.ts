import type { Address, Lamports } from "@solana/kit"
import { jsonable } from "../../src/internal/jsonable.js"

/** The class of `Reply.AccountInfo`. A reply may contain thousands of accounts, so all share one hidden class. */
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
