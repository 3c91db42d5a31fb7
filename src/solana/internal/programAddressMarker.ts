/** The last bytes of the preimage of every program-derived address. */
export const MARKER = new TextEncoder().encode("ProgramDerivedAddress")
