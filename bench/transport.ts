/**
 * What a call costs the client in CPU.
 */

/** Measures and prints. */
export const run = (): Promise<void> => Promise.resolve(console.log("no cases yet"))
