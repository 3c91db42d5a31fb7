/** Bytes of a processor's cache line. Words that different threads write are at least this far apart. */
export const LINE = 64

/** Words of 32 bits in a {@link LINE}. */
export const LINE_WORDS = LINE / 4
