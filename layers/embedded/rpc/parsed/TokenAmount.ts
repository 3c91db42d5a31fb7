/** Amounts of tokens, as a node writes them. */

/** An amount in its smallest unit, and in units of the mint's decimals. */
export interface TokenAmount {
  readonly amount: string
  readonly decimals: number
  /** Null beyond 19 decimals. */
  readonly uiAmount: number | null
  readonly uiAmountString: string
}

const MAX_NUMBER_DECIMALS = 19

/** The JSON form of an amount. */
export const make = (amount: bigint, decimals: number): TokenAmount => ({
  uiAmount: decimals > MAX_NUMBER_DECIMALS ? null : Number(amount) / 10 ** decimals,
  decimals,
  amount: String(amount),
  uiAmountString: decimalText(amount, decimals)
})

/** As `make`, of an amount that the mint shows as another number. */
export const ofNumber = (amount: bigint, decimals: number, shown: number): TokenAmount => ({
  uiAmount: Number.isFinite(shown) ? Number(trimmed(fixed(shown, decimals))) : null,
  decimals,
  amount: String(amount),
  uiAmountString: Number.isFinite(shown) ? trimmed(fixed(shown, decimals)) : shown > 0 ? "inf" : "NaN"
})

/** From this on, `toFixed` writes an exponent. Such numbers are whole. */
const MAX_FIXED = 1e21

const fixed = (value: number, decimals: number): string =>
  value < MAX_FIXED ? value.toFixed(Math.min(decimals, 100)) : String(BigInt(value))

const trimmed = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text)

const decimalText = (amount: bigint, decimals: number): string => {
  if (decimals === 0) return String(amount)
  const digits = String(amount).padStart(decimals + 1, "0")
  const fraction = digits.slice(-decimals).replace(/0+$/, "")
  const whole = digits.slice(0, -decimals)
  return fraction === "" ? whole : `${whole}.${fraction}`
}
