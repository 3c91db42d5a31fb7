/** Constants shared by messages and transactions. */

/** 1280 bytes of the smallest IPv6 packet, less 48 bytes of headers. */
export const MAX_TRANSACTION_BYTES = 1232

export const SIGNATURE_BYTES = 64

/** Set in the first byte of a versioned message; the other seven bits are the version. */
export const VERSION_FLAG = 0x80
