/**
 * Limits of the Solana runtime that several modules rely on.
 *
 * @since 0.1.0
 */

/**
 * Instructions of a message, inner ones not counted. From Agave's `MAX_INSTRUCTION_TRACE_LENGTH`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_INSTRUCTIONS = 64
