/**
 * How many cases a property test tries: `FUZZ_RUNS`, or `fallback` where that is not set.
 */
export const runs = (fallback: number): number => {
  const wanted = Number(process.env["FUZZ_RUNS"])
  return Number.isSafeInteger(wanted) && wanted > 0 ? wanted : fallback
}
