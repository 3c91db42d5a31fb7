/** An honest node with slow leaders: an accepted transaction lands some slots later, or never. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Service as Cluster } from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import { RpcError, type RpcTransport } from "../../services/RpcTransport.js"
import * as Base58 from "../../src/solana/Base58.js"

/** Milliseconds of a slot, as on Solana. */
export const SLOT = 400

/** Maximum slots until an accepted transaction lands. */
export const LATEST = 20

export interface Options {
  /** Milliseconds of a slot. */
  readonly slot: number
  /** Slots from the first sending to the block. */
  readonly delay: number
  /** Whether the leaders lose the first transaction, however often it is sent. */
  readonly loses: boolean
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

const valueOf = (reply: unknown): unknown => (isRecord(reply) ? reply["value"] : undefined)

/** The first signature of a transaction in base64, which is a node's answer. */
const signatureOf = (wire: string): string => Base58.encode(Buffer.from(wire, "base64").subarray(1, 65))

/** The node's transport. Transactions in transit end with the scope. `signatures` are those that it accepted. */
export const make = (
  cluster: Cluster,
  { delay, loses, slot }: Options
): Effect.Effect<{ readonly transport: RpcTransport; readonly signatures: ReadonlySet<string> }, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const truthful = RpcPoolEmbedded.transport(cluster)
    const signatures = new Set<string>()
    let lost: string | undefined

    /** The preflight of the node, at the requested bank. */
    const check = (wire: string, config: Readonly<Record<string, unknown>>) =>
      truthful
        .request("simulateTransaction", [
          wire,
          {
            encoding: "base64",
            sigVerify: true,
            commitment: config["preflightCommitment"],
            minContextSlot: config["minContextSlot"]
          }
        ])
        .pipe(
          Effect.map(valueOf),
          Effect.flatMap((value) =>
            isRecord(value) && value["err"] !== null
              ? new RpcError({
                  reason: "Node",
                  method: "sendTransaction",
                  host: truthful.host,
                  code: -32002,
                  detail: "Transaction simulation failed",
                  data: value
                })
              : Effect.void
          )
        )

    const send: RpcTransport["request"] = (method, params) =>
      Effect.gen(function* () {
        const [wire, given] = params
        const config = isRecord(given) ? given : {}
        if (typeof wire !== "string") return yield* truthful.request(method, params)
        if (config["skipPreflight"] !== true) yield* check(wire, config)
        const signature = signatureOf(wire)
        lost ??= loses ? signature : ""
        const isNew = !signatures.has(signature)
        signatures.add(signature)
        // A leader drops an invalid transaction silently.
        if (isNew && signature !== lost) {
          yield* truthful
            .request(method, [wire, { encoding: "base64", skipPreflight: true }])
            .pipe(Effect.delay(delay * slot), Effect.ignore, Effect.forkIn(scope))
        }
        return signature
      })

    const request: RpcTransport["request"] = (method, params) =>
      method === "sendTransaction" ? send(method, params) : truthful.request(method, params)

    return {
      signatures,
      transport: {
        ...truthful,
        request,
        batch: (calls) => Effect.forEach(calls, ({ method, params }) => Effect.either(request(method, params)))
      }
    }
  })
