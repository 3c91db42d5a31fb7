/** The classes of the receipts of writes. A class gives all its objects one hidden class. */
import type { Address, Signature } from "@solana/kit"
import { jsonable } from "../../src/internal/jsonable.js"

/** `Transactions.Receipt`. */
export const Receipt = jsonable(
  class {
    constructor(
      readonly signature: Signature,
      readonly slot: bigint,
      readonly fee: bigint
    ) {}
  }
)

/** `ProgramAccount.AccountReceipt`. */
export const AccountReceipt = jsonable(
  class {
    constructor(
      readonly signature: Signature,
      readonly slot: bigint,
      readonly fee: bigint,
      readonly address: Address
    ) {}
  }
)

/** `Message.MessageReceipt`. */
export const MessageReceipt = jsonable(
  class {
    constructor(
      readonly signature: Signature,
      readonly slot: bigint,
      readonly fee: bigint,
      readonly address: Address,
      readonly payloadHash: Uint8Array
    ) {}
  }
)
