/**
 * @since 0.1.0
 */

/**
 * What stands for a host in spans and errors.
 *
 * @since 0.1.0
 * @category constants
 */
export const HOST = "embedded"
