/**
 * The program's addresses and limits.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Check from "../internal/check.js"
import * as Addresses from "../solana/Address.js"

/**
 * The address under which PoD Protocol is published, the same on every cluster.
 *
 * @since 0.1.0
 * @category constants
 */
export const PROGRAM_ID: Address = Addresses.known("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")

/**
 * The compression program that two compressed instructions name. It must exist on the cluster and be executable. The
 * program never calls it.
 *
 * @since 0.1.0
 * @category constants
 */
export const COMPRESSION_PROGRAM: Address = Addresses.known("cmtDvXumGCrqC1Age74AVPhSRVXJMd8PJS91L8KbNCK")

/**
 * The largest u64, the type of capabilities and nonces.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_U64: bigint = Check.MAX_U64

/**
 * The largest bit set of capabilities that registration accepts, 63 bits. The published program's update accepts 64.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CAPABILITIES = 2n ** 63n - 1n

/**
 * Minimum bytes of UTF-8 in a metadata URI, both before and after trimming.
 *
 * @since 0.1.0
 * @category constants
 */
export const MIN_METADATA_URI_BYTES = 10

/**
 * Maximum bytes of UTF-8 in a metadata URI.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_METADATA_URI_BYTES = 200

/**
 * Maximum bytes of UTF-8 in a channel name. The published program documents 50, but the name is a seed of the channel's
 * address, and a seed has at most 32.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CHANNEL_NAME_BYTES = 32

/**
 * Maximum bytes of UTF-8 in a channel description.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CHANNEL_DESCRIPTION_BYTES = 200

/**
 * Maximum bytes of name and description together: the room in the published program's channel account.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CHANNEL_TEXT_BYTES = 226

/**
 * Maximum participants of a channel.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_PARTICIPANTS = 1000

/**
 * Maximum fee of a channel, in lamports: 1 SOL.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_FEE_PER_MESSAGE = 1_000_000_000n

/**
 * Maximum escrow deposit, in lamports: 10 SOL.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_ESCROW_DEPOSIT = 10_000_000_000n

/**
 * Maximum bytes of UTF-8 in a channel message by the program's rule. A plain transaction holds less: {@link
 * MAX_BROADCAST_BYTES}.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CONTENT_BYTES = 1000

/**
 * Maximum bytes of UTF-8 in a channel message that fits a legacy transaction with one signature and no other
 * instruction, measured with Kit. A compute limit or price takes room: 834 with one of them, 822 with both.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_BROADCAST_BYTES = 874

/**
 * As {@link MAX_BROADCAST_BYTES}, for a message that replies to another.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_REPLY_BYTES = 842

/**
 * Maximum bytes of UTF-8 in the content of a compressed broadcast. A legacy transaction holds about 633.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_COMPRESSED_CONTENT_BYTES = 10_000

/**
 * Maximum bytes of the IPFS hash of a compressed broadcast.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_IPFS_HASH_BYTES = 100

/**
 * Maximum hashes in a batch. A legacy transaction holds 22.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_BATCH_HASHES = 100

/**
 * Maximum difference, in seconds, between the time of a batch and the chain's time.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_BATCH_SKEW_SECONDS = 3600n

/**
 * Seconds during which a direct message's status can change and an invitation can be used: 7 days.
 *
 * @since 0.1.0
 * @category constants
 */
export const LIFETIME_SECONDS = 604_800n

/**
 * Maximum invitations of an agent per hour. The published program never enforces it.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_INVITATIONS_PER_HOUR = 20

/**
 * The initial reputation of every agent. No instruction changes it.
 *
 * @since 0.1.0
 * @category constants
 */
export const INITIAL_REPUTATION = 100n

/**
 * Minimum reputation of the creator's agent for creating a channel (v2).
 *
 * @since 0.1.0
 * @category constants
 */
export const MIN_CREATOR_REPUTATION = 50n
