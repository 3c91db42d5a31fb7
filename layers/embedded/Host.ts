/** The host name of an embedded cluster in spans and errors. */
export const HOST = "embedded"
