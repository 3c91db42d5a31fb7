/**
 * One contender of `bench -- cluster` in its own process. The parent sends the number of calls, and the process answers
 * with their CPU time in milliseconds. It imports only modules that older commits have too, so it can be bundled with
 * another checkout.
 */
import { on } from "node:events"
import { readFileSync } from "node:fs"
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Account as LiteSvmAccount, FailedTransactionMetadata, LiteSvm } from "litesvm/dist/internal.js"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Message from "../../services/Message.js"
import * as Wallet from "../../services/Wallet.js"
import * as Account from "../../src/protocol/Account.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Base58 from "../../src/solana/Base58.js"
import * as FloorSend from "../floor/send.js"
import { repeat, type Work } from "../harness.js"
import * as Fixtures from "../hotpath/fixtures.js"

/** The work of a contender, which the parent passes on the command line. */
export interface Job {
  readonly kind: "send" | "submit" | "raw" | "list"
  readonly preflight?: boolean
  /** Options of the cluster. */
  readonly cluster?: object
  /** Accounts of the program before the measurement. */
  readonly accounts?: number
  /** Open subscriptions: half to single accounts, half to the program. */
  readonly subscriptions?: number
  /** Whether each list follows a write to an account of the program. */
  readonly writes?: boolean
  /** Whether the list is filtered to nothing. */
  readonly filtered?: boolean
}

/** The part of the cluster's service that all commits have. */
interface Cluster {
  readonly request: (method: string, params: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
  readonly listen: (
    kind: "account" | "program",
    params: ReadonlyArray<unknown>,
    sink: () => void
  ) => Effect.Effect<unknown, unknown>
  readonly setAccount: (account: {
    readonly address: Address
    readonly lamports: bigint
    readonly owner: Address
    readonly data: Uint8Array
  }) => Effect.Effect<void, unknown>
}

const EmbeddedCluster = Context.GenericTag<Cluster>("@pod-protocol/effect/EmbeddedCluster")

const ELF = readFileSync(process.env["BENCH_PROGRAM"] ?? "program/pod_com.so")

const IN_FLIGHT = 20
/** Calls with one blockhash. Each call is a block, and a blockhash is valid for 10,000 blocks. */
const RENEWED_AFTER = 5000
const BATCH = 100
/** Approximate bytes of a direct message's account. */
const ACCOUNT_BYTES = 146

const addressOf = (seed: number, index: number): Address => {
  const bytes = new Uint8Array(32).fill(seed)
  new DataView(bytes.buffer).setUint32(0, index)
  return Addresses.fromBytes(bytes)
}

const filled = (index: number) => ({
  address: addressOf(7, index),
  lamports: 2_000_000n,
  owner: PROGRAM_ID,
  data: new Uint8Array(ACCOUNT_BYTES).fill(index & 0xff)
})

const cluster = async ({ accounts = 0, cluster: options = {}, subscriptions = 0 }: Job) => {
  const made = Pod.layerEmbeddedWith({ ...options, podProgram: false, programs: [{ address: PROGRAM_ID, elf: ELF }] })
  const runtime = ManagedRuntime.make(
    Layer.effect(Wallet.Wallet, TestWallets.funded).pipe(
      Layer.provideMerge(TestWallets.layer),
      Layer.provideMerge(made)
    )
  )
  const prepare = Effect.gen(function* () {
    const service = yield* Effect.context<never>().pipe(
      Effect.map((context) => Context.unsafeGet(context, EmbeddedCluster))
    )
    const agents = yield* Agent.Agent
    const { address } = yield* Wallet.Wallet
    yield* service.request("requestAirdrop", [address, 100_000_000_000_000_000n])
    yield* agents.register({ metadataUri: "https://example.com/agent.json" })
    for (let index = 0; index < accounts; index++) yield* service.setAccount(filled(index))
    for (let index = 0; index < subscriptions; index++) {
      const config = { commitment: "confirmed", encoding: "base64" }
      yield* index % 2 === 0
        ? service.listen("account", [addressOf(9, index), config], () => undefined)
        : service.listen("program", [PROGRAM_ID, config], () => undefined)
    }
    return service
  })
  return { runtime, service: await runtime.runPromise(prepare) }
}

const sending = async (job: Job): Promise<Work> => {
  const { runtime } = await cluster(job)
  let next = 0
  const recipient = addressOf(3, 1)
  const batch = Effect.gen(function* () {
    const { send } = yield* Message.Message
    yield* Effect.forEach(
      Array.from({ length: BATCH }, () => next++),
      (index) => send({ recipient, payload: `order ${index}` }, { preflight: job.preflight ?? true }),
      { concurrency: IN_FLIGHT, discard: true }
    )
  })
  return { operations: BATCH, run: () => runtime.runPromise(batch) }
}

/** The fixtures' wallet with lamports, and its agent. */
const senderAccounts = [
  { address: Fixtures.wallet, lamports: 10n ** 15n, owner: Addresses.SYSTEM_PROGRAM, data: new Uint8Array(0) },
  {
    address: Fixtures.agent,
    lamports: 10n ** 10n,
    owner: PROGRAM_ID,
    data: Fixtures.sure(
      Account.encode(
        new Account.AgentAccount({
          wallet: Fixtures.wallet,
          capabilities: 0n,
          reputation: 100n,
          lastUpdated: 0n,
          metadataUri: "https://example.com/agent.json",
          invitesSent: 0,
          lastInviteAt: 0n,
          bump: Pda.agent(Fixtures.wallet).bump
        })
      )
    )
  }
]

/** The node's part of a message: one call with a signed transaction. */
const submitting = async (job: Job): Promise<Work> => {
  const { service } = await cluster(job)
  for (const account of senderAccounts) await Effect.runPromise(service.setAccount(account))
  const sender = () => {
    const latest = Effect.runSync(service.request("getLatestBlockhash", []))
    const { value } = latest as { readonly value: { readonly blockhash: string } }
    return FloorSend.sender(
      Fixtures.sender,
      Fixtures.sure(Base58.decode(value.blockhash)),
      FloorSend.nodeSign(Fixtures.key)
    )
  }
  const config = { encoding: "base64", skipPreflight: job.preflight === false }
  let build = sender()
  let calls = 0
  return {
    run: (index) => {
      if (++calls % RENEWED_AFTER === 0) build = sender()
      const wire = build(Fixtures.recipientBytes(index), Fixtures.payload())
      return Effect.runSync(service.request("sendTransaction", [wire, config]))
    }
  }
}

/** The minimum work of a cluster, by hand: build and sign a message, simulate it, execute it, make a new blockhash. */
const raw = ({ preflight = true }: Job): Work => {
  const machine = new LiteSvm()
  machine.setTransactionHistory(0n)
  machine.setBlockhashCheck(false)
  machine.addProgram(Addresses.toBytes(PROGRAM_ID), ELF)
  for (const { address, data, lamports, owner } of senderAccounts) {
    machine.setAccount(
      Addresses.toBytes(address),
      new LiteSvmAccount(lamports, data, Addresses.toBytes(owner), false, 2n ** 64n - 1n)
    )
  }
  const build = FloorSend.sender(Fixtures.sender, Fixtures.blockhashBytes, FloorSend.nodeSign(Fixtures.key))
  return {
    run: (index) => {
      const wire = Buffer.from(build(Fixtures.recipientBytes(index), Fixtures.payload()), "base64")
      if (preflight) {
        machine.setSigverify(true)
        const simulated = machine.simulateVersionedTransaction(wire)
        if (simulated instanceof FailedTransactionMetadata) throw new Error(simulated.toString())
      }
      machine.setSigverify(!preflight)
      const sent = machine.sendVersionedTransaction(wire)
      if (sent instanceof FailedTransactionMetadata) throw new Error(sent.toString())
      machine.expireBlockhash()
      return sent
    }
  }
}

const listing = async (job: Job): Promise<Work> => {
  const { service } = await cluster(job)
  const filters = job.filtered === true ? [{ memcmp: { offset: 8, bytes: "11111112" } }] : []
  const list = service.request("getProgramAccounts", [PROGRAM_ID, { encoding: "base64", filters }])
  let next = 0
  const run =
    job.writes === true ? Effect.suspend(() => Effect.zipRight(service.setAccount(filled(next++ % 1000)), list)) : list
  return { run: () => Effect.runPromise(run) }
}

const workOf = (job: Job): Promise<Work> | Work => {
  switch (job.kind) {
    case "send":
      return sending(job)
    case "submit":
      return submitting(job)
    case "raw":
      return raw(job)
    case "list":
      return listing(job)
  }
}

const work = await workOf(JSON.parse(process.argv[2] ?? "{}") as Job)
process.on("disconnect", () => process.exit())
process.send?.(work.operations ?? 1)
for await (const [calls] of on(process, "message")) process.send?.(await repeat(work, Number(calls)))
