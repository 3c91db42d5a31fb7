/**
 * Measures payloads: sealing against the primitives of `node:crypto`, a send through the HTTP store against the same
 * PUT by undici, and the cost of the server, which runs in another process.
 *
 *     npm run -s bench -- payloads [--json]
 *
 * The row "again" is the base a second time: its difference from 1 is noise.
 */
import { spawn } from "node:child_process"
import * as Crypto from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { lamports } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { request } from "undici"
import * as EmbeddedCluster from "../layers/EmbeddedCluster.js"
import * as PayloadStoreHttp from "../layers/PayloadStoreHttp.js"
import * as PayloadStoreUndici from "../layers/PayloadStoreUndici.js"
import * as Pod from "../layers/Pod.js"
import * as RpcPoolEmbedded from "../layers/RpcPoolEmbedded.js"
import * as SealingNode from "../layers/SealingNode.js"
import * as TestWallets from "../layers/TestWallets.js"
import * as WalletNode from "../layers/WalletNode.js"
import * as Message from "../services/Message.js"
import * as PayloadStore from "../services/PayloadStore.js"
import * as RpcPool from "../services/RpcPool.js"
import { Sealing, type Service } from "../services/Sealing.js"
import { as, registered } from "../test/support/agents.js"
import { bundled } from "../test/support/bundled.js"
import { measure, ratioOf, type Report } from "./harness.js"
import { finish, flagsOf } from "./report.js"

const KIBIBYTE = 1024
const MEBIBYTE = 1024 * KIBIBYTE
const LARGE = 64 * MEBIBYTE
const PUTS = 2000

/** Lamports for the rent of the messages of all rounds. */
const FUNDS = lamports(1_000_000_000_000_000n)

const info = new Uint8Array(109).fill(1)
const plaintext = new Uint8Array(KIBIBYTE).fill(2)

const ends = Crypto.generateKeyPairSync("x25519")

const keyOf = (privateKey: Crypto.KeyObject, publicKey: Crypto.KeyObject) => {
  const dh = Crypto.diffieHellman({ privateKey, publicKey })
  const secret = new Uint8Array(Crypto.hkdfSync("sha256", dh, "", info, 44))
  return [secret.subarray(0, 32), secret.subarray(32)] as const
}

/** The primitives, once for each side, without a key schedule, encoding or Effect. */
const primitives = (): Uint8Array => {
  const pair = Crypto.generateKeyPairSync("x25519")
  const options = { authTagLength: 16 }
  const cipher = Crypto.createCipheriv("chacha20-poly1305", ...keyOf(pair.privateKey, ends.publicKey), options)
  const sealed = Buffer.concat([cipher.update(plaintext), cipher.final()])
  const decipher = Crypto.createDecipheriv("chacha20-poly1305", ...keyOf(ends.privateKey, pair.publicKey), options)
  decipher.setAuthTag(cipher.getAuthTag())
  return Buffer.concat([decipher.update(sealed), decipher.final()])
}

/** Sealing by libsodium where `sodium-native` is installed, and by `node:crypto` alone. */
const sealing = async (): Promise<Report> => {
  const native = Context.get(await Effect.runPromise(Effect.scoped(Layer.build(SealingNode.layer))), Sealing)
  const wallet = await Effect.runPromise(WalletNode.generate)
  const { privateKey, publicKey } = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])
  const ofNode = await Effect.runPromise(WalletNode.fromKeyPair({ privateKey, publicKey }))
  const both = (sealing: Service, { address, unseal = () => Effect.succeedNone }: typeof wallet) =>
    Effect.flatMap(sealing.seal(address, info, plaintext), (sealed) => unseal(sealed, info))
  const [byDefault, byNode] = [both(native, wallet), both(SealingNode.make, ofNode)]
  return measure(
    "Seal and open 1 KiB",
    [
      { name: "primitives of node:crypto", run: primitives },
      { name: "primitives again", run: primitives },
      { name: "SealingNode.layer and Wallet.unseal", run: () => Effect.runSync(byDefault) },
      { name: "the same by node:crypto", run: () => Effect.runSync(byNode) }
    ],
    { roundMillis: 25, warmMillis: 600 }
  )
}

/** A payload server in another process, with its memory and CPU time. */
const serverWith = (...options: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const directory = mkdtempSync(join(tmpdir(), "pod-bench-"))
      const args = ["--dir", directory, "--port", "0", "--max-bytes", String(LARGE), ...options]
      const child = spawn(process.execPath, [bundled("examples/payloads.ts"), ...args], {
        stdio: ["ignore", "pipe", "inherit"]
      })
      const [line]: ReadonlyArray<Buffer> = await once(child.stdout, "data")
      return { child, directory, url: /http:\S+/.exec(String(line))?.[0] ?? "" }
    }),
    ({ child, directory }) =>
      Effect.sync(() => {
        child.kill("SIGKILL")
        rmSync(directory, { recursive: true, force: true })
      })
  )

type Server = Effect.Effect.Success<ReturnType<typeof serverWith>>

/** Bytes of resident memory. */
const residentOf = (pid: number | string): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * KIBIBYTE

/** Milliseconds of CPU; the kernel counts hundredths of a second. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** The store on a server, as `Pod.layer` builds it. */
const storeOn = async (scope: Scope.Scope, url: string) =>
  Context.get(
    await Effect.runPromise(Layer.buildWithScope(PayloadStoreUndici.layer({ url, maxBytes: LARGE }), scope)),
    PayloadStore.PayloadStore
  )

const numbered = (size: number, index: number): Uint8Array => {
  const bytes = new Uint8Array(size).fill(3)
  new DataView(bytes.buffer).setUint32(0, index)
  return bytes
}

/** Two sets of services over one cluster: with a store in memory, and with the store on the server. */
const sending = async (scope: Scope.Scope, { url }: Server): Promise<Report> => {
  const cluster = await Effect.runPromise(
    Layer.buildWithScope(
      Layer.merge(RpcPoolEmbedded.layer, TestWallets.layer).pipe(Layer.provideMerge(EmbeddedCluster.layer())),
      scope
    )
  )
  const over = (store: Layer.Layer<PayloadStore.PayloadStore, unknown>) =>
    Effect.runPromise(
      Layer.buildWithScope(Layer.fresh(Layer.provide(Pod.layerServices(), store)), scope).pipe(Effect.provide(cluster))
    )
  const inMemory = await over(PayloadStore.layerMemory)
  const byPod = await over(PayloadStoreUndici.layer({ url }))
  const byFetch = await over(PayloadStoreHttp.layerFetch({ url }))
  const byUndici = await over(Layer.provide(PayloadStoreHttp.layer({ url }), NodeHttpClient.layerUndici))
  const [from, to] = await Effect.runPromise(
    Effect.all([registered, registered]).pipe(Effect.provide(Context.merge(cluster, inMemory)))
  )
  await Effect.runPromise(
    Effect.flatMap(RpcPool.RpcPool, ({ requestAirdrop }) => requestAirdrop(from.wallet.address, FUNDS)).pipe(
      Effect.provide(cluster)
    )
  )
  const send = (services: typeof inMemory) => () =>
    Effect.runPromise(
      Context.get(services, Message.Message)
        .send({ recipient: to.wallet.address, payload: plaintext })
        .pipe(as(from.wallet))
    )
  let sent = 0
  const put = async () => {
    const body = numbered(KIBIBYTE + 32, sent++)
    const name = Crypto.createHash("sha256").update(body).digest("hex")
    const { body: reply } = await request(`${url}/v1/payloads/${name}`, { method: "PUT", body })
    await reply.dump()
  }
  const sendInMemory = send(inMemory)
  const base = async () => {
    await put()
    await sendInMemory()
  }
  return measure(
    "A send",
    [
      { name: "a PUT by undici, and a send", run: base },
      { name: "again", run: base },
      { name: "a send through PayloadStoreUndici", run: send(byPod) },
      { name: "a send through PayloadStoreHttp over undici", run: send(byUndici) },
      { name: "a send through PayloadStoreHttp over fetch", run: send(byFetch) }
    ],
    { roundMillis: 60, warmMillis: 3000, rounds: 11 }
  )
}

/**
 * MiB by which the resident memory of both processes grows while 64 MiB pass, without the payload itself, which the
 * client holds. A runtime keeps its allocated memory, so only later passes show further growth.
 */
const large = async (scope: Scope.Scope, { child, url }: Server) => {
  const store = await storeOn(scope, url)
  const pid = child.pid ?? 0
  await Effect.runPromise(Effect.flatMap(store.put(numbered(MEBIBYTE, 0)), store.get))
  const pass = async (index: number) => {
    const payload = numbered(LARGE, index)
    const before = { server: residentOf(pid), client: residentOf("self") }
    const most = { ...before }
    const timer = setInterval(() => {
      most.server = Math.max(most.server, residentOf(pid))
      most.client = Math.max(most.client, residentOf("self"))
    }, 5)
    const hash = await Effect.runPromise(store.put(payload))
    const afterPut = { ...most }
    await Effect.runPromise(store.get(hash))
    clearInterval(timer)
    return {
      serverPut: (afterPut.server - before.server) / MEBIBYTE,
      clientPut: (afterPut.client - before.client) / MEBIBYTE,
      serverGet: (most.server - before.server) / MEBIBYTE,
      clientGet: (most.client - before.client - LARGE) / MEBIBYTE
    }
  }
  return { first: await pass(1), second: await pass(2), third: await pass(3) }
}

/** PUTs per second of the server's CPU time. */
const putsPerSecond = async (scope: Scope.Scope, { child, url }: Server): Promise<number> => {
  const pid = child.pid ?? 0
  const store = await storeOn(scope, url)
  const puts = (from: number) =>
    Effect.runPromise(
      Effect.forEach(Array.from({ length: PUTS }).keys(), (index) => store.put(numbered(KIBIBYTE, from + index)), {
        concurrency: 16,
        discard: true
      })
    )
  await puts(0)
  const start = cpuOf(pid)
  await puts(PUTS)
  return (PUTS * 1000) / (cpuOf(pid) - start)
}

const measured = async (scope: Scope.Scope) => {
  const start = (...options: ReadonlyArray<string>) => Effect.runPromise(Scope.extend(serverWith(...options), scope))
  const payloads = await start()

  const sealed = await sealing()
  const sent = await sending(scope, payloads)
  const memory = await large(scope, payloads)
  const puts = {
    files: await putsPerSecond(scope, payloads),
    sqlite: await putsPerSecond(scope, await start("--sqlite"))
  }
  return { sealed, sent, memory, puts }
}

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  // The servers also end if a measurement fails
  const { memory, puts, sealed, sent } = await Effect.runPromise(
    Effect.scoped(Effect.flatMap(Effect.scope, (scope) => Effect.promise(() => measured(scope))))
  )
  const goals = {
    "SealingNode.layer / primitives of node:crypto ≤ 1.2": ratioOf(sealed, "SealingNode.layer and Wallet.unseal"),
    "a send as Pod.layer has it / PUT and send ≤ 1.3": ratioOf(sent, "a send through PayloadStoreUndici"),
    "MiB that the server grows in the first pass ≤ 16": Math.max(memory.first.serverPut, memory.first.serverGet),
    "MiB that the server grows in the third pass ≤ 16": Math.max(memory.third.serverPut, memory.third.serverGet),
    "MiB that the client grows in the first pass ≤ 16": Math.max(memory.first.clientPut, memory.first.clientGet),
    "MiB that the client grows in the third pass ≤ 16": Math.max(memory.third.clientPut, memory.third.clientGet),
    "PUTs in a second of CPU ≥ 1000": Math.max(puts.files, puts.sqlite)
  }
  const flags = flagsOf(args)
  await finish([sealed, sent], flags, { memory, puts, goals })
  if (flags.json) return
  for (const [goal, value] of Object.entries(goals)) console.log(`${goal}: ${value.toFixed(2)}`)
}
