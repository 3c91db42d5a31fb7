import { expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as Escrow from "../../services/Escrow.js"
import * as Message from "../../services/Message.js"
import * as Metrics from "../../services/Metrics.js"
import type { ReadError } from "../../services/ProgramAccount.js"
import type { AccountInfo } from "../../services/rpc/Reply.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Pda from "../../src/protocol/Pda.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { as, registered } from "../support/agents.js"

/** A node that answers truthfully but for what the test changes. */
interface Lies {
  readonly one?: (info: AccountInfo) => AccountInfo
  readonly read?: (address: AccountInfo["address"]) => AccountInfo["address"]
  readonly list?: (infos: ReadonlyArray<AccountInfo>) => ReadonlyArray<AccountInfo>
  readonly ignoreFilters?: boolean
}

const lying = ({ ignoreFilters = false, list = (infos) => infos, one = (info) => info, read = (a) => a }: Lies) =>
  Layer.fresh(Pod.layerServices()).pipe(
    Layer.provide(
      Layer.effect(
        RpcPool,
        Effect.map(RpcPool, (pool) => ({
          ...pool,
          getAccountInfo: (address, options) =>
            Effect.map(pool.getAccountInfo(read(address), options), ({ slot, value }) => ({
              slot,
              value: Option.map(value, (info) => one({ ...info, address }))
            })),
          getProgramAccounts: (program, options) =>
            Effect.map(
              pool.getProgramAccounts(program, ignoreFilters ? { ...options, filters: [] } : options),
              ({ slot, value }) => ({ slot, value: list(value) })
            )
        }))
      )
    )
  )

const trio = Effect.all({ alice: registered, bob: registered, carol: registered })

const inboxOf = (wallet: AccountInfo["address"]) =>
  Effect.flatMap(Message.Message, (messages) =>
    Effect.map(Stream.runCollect(messages.inbox(wallet)), (found) =>
      Chunk.toReadonlyArray(found).map(({ address }) => address)
    )
  )

it.effect("Given a node that swaps accounts, When one is read, Then it fails instead of returning other data", () =>
  Effect.gen(function* () {
    const { alice, bob } = yield* trio
    const channels = yield* Channel.Channel
    const escrows = yield* Escrow.Escrow
    const messages = yield* Message.Message
    const { address: channel } = yield* channels.create({ name: "swaps", visibility: "Private" }).pipe(as(alice.wallet))
    const invitations = yield* Effect.forEach([bob.wallet.address, alice.wallet.address], (invitee) =>
      channels.invite(channel, invitee).pipe(as(alice.wallet))
    )
    yield* channels.join(channel).pipe(as(bob.wallet))
    const deposits = yield* Effect.forEach([alice, bob], ({ wallet }) => escrows.deposit(channel, 5n).pipe(as(wallet)))
    const sent = yield* Effect.forEach(["a", "b"], (payload) =>
      messages.send({ recipient: bob.wallet.address, payload }).pipe(as(alice.wallet))
    )
    const participants = [alice.agent, bob.agent].map((agent) => Pda.participant(channel, agent).address)
    const pairs = [
      [alice.agent, bob.agent],
      participants,
      ...[invitations, deposits, sent].map((receipts) => receipts.map(({ address }) => address))
    ]
    const other = new Map(
      pairs.flatMap(([a, b]) =>
        a === undefined || b === undefined
          ? []
          : [
              [a, b],
              [b, a]
            ]
      )
    )
    const swapped = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.provide(effect, lying({ read: (address) => other.get(address) ?? address }))
    const reads: ReadonlyArray<
      Effect.Effect<void, ReadError, Agent.Agent | Channel.Channel | Escrow.Escrow | Message.Message>
    > = [
      Effect.asVoid(Effect.flatMap(Agent.Agent, (agents) => agents.get(alice.wallet.address))),
      Effect.asVoid(Effect.flatMap(Channel.Channel, (all) => all.participant(channel, bob.agent))),
      Effect.asVoid(Effect.flatMap(Channel.Channel, (all) => all.invitation(channel, bob.wallet.address))),
      Effect.asVoid(Effect.flatMap(Escrow.Escrow, (all) => all.get(channel, bob.wallet.address))),
      Effect.asVoid(Effect.flatMap(Message.Message, (all) => all.get(sent[0]?.address ?? channel)))
    ]
    for (const read of reads) {
      yield* read
      expect(yield* Effect.flip(swapped(read))).toMatchObject({ _tag: "RpcError", reason: "Decode" })
    }
  }).pipe(Effect.provide(Pod.layerTest))
)

const count = (reason: "double" | "decode" | "owner") =>
  Effect.map(Metric.value(Metrics.accountsRefusedOf(reason)), ({ count }) => count)

const foreign = (infos: ReadonlyArray<AccountInfo>) => infos.map((info) => ({ ...info, owner: SYSTEM_PROGRAM }))

it.effect(
  "Given a node that lists foreign and repeated accounts, When the inbox is read, Then only its messages come, once",
  () =>
    Effect.gen(function* () {
      const { alice, bob, carol } = yield* trio
      const messages = yield* Message.Message
      for (const { wallet } of [bob, carol, bob]) {
        yield* messages.send({ recipient: wallet.address, payload: "to one" }).pipe(as(alice.wallet))
      }
      const inbox = inboxOf(bob.wallet.address)
      const honest = yield* inbox
      expect(honest).toHaveLength(2)
      expect(yield* inbox.pipe(Effect.provide(lying({ ignoreFilters: true })))).toEqual(honest)
      const doubles = yield* count("double")
      expect(yield* inbox.pipe(Effect.provide(lying({ list: (infos) => [...infos, ...infos] })))).toEqual(honest)
      expect((yield* count("double")) - doubles).toBe(2)
      expect(yield* inbox.pipe(Effect.provide(lying({ list: foreign })))).toEqual([])
      const cut = (infos: ReadonlyArray<AccountInfo>) =>
        infos.map((info) => (info.address === honest[0] ? { ...info, data: info.data.subarray(0, 100) } : info))
      const failures = yield* count("decode")
      expect(yield* inbox.pipe(Effect.provide(lying({ list: cut })))).toEqual(honest.slice(1))
      expect((yield* count("decode")) - failures).toBe(1)
    }).pipe(Effect.provide(Pod.layerTest))
)

it.effect("Given only lamports at an agent's address, When it is read, Then it fails with AccountNotFound", () =>
  Effect.gen(function* () {
    const wallet = yield* TestWallets.funded
    const agents = yield* Agent.Agent
    expect(yield* Effect.flip(agents.get(wallet.address))).toMatchObject({ _tag: "AccountNotFound" })
  }).pipe(Effect.provide(Pod.layerTest))
)
