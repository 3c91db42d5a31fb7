/**
 * Hostile clients: whatever they send, the answer is JSON-RPC and the cluster goes on.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Keypair } from "@solana/web3.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as JsonRpc from "../../layers/embedded/rpc/JsonRpc.js"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Json from "../../src/solana/Json.js"
import { request } from "../support/hostileCalls.js"
import { runs } from "../support/runs.js"
import { addressOf, funded, signedNow, transfer } from "./support.js"

/** A well-formed transaction with some bytes changed, cut or added: what reaches the machine. */
const mutations = FastCheck.array(
  FastCheck.record({
    kind: FastCheck.constantFrom("set", "set", "set", "cut", "insert"),
    at: FastCheck.nat(400),
    byte: FastCheck.nat(255)
  }),
  { minLength: 1, maxLength: 6 }
)

type Mutation = { readonly kind: string; readonly at: number; readonly byte: number }

const mutate = (wire: Uint8Array, changes: ReadonlyArray<Mutation>): Uint8Array =>
  changes.reduce((bytes: Uint8Array, { kind, at, byte }) => {
    const position = at % Math.max(1, bytes.length)
    if (kind === "set") return bytes.with(position, byte)
    return kind === "cut"
      ? Uint8Array.of(...bytes.subarray(0, position), ...bytes.subarray(position + 1))
      : Uint8Array.of(...bytes.subarray(0, position), byte, ...bytes.subarray(position))
  }, wire)

const cluster = RpcPoolEmbedded.layer.pipe(
  Layer.provideMerge(EmbeddedCluster.layer({ maxBlocks: 500, maxTransactions: 500, maxStatuses: 500 }))
)

const isReply = (reply: unknown): boolean =>
  typeof reply === "object" && reply !== null && "jsonrpc" in reply && ("result" in reply || "error" in reply)

/** Answers, and fails the test where the answer is none of JSON-RPC or says that a call died. */
const check = (text: string, request: EmbeddedCluster.Service["request"]): boolean => {
  const reply = Effect.runSync(JsonRpc.answer(text, request))
  if (reply === undefined) return true
  const parsed = Either.getOrThrow(Json.parse(reply))
  return (
    !reply.includes('"message":"Internal error"') && (Array.isArray(parsed) ? parsed.every(isReply) : isReply(parsed))
  )
}

describe("front door", () => {
  it.effect("Given texts that are JSON or not, When answered, Then each gets a JSON-RPC reply", () =>
    Effect.gen(function* () {
      const { request: call } = yield* EmbeddedCluster.EmbeddedCluster
      const texts = FastCheck.oneof(
        { weight: 6, arbitrary: request },
        { weight: 1, arbitrary: FastCheck.array(request, { maxLength: 4 }).map((items) => `[${items.join()}]`) },
        { weight: 1, arbitrary: FastCheck.json() },
        { weight: 1, arbitrary: FastCheck.string() }
      )
      FastCheck.assert(
        FastCheck.property(texts, (text) => check(text, call)),
        { numRuns: runs(500) }
      )
    }).pipe(Effect.provide(cluster))
  )

  it.effect(
    "Given a transaction with changed bytes, When it is sent and simulated, Then each call gets an answer",
    () =>
      Effect.gen(function* () {
        const { request: call } = yield* EmbeddedCluster.EmbeddedCluster
        const payer = yield* funded()
        const good = yield* signedNow([payer], transfer(payer, Keypair.generate().publicKey, 1_000_000n))
        const config = { encoding: "base64", skipPreflight: true, replaceRecentBlockhash: true }
        FastCheck.assert(
          FastCheck.property(
            mutations,
            FastCheck.constantFrom("sendTransaction", "simulateTransaction"),
            (changes, method) => {
              const params = [Base64.encode(mutate(good, changes)), config]
              return check(Json.stringify({ jsonrpc: "2.0", id: 1, method, params }), call)
            }
          ),
          { numRuns: runs(500) }
        )
        const rpc = yield* RpcPool.RpcPool
        assert.isAbove(Number((yield* rpc.getBalance(addressOf(payer))).value), 0)
      }).pipe(Effect.provide(cluster))
  )

  it.effect("Given deeply nested arrays, When they are parsed, Then the call gets an answer", () =>
    Effect.gen(function* () {
      const { request: call } = yield* EmbeddedCluster.EmbeddedCluster
      assert.isTrue(check("[".repeat(100_000), call))
      assert.isTrue(check("[".repeat(50_000) + "]".repeat(50_000), call))
      const deep = `{"jsonrpc":"2.0","id":1,"method":"getBalance","params":[${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}]}`
      assert.isTrue(check(deep, call))
    }).pipe(Effect.provide(cluster))
  )
})

class Served extends Context.Tag("test/FrontDoor")<Served, Server.Served>() {}

const served = Layer.scoped(Served, Server.serve({ maxBodyBytes: 4096 })).pipe(
  Layer.provide(EmbeddedCluster.layer({ podProgram: false }))
)

layer(served, { excludeTestServices: true })("HTTP door", (it) => {
  it.effect("Given requests that HTTP must refuse, When they are made, Then the status gives the reason", () =>
    Effect.gen(function* () {
      const { url } = yield* Served
      const status = (path: string, init: RequestInit) =>
        Effect.promise(() =>
          fetch(`${url}${path}`, init).then(async (reply) => [reply.status, await reply.text()] as const)
        )
      const json = { "content-type": "application/json" }
      assert.deepStrictEqual(yield* status("/health", {}), [200, "ok"])
      assert.strictEqual((yield* status("/other", {}))[0], 405)
      assert.strictEqual((yield* status("/", { method: "POST", body: "{}" }))[0], 415)
      assert.strictEqual((yield* status("/", { method: "POST", headers: json, body: " ".repeat(4097) }))[0], 413)
      const [code, body] = yield* status("/", { method: "POST", headers: json, body: "{" })
      assert.strictEqual(code, 200)
      assert.strictEqual(body, '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}')
      assert.include((yield* status("/", { method: "POST", headers: json, body: "[]" }))[1], "-32600")
      const notification = JSON.stringify({ jsonrpc: "2.0", method: "getHealth" })
      assert.deepStrictEqual(yield* status("/", { method: "POST", headers: json, body: notification }), [200, ""])
    })
  )

  it.effect("Given a port in use, When served there, Then a typed error names it", () =>
    Effect.gen(function* () {
      const { port } = yield* Served
      for (const taken of [port, port - 1]) {
        const error = yield* Effect.flip(
          Effect.scoped(Server.serve({ port: taken })).pipe(
            Effect.provide(EmbeddedCluster.layer({ podProgram: false }))
          )
        )
        assert.strictEqual(error._tag === "EmbeddedClusterError" ? error.reason : error._tag, "PortTaken")
        assert.include(error.message, `port ${port} of 127.0.0.1 is taken`)
      }
      const invalid = yield* Effect.flip(
        Effect.scoped(Server.serve({ port: 70_000 })).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
      )
      assert.strictEqual(invalid._tag, "InvalidInput")
    })
  )
})
