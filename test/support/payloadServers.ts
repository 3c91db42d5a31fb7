import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as PayloadServerNode from "../../layers/PayloadServerNode.js"
import * as PayloadStoreHttp from "../../layers/PayloadStoreHttp.js"
import type { PayloadStore } from "../../services/PayloadStore.js"
import * as Hash from "../../src/solana/Hash.js"

export const TOKEN = "t0k3n-of-a-sender"

export const bytesOf = (text: string) => new TextEncoder().encode(text)
export const keyOf = (bytes: Uint8Array) => Encoding.encodeHex(Hash.sha256(bytes))
export const hello = bytesOf("hello")
export const HELLO = keyOf(hello)

/** A request about a payload, with the token. */
export const fetched = (url: string, key: string, init: RequestInit = {}) =>
  Effect.promise(() =>
    fetch(`${url}/v1/payloads/${key}`, {
      ...init,
      headers: { authorization: `Bearer ${TOKEN}`, ...init.headers }
    })
  )

/** The files of payloads in a folder, of all owners. */
export const filesOf = (directory: string): ReadonlyArray<string> =>
  readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) => /[0-9a-f]{64}$/.test(name))

/** The uploads in progress. */
export const incoming = (directory: string) => readdirSync(join(directory, "incoming"))

/** A folder that is removed at the end. */
export const temporary = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "pod-payloads-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** A server on a new folder. */
export const served = (options: Partial<PayloadServerNode.ServeOptions> = {}) =>
  Effect.gen(function* () {
    const directory = options.directory ?? (yield* temporary)
    const server = yield* PayloadServerNode.serve({ tokens: [TOKEN], ...options, directory })
    return { ...server, directory }
  })

/** The store of one server. */
export const storeAt = (url: string, options: Partial<PayloadStoreHttp.Options> = {}) =>
  PayloadStoreHttp.make({ url, token: TOKEN, retries: 0, ...options }).pipe(Effect.provide(FetchHttpClient.layer))

/** The store on this many new servers. */
export const layerServers = (
  count: number,
  options: Partial<PayloadServerNode.ServeOptions> = {}
): Layer.Layer<PayloadStore> =>
  Layer.unwrapScoped(
    Effect.gen(function* () {
      const servers = yield* Effect.forEach(Array.from({ length: count }), () => served(options))
      return PayloadStoreHttp.layerFetch({ servers: servers.map(({ url }) => ({ url, token: TOKEN })), retries: 0 })
    })
  ).pipe(Layer.orDie)
