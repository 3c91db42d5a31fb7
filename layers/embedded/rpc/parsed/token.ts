/** Parsed accounts of the token programs. */
import type { Address } from "@solana/kit"
import * as Layout from "../../chain/Layout.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import * as Tokens from "../../chain/TokenAccounts.js"
import type { Parsed } from "./Parsed.js"
import * as Json from "./Parsed.js"
import * as Extensions from "./tokenExtensions.js"
import * as UiAmount from "./UiAmount.js"

/** A mint, a token account or a multisig. A token account whose mint cannot be read has no parsed form. */
export const parse = (
  account: StoredAccount,
  lookup: (address: Address) => StoredAccount | undefined
): Parsed | undefined => {
  const mint = Tokens.mint(account)
  if (mint !== undefined) {
    const { mintAuthority, supply, decimals, isInitialized, freezeAuthority } = mint
    return {
      type: "mint",
      info: {
        mintAuthority,
        supply: String(supply),
        decimals,
        isInitialized,
        freezeAuthority,
        ...Extensions.read(account.data)
      }
    }
  }
  const token = Tokens.account(account)
  if (token === undefined) return multisig(account)
  const found = lookup(token.mint)
  const show = found && UiAmount.of(found, lookup)
  return show && { type: "account", info: viewAccount(account, token, show) }
}

const viewAccount = ({ data }: StoredAccount, token: Tokens.TokenAccount, amount: UiAmount.Show) => {
  return {
    ...Json.present({
      mint: token.mint,
      owner: token.owner,
      tokenAmount: amount(token.amount),
      delegate: token.delegate,
      state: token.state,
      isNative: token.rentExemptReserve !== null,
      rentExemptReserve: token.rentExemptReserve === null ? null : amount(token.rentExemptReserve),
      delegatedAmount: token.delegate === null ? null : amount(token.delegatedAmount),
      closeAuthority: token.closeAuthority
    }),
    ...Extensions.read(data)
  }
}

const MAX_SIGNERS = 11

const multisig = ({ data }: StoredAccount): Parsed | undefined => {
  if (data.length !== Tokens.MULTISIG_BYTES) return undefined
  const cursor = new Layout.Cursor(data)
  const numRequiredSigners = Layout.u8(cursor)
  const numValidSigners = Layout.u8(cursor)
  if (!Layout.bool(cursor)) return undefined
  const signers = Array.from({ length: MAX_SIGNERS }, () => Layout.nonZeroAddress(cursor))
  return {
    type: "multisig",
    info: {
      numRequiredSigners,
      numValidSigners,
      isInitialized: true,
      signers: signers.filter((signer) => signer !== null)
    }
  }
}
