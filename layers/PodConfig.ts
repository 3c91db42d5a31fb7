/**
 * The settings of `Pod.layer`, and their configuration from the environment.
 *
 * @since 0.1.0
 */
import type { Address, Commitment } from "@solana/kit"
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { PROGRAM_ID } from "../src/protocol/Program.js"
import * as Addresses from "../src/solana/Address.js"
import * as Setting from "./internal/Setting.js"
import * as Url from "./internal/Url.js"
import * as PayloadStoreHttp from "./PayloadStoreHttp.js"
import type * as RpcPoolUndici from "./RpcPoolUndici.js"

/**
 * The endpoints of the cluster and their options: one endpoint (`url`) or several (`endpoints`). Every other option has
 * a default.
 *
 * @since 0.1.0
 * @category models
 */
export type PodConfig = (RpcPoolUndici.Options | RpcPoolUndici.EndpointsOptions) & {
  /** The program's address. Default: that of the published program. */
  readonly programId?: Address | undefined
  /**
   * Whether to ask the endpoints for the program at the start, which reveals a wrong or unreachable endpoint early.
   * Default: true. `false` connects with the first call.
   */
  readonly startCheck?: boolean | undefined
  /** The payload servers. Default: none, so that the `PayloadStore` comes from the context. */
  readonly payloads?: Payloads | undefined
}

/**
 * One payload server or several; see `PayloadStoreHttp`.
 *
 * @since 0.1.0
 * @category models
 */
export type Payloads = PayloadStoreHttp.Options | PayloadStoreHttp.ServersOptions

/**
 * The default settings.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults = {
  /** Practically safe from forks, and about one slot slower than `processed`. */
  commitment: "confirmed",
  /** The address of the published program. Nothing is known of public clusters that have it: `startCheck` tells. */
  programId: PROGRAM_ID,
  /** Reveals a wrong endpoint before the first message. */
  startCheck: true
} as const satisfies Partial<PodConfig>

/** Splits a list at its commas. A text with a comma writes it as %2C. */
const listOf = (text: string): ReadonlyArray<Redacted.Redacted> =>
  text
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "")
    .map((item) => Redacted.make(item))

const rpcUrls: Setting.Setting<ReadonlyArray<Redacted.Redacted>> = {
  name: "POD_RPC_URL",
  expected:
    "http: or https: URLs with commas between them; localhost, devnet, testnet and mainnet-beta stand for their own",
  parse: (text) => {
    const urls = listOf(text)
    return urls.length === 0 ? Either.left("there is none") : Either.right(urls)
  }
}

const wsUrls: Setting.Setting<ReadonlyArray<Redacted.Redacted>> = {
  name: "POD_WS_URL",
  expected: "ws: or wss: URLs with commas between them, in the order of POD_RPC_URL",
  parse: (text) => Either.right(listOf(text))
}

/** Checks the URLs here, so that the error names the setting. */
const endpointsOf = (
  urls: ReadonlyArray<Redacted.Redacted>,
  wsUrls: ReadonlyArray<Redacted.Redacted>
): Either.Either<ReadonlyArray<RpcPoolUndici.EndpointOptions>, ConfigError.ConfigError> => {
  if (wsUrls.length !== 0 && wsUrls.length !== urls.length) {
    const expected = `Expected as many URLs as POD_RPC_URL has (${urls.length}), or none, but there are ${wsUrls.length}`
    return Either.left(ConfigError.InvalidData(["POD_WS_URL"], expected))
  }
  return Either.all(
    urls.map((url, index) => {
      const endpoint = { url, wsUrl: wsUrls[index] }
      return Either.mapBoth(Url.make(endpoint), {
        onLeft: ({ field, rule }) => {
          const name = field === "url" ? "POD_RPC_URL" : "POD_WS_URL"
          return ConfigError.InvalidData([name], urls.length === 1 ? `It ${rule}` : `URL ${index + 1} ${rule}`)
        },
        onRight: () => endpoint
      })
    })
  )
}

/**
 * Reads `POD_RPC_URL` (required; several URLs separated by commas; `localhost`, `devnet`, `testnet` and `mainnet-beta`
 * stand for their usual URLs), `POD_WS_URL` (one per URL, or none), `POD_COMMITMENT`, `POD_PROGRAM_ID`, `POD_START_CHECK`,
 * `POD_PAYLOAD_URL` and `POD_PAYLOAD_TOKEN`. An empty setting counts as absent.
 *
 * @since 0.1.0
 * @category config
 */
export const config: Config.Config<PodConfig> = Config.all({
  urls: Setting.required(rpcUrls),
  wsUrls: Setting.withDefault(wsUrls, []),
  commitment: Setting.withDefault<Commitment>(
    {
      name: "POD_COMMITMENT",
      expected: "processed, confirmed or finalized",
      parse: Setting.oneOf({ processed: "processed", confirmed: "confirmed", finalized: "finalized" })
    },
    defaults.commitment
  ),
  programId: Setting.withDefault(
    {
      name: "POD_PROGRAM_ID",
      expected: "the address of the program, base58 of 32 bytes",
      parse: (text) => Either.mapLeft(Addresses.parse(text), () => undefined)
    },
    defaults.programId
  ),
  payloads: PayloadStoreHttp.config,
  startCheck: Setting.withDefault<boolean>(
    {
      name: "POD_START_CHECK",
      expected: "true or false, whether to ask the endpoints for the program at the start",
      parse: Setting.oneOf({ true: true, yes: true, on: true, 1: true, false: false, no: false, off: false, 0: false })
    },
    defaults.startCheck
  )
}).pipe(
  Config.mapOrFail(({ payloads, urls, wsUrls, ...rest }) =>
    Either.map(endpointsOf(urls, wsUrls), (endpoints) => ({
      ...rest,
      endpoints,
      payloads: Option.getOrUndefined(payloads)
    }))
  )
)
