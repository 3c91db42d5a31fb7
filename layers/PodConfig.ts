/**
 * The settings of `Pod.layer`, and where they come from.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { PROGRAM_ID } from "../src/protocol/Program.js"
import * as Addresses from "../src/solana/Address.js"
import type * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * Which cluster is spoken to, and how. Only `url` has no default.
 *
 * @since 0.1.0
 * @category models
 */
export interface PodConfig extends RpcPoolUndici.Options {
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
