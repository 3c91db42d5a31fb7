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

const decimalText = (amount: bigint, decimals: number): string => {
  if (decimals === 0) return String(amount)
  const digits = String(amount).padStart(decimals + 1, "0")
  const fraction = digits.slice(-decimals).replace(/0+$/, "")
  const whole = digits.slice(0, -decimals)
  return fraction === "" ? whole : `${whole}.${fraction}`
}
