/** Integers of the RPC's answers. */

/**
 * The integer as reading it from JSON would give it: `number` up to 2^53 - 1, `bigint` beyond. So an answer is the
 * same whether it went over a wire or not.
 */
export const fromBigInt = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
