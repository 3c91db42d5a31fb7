/**
 * The operations through a client with a lying endpoint, and the resulting state of the chain.
 */
import type { Address } from "@solana/kit"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as DurableNonce from "../../services/DurableNonce.js"
import * as Escrow from "../../services/Escrow.js"
import * as Message from "../../services/Message.js"
import type * as PayloadStore from "../../services/PayloadStore.js"
import { RpcPool } from "../../services/RpcPool.js"
import * as Transactions from "../../services/Transactions.js"
import type * as Wallet from "../../services/Wallet.js"
import { Text } from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Hash from "../../src/solana/Hash.js"
import { as, METADATA_URI } from "../support/agents.js"
import { transfer } from "../support/transfers.js"
import * as Node from "./Node.js"

export type Client = PayloadStore.PayloadStore | Pod.Services | RpcPool

export type Honest = Client | TestWallets.TestWallets

/** One operation that must be executed once. */
export interface Scene {
  /** The operation, through the lying endpoint. */
  readonly act: Effect.Effect<unknown, { readonly _tag: string }, Client>
  /** The number of executions on the chain. */
  readonly done: Effect.Effect<number, never, Client>
  /** Lamports that the wallet and its accounts lost. */
  readonly spent: Effect.Effect<bigint, never, Client>
  /** The maximum cost of one execution that the caller knows. Each further transaction adds a fee. */
  readonly cost: bigint
  /** Whether it was executed before. */
  readonly wasDone?: boolean
  /** The true result of an `act` that only reads. */
  readonly truth?: Effect.Effect<unknown, { readonly _tag: string }, Client>
}

export interface Flow {
  readonly name: string
  readonly options?: Transactions.Options
  /** Whether it writes. Leaders may then lose its first transaction. */
  readonly writes: boolean
  readonly prepare: Effect.Effect<Scene, unknown, Honest>
}

export const FEE = 5000n

/** More than the rent minimum of an account without data. */
const AMOUNT = 2_000_000n

const RETRY = { retryExpired: 2 }

const balance = (address: Address): Effect.Effect<bigint, never, RpcPool> =>
  RpcPool.pipe(
    Effect.flatMap((pool) => pool.getBalance(address, { commitment: "processed" })),
    Effect.map(({ value }) => value),
    Effect.orDie
  )

const exists = (address: Address): Effect.Effect<number, never, RpcPool> =>
  RpcPool.pipe(
    Effect.flatMap((pool) => pool.getAccountInfo(address, { commitment: "processed" })),
    Effect.map(({ value }) => (Option.isSome(value) ? 1 : 0)),
    Effect.orDie
  )

/** The decrease of these addresses' balances since this call. */
const spentBy = (...addresses: ReadonlyArray<Address>): Effect.Effect<Scene["spent"], never, RpcPool> => {
  const sum = Effect.map(Effect.forEach(addresses, balance), (held) =>
    held.reduce((sum, lamports) => sum + lamports, 0n)
  )
  return Effect.map(sum, (before) => Effect.map(sum, (after) => before - after))
}

/** A wallet with confirmed lamports. */
const funded = Effect.tap(TestWallets.funded, () => Effect.sleep(3 * Node.SLOT))

const registered = Effect.gen(function* () {
  const wallet = yield* funded
  yield* Effect.flatMap(Agent.Agent, ({ register }) => register({ metadataUri: METADATA_URI })).pipe(as(wallet))
  return wallet
})

/** A wallet that exists on no cluster. */
const nobody = Effect.flatMap(TestWallets.TestWallets, ({ fundedWith }) => Effect.orDie(fundedWith(0n)))

const sendLamports = (
  wallet: Wallet.Service,
  to: Address,
  options: Transactions.SendOptions
): Effect.Effect<Transactions.Receipt, Transactions.SendError, Transactions.Transactions> =>
  Effect.flatMap(Transactions.Transactions, (transactions) =>
    transactions.send([transfer(wallet.address, to, AMOUNT)], { ...RETRY, ...options })
  ).pipe(as(wallet))

const received = (address: Address) => Effect.map(balance(address), (lamports) => Number(lamports / AMOUNT))

const transferFlow = (name: string, fee: bigint, options?: Transactions.Options): Flow => ({
  name,
  writes: true,
  ...(options === undefined ? {} : { options }),
  prepare: Effect.gen(function* () {
    const wallet = yield* funded
    const { address: to } = yield* nobody
    return {
      act: sendLamports(wallet, to, {}),
      done: received(to),
      spent: yield* spentBy(wallet.address),
      cost: AMOUNT + fee
    }
  })
})

const register: Flow = {
  name: "register",
  writes: true,
  prepare: Effect.gen(function* () {
    const wallet = yield* funded
    return {
      act: Effect.flatMap(Agent.Agent, (agents) => agents.register({ metadataUri: METADATA_URI }, RETRY)).pipe(
        as(wallet)
      ),
      done: exists(Pda.agent(wallet.address).address),
      spent: yield* spentBy(wallet.address, Pda.agent(wallet.address).address),
      cost: FEE
    }
  })
}

const PAYLOAD = "a message that is sent once"

const send: Flow = {
  name: "send",
  writes: true,
  prepare: Effect.gen(function* () {
    const wallet = yield* registered
    const { address: recipient } = yield* nobody
    const { address: sender } = Pda.agent(wallet.address)
    const payloadHash = Hash.sha256(new TextEncoder().encode(PAYLOAD))
    const { address } = yield* Pda.message({ sender, recipient, payloadHash, type: Text })
    return {
      act: Effect.flatMap(Message.Message, (messages) =>
        messages.send({ recipient, payload: PAYLOAD, raw: true }, RETRY)
      ).pipe(as(wallet)),
      done: exists(address),
      spent: yield* spentBy(wallet.address, address),
      cost: FEE
    }
  })
}

/** A channel with a fee and a participant. */
const channel = Effect.gen(function* () {
  const creator = yield* registered
  const { address } = yield* Effect.flatMap(Channel.Channel, (channels) =>
    channels.create({ name: "liars", feePerMessage: CHANNEL_FEE })
  ).pipe(as(creator))
  return { creator, address }
})

const CHANNEL_FEE = 10_000n
const DEPOSIT = 1_000_000n

const join: Flow = {
  name: "join",
  writes: true,
  prepare: Effect.gen(function* () {
    const { address } = yield* channel
    const wallet = yield* registered
    yield* Effect.flatMap(Escrow.Escrow, (escrows) => escrows.deposit(address, DEPOSIT)).pipe(as(wallet))
    const participant = Pda.participant(address, Pda.agent(wallet.address).address).address
    return {
      act: Effect.flatMap(Channel.Channel, (channels) => channels.join(address, RETRY)).pipe(as(wallet)),
      done: exists(participant),
      spent: yield* spentBy(wallet.address, participant, Pda.escrow(address, wallet.address).address),
      cost: CHANNEL_FEE + FEE
    }
  })
}

/** Rent of the 80 bytes of a nonce account. */
const NONCE_RENT = 1_447_680n

const createNonce: Flow = {
  name: "create nonce",
  writes: true,
  prepare: Effect.gen(function* () {
    const wallet = yield* funded
    const account = yield* nobody
    return {
      act: Effect.flatMap(DurableNonce.DurableNonce, (nonces) => nonces.create({ ...RETRY, account })).pipe(as(wallet)),
      done: exists(account.address),
      spent: yield* spentBy(wallet.address),
      // The runtime requires this minimum, and the remainder is there to be withdrawn.
      cost: 2n * NONCE_RENT + 2n * FEE
    }
  })
}

const nonceAccount = Effect.gen(function* () {
  const wallet = yield* funded
  const { address } = yield* Effect.flatMap(DurableNonce.DurableNonce, (nonces) => nonces.create()).pipe(as(wallet))
  return { wallet, address }
})

const durable: Flow = {
  name: "durable transfer",
  // Without its first transaction there is no other, because the same nonce makes the same bytes.
  writes: false,
  prepare: Effect.gen(function* () {
    const { address, wallet } = yield* nonceAccount
    const { address: to } = yield* nobody
    return {
      act: sendLamports(wallet, to, { durableNonce: { account: address } }),
      done: received(to),
      spent: yield* spentBy(wallet.address),
      cost: AMOUNT + FEE
    }
  })
}

const closeNonce: Flow = {
  name: "close nonce",
  writes: true,
  prepare: Effect.gen(function* () {
    const { address, wallet } = yield* nonceAccount
    return {
      act: Effect.flatMap(DurableNonce.DurableNonce, (nonces) => nonces.close(address, RETRY)).pipe(as(wallet)),
      done: Effect.map(exists(address), (count) => 1 - count),
      spent: yield* spentBy(wallet.address, address),
      cost: FEE
    }
  })
}

const NOTHING = Effect.succeed(0)

const read: Flow = {
  name: "read",
  writes: false,
  prepare: Effect.gen(function* () {
    const { address, creator } = yield* channel
    const { address: nonce, wallet } = yield* nonceAccount
    const { address: recipient } = yield* nobody
    const say = (payload: string) =>
      Effect.flatMap(Message.Message, (messages) => messages.send({ recipient, payload })).pipe(as(creator))
    const { address: message } = yield* say("one")
    yield* say("two")
    yield* Effect.flatMap(Escrow.Escrow, (escrows) => escrows.deposit(address, DEPOSIT)).pipe(as(creator))
    const reads = Effect.gen(function* () {
      const agents = yield* Agent.Agent
      const channels = yield* Channel.Channel
      const escrows = yield* Escrow.Escrow
      const messages = yield* Message.Message
      const nonces = yield* DurableNonce.DurableNonce
      return yield* Effect.all(
        [
          Effect.either(agents.get(creator.address)),
          Effect.either(agents.exists(wallet.address)),
          Effect.either(channels.get(address)),
          Effect.either(channels.participants(address)),
          Effect.either(escrows.get(address, creator.address)),
          Effect.either(messages.get(message)),
          Effect.either(Effect.map(Stream.runCollect(messages.inbox(recipient)), Chunk.toReadonlyArray)),
          Effect.either(nonces.get(nonce))
        ],
        { concurrency: "unbounded" }
      )
    })
    return {
      act: reads,
      truth: reads,
      done: NOTHING,
      spent: Effect.succeed(0n),
      cost: 0n
    }
  })
}

const details: Flow = {
  name: "details",
  writes: false,
  prepare: Effect.gen(function* () {
    const wallet = yield* funded
    const { address: to } = yield* nobody
    const { signature } = yield* sendLamports(wallet, to, { commitment: "finalized" })
    const reads = Effect.flatMap(Transactions.Transactions, (transactions) => transactions.details(signature)).pipe(
      Effect.either,
      Effect.map((one) => [one])
    )
    return { act: reads, truth: reads, done: NOTHING, spent: Effect.succeed(0n), cost: 0n }
  })
}

/** Resends a transaction of an earlier process that had landed. */
const resend: Flow = {
  name: "send again",
  writes: true,
  prepare: Effect.gen(function* () {
    const wallet = yield* funded
    const again = Effect.flatMap(Agent.Agent, (agents) =>
      agents.register({ metadataUri: METADATA_URI }, { ...RETRY, resend: true })
    ).pipe(as(wallet))
    yield* again
    return {
      wasDone: true,
      act: again,
      done: exists(Pda.agent(wallet.address).address),
      spent: yield* spentBy(wallet.address),
      // Each preflight refuses it. If a lying node makes the client skip the preflight, it costs a fee.
      cost: FEE
    }
  })
}

/** Time for which an inbox is followed: longer than a resync interval. */
const FOLLOWED = "150 seconds"

const follow: Flow = {
  name: "follow",
  writes: false,
  prepare: Effect.gen(function* () {
    const wallet = yield* registered
    const { address: recipient } = yield* nobody
    const context = yield* Effect.context<Client>()
    const messages = yield* Message.Message
    const say = (payload: string) =>
      messages.send({ recipient, payload }).pipe(as(wallet), Effect.delay("5 seconds"), Effect.provide(context))
    yield* say("before")
    const inbox = Effect.map(Stream.runCollect(messages.inbox(recipient)), (found) => [
      Either.right(Chunk.toReadonlyArray(found).map(({ address }) => address))
    ])
    return {
      act: Effect.gen(function* () {
        const seen: Array<Address> = []
        const { inbox } = yield* Message.Message
        const following = yield* inbox(recipient, { follow: true }).pipe(
          Stream.runForEach(({ address }) => Effect.sync(() => seen.push(address))),
          Effect.timeoutOption(FOLLOWED),
          Effect.fork
        )
        yield* Effect.forEach(["one", "two", "three"], say).pipe(Effect.orDie)
        yield* Fiber.join(following)
        return [Either.right(seen)]
      }),
      truth: inbox.pipe(Effect.provide(context)),
      done: NOTHING,
      spent: Effect.succeed(0n),
      cost: 0n
    }
  })
}

/** At most 1,400,000 lamports of priority fee, as the default limit allows. */
const PRIORITY = 1_400_000n

export const all: ReadonlyArray<Flow> = [
  register,
  send,
  transferFlow("transfer", FEE),
  transferFlow("hinted transfer", FEE, { subscribe: true }),
  transferFlow("priced transfer", FEE + PRIORITY, { fees: {} }),
  join,
  createNonce,
  durable,
  closeNonce,
  resend,
  read,
  details,
  follow
]
