/** How many cases a property test runs: `FUZZ_RUNS`, or the given number. */
export const runs = (fallback: number): number => Number(process.env["FUZZ_RUNS"] ?? fallback)
