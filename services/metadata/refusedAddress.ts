/** The code of the error with which a connector refuses an address. */
export const REFUSED_ADDRESS = "POD_ADDRESS_REFUSED"
