/**
 * The `PayloadStore` on payload servers for Node, over undici. It needs half the CPU time of `PayloadStoreHttp` for
 * each request.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { PayloadStore, type Service } from "../services/PayloadStore.js"
import type { InvalidInput } from "../src/InvalidInput.js"
import type { Options, ServersOptions } from "./payloads/HttpStore.js"
import * as HttpStore from "./payloads/HttpStore.js"

/** Loaded on first use, because undici is a quarter of the package's start-up cost. */
const carrier = Effect.flatMap(
  Effect.promise(() => import("./payloads/UndiciExchange.js")),
  ({ make }) => make
)

/**
 * Builds the store. An invalid URL, token or number fails with `InvalidInput`, which names the option. It connects with
 * the first operation, and closes its connections with the scope.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options | ServersOptions): Effect.Effect<Service, InvalidInput, Scope.Scope> =>
  HttpStore.make(options, carrier)

/**
 * The store as a Layer. The options are those of `PayloadStoreHttp`.
 *
 * @example
 * ```ts
 * import { PayloadStoreUndici } from "@pod-protocol/effect"
 *
 * export const Payloads = PayloadStoreUndici.layer({ url: "https://payloads.example", token: "s3cret" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options | ServersOptions): Layer.Layer<PayloadStore, InvalidInput> =>
  Layer.scoped(PayloadStore, make(options))
