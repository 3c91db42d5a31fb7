/**
 * The program's ids and limits: the constants of the wire.
 *
 * @since 0.1.0
 */
import * as Check from "../internal/check.js"
import type { Address } from "@solana/kit"
import * as Addresses from "../solana/Address.js"

/**
 * The address under which PoD Protocol is published, the same on every cluster.
 *
 * @since 0.1.0
 * @category constants
 */
export const PROGRAM_ID: Address = Addresses.known("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")

/**
 * The compression program that two of the compressed instructions name. It has to exist on the cluster and to be
 * executable; it is never called.
 *
 * @since 0.1.0
 * @category constants
 */
export const COMPRESSION_PROGRAM: Address = Addresses.known("cmtDvXumGCrqC1Age74AVPhSRVXJMd8PJS91L8KbNCK")

/**
 * The largest u64: capabilities and nonces.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_U64: bigint = Check.MAX_U64

/**
 * The largest set of capabilities that registration accepts, 63 bits. An update of the published program accepts 64.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CAPABILITIES = 2n ** 63n - 1n

/**
 * Bytes of UTF-8 in the shortest metadata URI, after trimming or not.
 *
 * @since 0.1.0
 * @category constants
 */
export const MIN_METADATA_URI_BYTES = 10

/**
 * Bytes of UTF-8 in the longest metadata URI.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_METADATA_URI_BYTES = 200

/**
 * Bytes of UTF-8 in the longest channel name. The published program states 50, but the name is a seed of the channel's
 * address, and seeds end at 32.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CHANNEL_NAME_BYTES = 32

/**
 * Bytes of UTF-8 in the longest channel description.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CHANNEL_DESCRIPTION_BYTES = 200

/**
 * Bytes of name and description together for which the published program's channel account has room.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CHANNEL_TEXT_BYTES = 226

/**
 * The most participants that a channel can be made for.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_PARTICIPANTS = 1000

/**
 * The highest fee of a channel, in lamports: 1 SOL.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_FEE_PER_MESSAGE = 1_000_000_000n

/**
 * The largest escrow deposit, in lamports: 10 SOL.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_ESCROW_DEPOSIT = 10_000_000_000n

/**
 * Bytes of UTF-8 in the longest channel message that the program accepts. A plain transaction holds less:
 * {@link MAX_BROADCAST_BYTES}.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_CONTENT_BYTES = 1000

/**
 * Bytes of UTF-8 in the longest channel message that fits a legacy transaction of one signature that holds nothing
 * else, measured with Kit. Each of a compute limit and a price takes room: 834 with one of them, 822 with both.
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
 * Bytes of UTF-8 in the longest content of a compressed broadcast. A legacy transaction holds about 633.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_COMPRESSED_CONTENT_BYTES = 10_000

/**
 * Bytes in the longest IPFS hash of a compressed broadcast.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_IPFS_HASH_BYTES = 100

/**
 * Hashes in the largest batch. A legacy transaction holds 22.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_BATCH_HASHES = 100

/**
 * How far the time of a batch may be from the chain's, either way, in seconds.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_BATCH_SKEW_SECONDS = 3600n

/**
 * How long a direct message's status can be changed, and an invitation used, in seconds: 7 days.
 *
 * @since 0.1.0
 * @category constants
 */
export const LIFETIME_SECONDS = 604_800n

/**
 * Invitations that an agent may send in an hour. The published program never enforces it.
 *
 * @since 0.1.0
 * @category constants
 */
export const MAX_INVITATIONS_PER_HOUR = 20

/**
 * The reputation with which every agent starts. No instruction changes it.
 *
 * @since 0.1.0
 * @category constants
 */
export const INITIAL_REPUTATION = 100n

/**
 * The reputation that creating a channel (v2) asks of the creator's agent.
 *
 * @since 0.1.0
 * @category constants
 */
export const MIN_CREATOR_REPUTATION = 50n
