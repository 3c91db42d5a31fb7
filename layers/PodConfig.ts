/**
 * The settings of `Pod.layer`, and where they come from.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { PROGRAM_ID } from "../src/protocol/Program.js"
import * as Addresses from "../src/solana/Address.js"
import type * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * Which cluster is spoken to, and how: one endpoint (`url`) or several (`endpoints`). Nothing else lacks a default.
 *
 * @since 0.1.0
 * @category models
 */
export type PodConfig = (RpcPoolUndici.Options | RpcPoolUndici.EndpointsOptions) & {
  /** The program's address. Default: that of the published program. */
  readonly programId?: Address | undefined
  /**
   * Whether the endpoints are asked at the start for the program, so that a wrong or unreachable one is found there.
   * Default: true. `false` connects with the first call.
   */
  readonly startCheck?: boolean | undefined
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
  programId: PROGRAM_ID,
  /** A wrong endpoint is found before the first message. */
  startCheck: true
} as const satisfies Partial<PodConfig>

const address = (name: string): Config.Config<Address> =>
  Config.string(name).pipe(
    Config.mapOrFail((text) =>
      Either.mapLeft(Addresses.parse(text, name), ({ message }) => ConfigError.InvalidData([name], message))
    )
  )

/** URLs with commas between them; one that has a comma itself writes it as %2C. */
const urls = (name: string): Config.Config<ReadonlyArray<Redacted.Redacted>> =>
  Config.map(Config.redacted(name), (text) =>
    Redacted.value(text)
      .split(",")
      .map((url) => Redacted.make(url.trim()))
  )

/**
 * Reads `POD_RPC_URL` (required; several with commas between them), `POD_WS_URL` (as many, or none), `POD_COMMITMENT`,
 * `POD_PROGRAM_ID` and `POD_START_CHECK`.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<PodConfig> = Config.all({
  urls: urls("POD_RPC_URL").pipe(
    Config.withDescription("JSON-RPC endpoints, http: or https:, with commas between them")
  ),
  wsUrls: urls("POD_WS_URL").pipe(
    Config.withDescription("WebSocket endpoints, ws: or wss:, in the order of the others"),
    Config.withDefault([])
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
  ),
  startCheck: Config.boolean("POD_START_CHECK").pipe(
    Config.withDescription("Whether to ask the endpoints for the program at the start"),
    Config.withDefault(defaults.startCheck)
  )
}).pipe(
  Config.mapOrFail(({ urls, wsUrls, ...rest }) =>
    wsUrls.length === 0 || wsUrls.length === urls.length
      ? Either.right({ ...rest, endpoints: urls.map((url, index) => ({ url, wsUrl: wsUrls[index] })) })
      : Either.left(
          ConfigError.InvalidData(
            ["POD_WS_URL"],
            `Expected ${urls.length} URLs, as POD_RPC_URL has, or none, but received ${wsUrls.length}`
          )
        )
  )
)
