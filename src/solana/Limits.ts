/**
 * Limits and constants of Solana that several modules rely on.
 *
 * @since 0.1.0
 */

/**
 * Target duration of a slot on mainnet, in milliseconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const SLOT_MILLIS = 400

/**
 * Number of slots by which the finalized bank is behind the newest bank.
 *
 * @since 0.1.0
 * @category constants
 */
export const FINALITY_SLOTS = 32

/**
 * Maximum addresses of one `getMultipleAccounts`. From Agave's `MAX_MULTIPLE_ACCOUNTS`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_MULTIPLE_ACCOUNTS = 100

/**
 * Maximum signatures of one `getSignatureStatuses`. From Agave's `MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_SIGNATURE_STATUSES = 256

/**
 * Maximum signatures of one page of `getSignaturesForAddress`. From Agave's
 * `MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_SIGNATURES_FOR_ADDRESS = 1000

/**
 * Maximum samples of one `getRecentPerformanceSamples`. From Agave's `PERFORMANCE_SAMPLES_LIMIT`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_PERFORMANCE_SAMPLES = 720

/**
 * Maximum accounts of one `getRecentPrioritizationFees`. From Agave's `MAX_TX_ACCOUNT_LOCKS`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_PRIORITIZATION_ACCOUNTS = 128

/**
 * Maximum instructions of a message, without inner instructions. From Agave's `MAX_INSTRUCTION_TRACE_LENGTH`.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_INSTRUCTIONS = 64

/**
 * Maximum data of an account, 10 MiB.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_ACCOUNT_BYTES = 10 * 1024 * 1024
