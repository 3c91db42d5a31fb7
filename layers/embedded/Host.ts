/** What stands for a host in spans and errors. */
export const HOST = "embedded"
