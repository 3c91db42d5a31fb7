/** The text that ends the preimage of every program-derived address. */
export const MARKER = new TextEncoder().encode("ProgramDerivedAddress")
