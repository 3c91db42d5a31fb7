/** Integers of RPC replies. */

/**
 * The integer as the JSON parser would return it: `number` up to 2^53 - 1, `bigint` beyond. So a reply is the same in
 * process and over the network.
 */
export const fromBigInt = (value: bigint): number | bigint => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
