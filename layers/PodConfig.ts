/**
 * The settings of `Pod.layer`, and where they come from.
 *
 * @since 0.1.0
 */
import type { Address, Commitment } from "@solana/kit"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import { PROGRAM_ID } from "../src/protocol/Program.js"
import * as Addresses from "../src/solana/Address.js"

/**
 * Which cluster is spoken to, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface PodConfig {
  /** The JSON-RPC endpoint, `http:` or `https:`. Redacted, since its path or query may hold an API key. */
  readonly url: Redacted.Redacted
  /**
   * The WebSocket endpoint for subscriptions, `ws:` or `wss:`. Default: derived from `url` as Solana does, the same host
   * with `ws` for `http`, and with the next port where `url` names one.
   */
  readonly wsUrl?: Redacted.Redacted | undefined
  /**
   * How sure what is read and what is confirmed must be. Default `confirmed`. Lower (`processed`) is faster by about a
   * slot and may be undone by a fork; higher (`finalized`) is 32 slots (13 s) slower.
   */
  readonly commitment?: Commitment | undefined
  /** The program's address. Default: that of the published program. */
  readonly programId?: Address | undefined
}

/**
 * What is assumed where nothing is said.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults = {
  /** Survives forks in practice, at the price of about one slot. */
  commitment: "confirmed",
  /** The published program, at the same address on every public cluster. */
  programId: PROGRAM_ID
} as const satisfies Partial<PodConfig>

const address = (name: string): Config.Config<Address> =>
  Config.string(name).pipe(
    Config.mapOrFail((text) =>
      Either.mapLeft(Addresses.parse(text, name), ({ message }) => ConfigError.InvalidData([name], message))
    )
  )

/**
 * Reads `POD_RPC_URL` (required), `POD_WS_URL`, `POD_COMMITMENT` and `POD_PROGRAM_ID`.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<PodConfig> = Config.all({
  url: Config.redacted("POD_RPC_URL").pipe(Config.withDescription("JSON-RPC endpoint, http: or https:")),
  wsUrl: Config.redacted("POD_WS_URL").pipe(
    Config.withDescription("WebSocket endpoint, ws: or wss:"),
    Config.option,
    Config.map(Option.getOrUndefined)
  ),
  commitment: Config.literal(
    "processed",
    "confirmed",
    "finalized"
  )("POD_COMMITMENT").pipe(
    Config.withDescription("processed, confirmed or finalized"),
    Config.withDefault(defaults.commitment)
  ),
  programId: address("POD_PROGRAM_ID").pipe(
    Config.withDescription("Address of the program"),
    Config.withDefault(defaults.programId)
  )
})
