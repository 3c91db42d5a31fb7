/** Accounts of the two token programs: mints, balances, and the balances that a transaction changes. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import * as Layout from "./Layout.js"
import type { StoredAccount } from "./StoredAccount.js"

export const TOKEN_PROGRAM = Addresses.known("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
export const TOKEN_2022_PROGRAM = Addresses.known("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")

/** The mint of wrapped SOL. */
export const NATIVE_MINT = Addresses.known("So11111111111111111111111111111111111111112")

/** Whether the address is one of the token programs. */
export const isTokenProgram = (address: Address): boolean => address === TOKEN_PROGRAM || address === TOKEN_2022_PROGRAM

export const MINT_BYTES = 82
export const ACCOUNT_BYTES = 165
export const MULTISIG_BYTES = 355

/** The byte behind a Token-2022 account with its type: mint or account. Extensions follow it. */
const MINT_TYPE = 1
const ACCOUNT_TYPE = 2

export interface Mint {
  readonly mintAuthority: Address | null
  readonly supply: bigint
  readonly decimals: number
  readonly isInitialized: boolean
  readonly freezeAuthority: Address | null
}

export interface TokenAccount {
  readonly mint: Address
  readonly owner: Address
  readonly amount: bigint
  readonly delegate: Address | null
  readonly state: "uninitialized" | "initialized" | "frozen"
  /** Lamports that are not part of the amount of wrapped SOL; null for any other mint. */
  readonly rentExemptReserve: bigint | null
  readonly delegatedAmount: bigint
  readonly closeAuthority: Address | null
}

const STATES = ["uninitialized", "initialized", "frozen"] as const

const hasType = (data: Uint8Array, bytes: number, type: number): boolean =>
  data.length === bytes ||
  (data.length > ACCOUNT_BYTES && data.length !== MULTISIG_BYTES && data[ACCOUNT_BYTES] === type)

/** The mint in the account's data; undefined if the data is not a mint. */
export const mint = ({ data, owner }: StoredAccount): Mint | undefined =>
  isTokenProgram(owner) && hasType(data, MINT_BYTES, MINT_TYPE)
    ? Layout.attempt(() => {
        const cursor = new Layout.Cursor(data)
        const read = {
          mintAuthority: Layout.fixedOption(Layout.address)(cursor),
          supply: Layout.u64(cursor),
          decimals: Layout.u8(cursor),
          isInitialized: Layout.bool(cursor),
          freezeAuthority: Layout.fixedOption(Layout.address)(cursor)
        }
        return read.isInitialized ? read : undefined
      })
    : undefined

/** The token account in the account's data; undefined if the data is not a token account. */
export const account = ({ data, owner }: StoredAccount): TokenAccount | undefined =>
  isTokenProgram(owner) && hasType(data, ACCOUNT_BYTES, ACCOUNT_TYPE)
    ? Layout.attempt(() => {
        const cursor = new Layout.Cursor(data)
        const read = {
          mint: Layout.address(cursor),
          owner: Layout.address(cursor),
          amount: Layout.u64(cursor),
          delegate: Layout.fixedOption(Layout.address)(cursor),
          state: STATES[Layout.u8(cursor)],
          rentExemptReserve: Layout.fixedOption(Layout.u64)(cursor),
          delegatedAmount: Layout.u64(cursor),
          closeAuthority: Layout.fixedOption(Layout.address)(cursor)
        }
        const { state } = read
        return state === undefined || state === "uninitialized" ? undefined : { ...read, state }
      })
    : undefined

/** The balance of a token account of a transaction, by account index. */
export interface TokenBalance {
  readonly accountIndex: number
  readonly mint: Address
  readonly owner: Address
  readonly programId: Address
  readonly amount: bigint
  readonly decimals: number
}

/** The balances of the token accounts among a transaction's accounts. Without a token program there are none. */
export const balances = (
  addresses: ReadonlyArray<Address>,
  read: (address: Address) => StoredAccount | undefined
): ReadonlyArray<TokenBalance> =>
  addresses.some(isTokenProgram)
    ? addresses.flatMap((address, accountIndex) => {
        const found = read(address)
        const token = found === undefined ? undefined : account(found)
        const minted = token === undefined ? undefined : read(token.mint)
        const decimals = minted === undefined ? undefined : mint(minted)?.decimals
        return found === undefined || token === undefined || decimals === undefined
          ? []
          : [
              {
                accountIndex,
                mint: token.mint,
                owner: token.owner,
                programId: found.owner,
                amount: token.amount,
                decimals
              }
            ]
      })
    : []
