/**
 * Runs agents on several processes, and kills and ends some of them. Each send must be on the chain exactly once, and
 * no agent may be active on two runners.
 *
 * The chain is an embedded cluster in this process, served to the runners as an RPC node. With Postgres, this process
 * is the client too. Without it, one runner over SQLite makes the sends itself, and is restarted after a kill.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { PgClient } from "@effect/sql-pg"
import * as AgentCluster from "@pod-protocol/effect/layers/AgentCluster"
import * as EmbeddedCluster from "@pod-protocol/effect/layers/EmbeddedCluster"
import * as EmbeddedServer from "@pod-protocol/effect/layers/EmbeddedServer"
import * as Pod from "@pod-protocol/effect/layers/Pod"
import * as Account from "@pod-protocol/effect/protocol/Account"
import * as Envelope from "@pod-protocol/effect/protocol/Envelope"
import * as MessageId from "@pod-protocol/effect/protocol/MessageId"
import { PROGRAM_ID } from "@pod-protocol/effect/protocol/Program"
import * as Agent from "@pod-protocol/effect/services/Agent"
import * as ProgramAccount from "@pod-protocol/effect/services/ProgramAccount"
import * as RpcPool from "@pod-protocol/effect/services/RpcPool"
import * as Wallet from "@pod-protocol/effect/services/Wallet"
import * as Hash from "@pod-protocol/effect/solana/Hash"
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as OneRunner from "./OneRunner.js"
import type { Options, Report } from "./Options.js"
import * as Postgres from "./Postgres.js"
import * as SeveralRunners from "./SeveralRunners.js"
import { sendOf, walletsOf } from "./Task.js"

export type { Options, Report } from "./Options.js"

const SOL = 1_000_000_000n

const indexes = (count: number) => Array.from({ length: count }, (_, index) => index)

const registered = (wallets: ReadonlyArray<Wallet.Service>) =>
  Effect.gen(function* () {
    const { airdrop } = yield* EmbeddedCluster.EmbeddedCluster
    const agents = yield* Agent.Agent
    const rpc = yield* RpcPool.RpcPool
    yield* Effect.forEach(
      wallets,
      (wallet) =>
        Effect.gen(function* () {
          yield* airdrop(wallet.address, 100n * SOL)
          yield* Effect.delay(rpc.getBalance(wallet.address), 100).pipe(
            Effect.repeat({ until: ({ value }) => value > 0n })
          )
          yield* agents
            .register({ metadataUri: "https://example.com/agent.json" })
            .pipe(Effect.provideService(Wallet.Wallet, wallet))
        }),
      { concurrency: 500, discard: true }
    )
  })

/** The payload hash of a send on the chain. */
const hashOf = (index: number, agents: number) =>
  Effect.gen(function* () {
    const { id, payload } = sendOf(index, agents)
    const header = { createdAt: 0n, id: yield* MessageId.toBytes(id) }
    const bytes = yield* Envelope.encode({ ...header, payload: new TextEncoder().encode(payload) })
    return Encoding.encodeHex(Hash.sha256(bytes))
  })

/** Reads all messages of the program from the node, and counts the landed sends. */
const readBack = ({ agents, sends }: Options) =>
  Effect.gen(function* () {
    const rpc = yield* RpcPool.RpcPool
    const { value } = yield* rpc.getProgramAccounts(PROGRAM_ID, {
      filters: [{ memcmp: { offset: 0, bytes: Account.discriminator("DirectMessage") } }]
    })
    const messages = yield* ProgramAccount.decodeMany(value, Account.decodeDirectMessage)
    const expected = new Map<string, number>()
    for (const index of indexes(sends)) expected.set(yield* hashOf(index, agents), 0)
    let others = 0
    for (const { account } of messages) {
      const hash = Encoding.encodeHex(account.payloadHash)
      const count = expected.get(hash)
      if (count === undefined) others++
      else expected.set(hash, count + 1)
    }
    const counts = [...expected.values()]
    return {
      landedOnce: counts.filter((count) => count === 1).length,
      landedTwice: counts.filter((count) => count > 1).length + others,
      lost: counts.filter((count) => count === 0).length
    }
  })

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "pod-cluster-"))),
  (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
)

const onChain = (options: Options) =>
  Effect.gen(function* () {
    const directory = yield* folder
    const wallets = yield* walletsOf(options.agents)
    yield* registered(wallets)
    const { url } = yield* EmbeddedServer.serve()
    const chain = { url, payloads: path.join(directory, "payloads"), wallets }
    const postgres = options.sqlite ? Option.none() : yield* Postgres.database
    const ran = Option.isSome(postgres)
      ? yield* SeveralRunners.run(options, chain, postgres.value).pipe(
          Effect.provide(
            AgentCluster.layerClient({ shardsPerGroup: 60 }).pipe(
              Layer.provide(PgClient.layer({ url: Redacted.make(postgres.value.url) }))
            )
          )
        )
      : yield* OneRunner.run(options, chain, path.join(directory, "cluster.sqlite"))
    const database = Option.isSome(postgres) ? ("postgres" as const) : ("sqlite" as const)
    const report: Report = { database, sends: options.sends, ...(yield* readBack(options)), ...ran }
    return report
  })

/** Blocks of 200 milliseconds: many sends are waiting for a block when a runner is killed. */
const node = Pod.layerEmbeddedWith({ blockMode: "interval", slotDuration: "200 millis" })

export const run = (options: Options) => Effect.scoped(Effect.provide(onChain(options), node))
