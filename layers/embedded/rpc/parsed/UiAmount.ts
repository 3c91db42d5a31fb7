/**
 * Amounts of tokens in the form that their mint defines: with interest, or scaled. The extensions change only the
 * display, in the floating-point arithmetic of the token program.
 */
import type { Address } from "@solana/kit"
import * as Layout from "../../chain/Layout.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import * as Sysvars from "../../chain/Sysvars.js"
import * as Tokens from "../../chain/TokenAccounts.js"
import * as TokenAmount from "./TokenAmount.js"
import * as Extensions from "./tokenExtensions.js"

type Lookup = (address: Address) => StoredAccount | undefined

/** Shows an amount of one mint. */
export type Show = (amount: bigint) => TokenAmount.TokenAmount

const INTEREST_BEARING = 10
const SCALED = 25

const BASIS_POINTS = 10_000
/** The token program's year, of 365.24 days. */
const YEAR_SECONDS = 60 * 60 * 24 * 365.24

const AUTHORITY_BYTES = 32
const UNIX_TIME_AT = 32

/** The display of the mint's amounts at the time of the bank; undefined for an account that is not a mint. */
export const of = (account: StoredAccount, lookup: Lookup): Show | undefined => {
  const mint = Tokens.mint(account)
  if (mint === undefined) return undefined
  const { decimals } = mint
  const interest = Extensions.find(account.data, INTEREST_BEARING)
  const scaled = interest === undefined ? Extensions.find(account.data, SCALED) : undefined
  const factor = Layout.attempt(() => {
    if (interest !== undefined) return interestOf(interest, unixTime(lookup))
    return scaled === undefined ? undefined : multiplierOf(scaled, unixTime(lookup))
  })
  if (factor === undefined) return (amount) => TokenAmount.make(amount, decimals)
  return (amount) => {
    const raised = Number(amount) * factor
    const shown =
      interest === undefined ? Math.trunc(raised) / 10 ** decimals : Number(amount) * (factor / 10 ** decimals)
    return TokenAmount.ofNumber(amount, decimals, shown)
  }
}

const unixTime = (lookup: Lookup): number => {
  const clock = lookup(Sysvars.CLOCK)
  if (clock === undefined) return 0
  const cursor = new Layout.Cursor(clock.data)
  cursor.take(UNIX_TIME_AT)
  return Number(Layout.i64(cursor))
}

const growth = (rate: number, seconds: number): number => Math.exp((rate * seconds) / YEAR_SECONDS / BASIS_POINTS)

/** The value of one unit with interest: one rate up to the last change, and another since. */
const interestOf = (extension: Uint8Array, now: number): number => {
  const from = new Layout.Cursor(extension)
  from.take(AUTHORITY_BYTES)
  const start = Number(Layout.i64(from))
  const before = Layout.i16(from)
  const changed = Number(Layout.i64(from))
  const since = Layout.i16(from)
  return growth(before, changed - start) * growth(since, now - changed)
}

const multiplierOf = (extension: Uint8Array, now: number): number => {
  const from = new Layout.Cursor(extension)
  from.take(AUTHORITY_BYTES)
  const multiplier = Layout.f64(from)
  const effective = Number(Layout.i64(from))
  const next = Layout.f64(from)
  return now >= effective ? next : multiplier
}
