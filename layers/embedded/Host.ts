/**
 * The host name of an embedded cluster in spans and errors.
 *
 * @since 0.1.0
 * @category constants
 */
export const HOST = "embedded"
