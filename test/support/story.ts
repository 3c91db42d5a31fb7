/** A story with each of the seventeen instructions, as transactions that web3.js builds and signs. */
import { type Address, type Instruction as KitInstruction, lamports, type Signature } from "@solana/kit"
import {
  AddressLookupTableAccount,
  Keypair,
  PublicKey,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction
} from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { EmbeddedCluster } from "../../layers/EmbeddedCluster.js"
import { RpcPool } from "../../services/RpcPool.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as Addresses from "../../src/solana/Address.js"
import * as LookupTables from "./lookupTables.js"

export type Step = Either.Either<Instruction.ProgramInstruction, InvalidInput>

export interface Actor {
  readonly key: Keypair
  readonly wallet: Address
  readonly agent: Address
}

/** The actor with this number, the same in each run. */
export const actorOf = (seed: number): Actor => {
  const key = Keypair.fromSeed(new Uint8Array(32).fill(seed))
  const wallet = Addresses.fromBytes(key.publicKey.toBytes())
  return { key, wallet, agent: Pda.agent(wallet).address }
}

export const fund = (actor: Actor) =>
  Effect.flatMap(RpcPool, (pool) => pool.requestAirdrop(actor.wallet, lamports(1_000_000_000_000n)))

const toWeb3 = ({ accounts = [], data = new Uint8Array(), programAddress }: KitInstruction): TransactionInstruction =>
  new TransactionInstruction({
    programId: new PublicKey(programAddress),
    keys: accounts.map(({ address, role }) => ({
      pubkey: new PublicKey(address),
      isSigner: role >= 2,
      isWritable: role % 2 === 1
    })),
    data: Buffer.from(data)
  })

export interface SendOptions {
  /** The transaction uses this table for its accounts, if possible. */
  readonly table?: AddressLookupTableAccount
}

/** Sends one transaction without preflight: it may fail on the chain. */
export const send = (actor: Actor, steps: ReadonlyArray<Step>, { table }: SendOptions = {}) =>
  Effect.gen(function* () {
    const pool = yield* RpcPool
    const { value } = yield* pool.getLatestBlockhash({ commitment: "processed" })
    const message = new TransactionMessage({
      payerKey: actor.key.publicKey,
      recentBlockhash: value.blockhash,
      instructions: steps.map((step) => toWeb3(Either.getOrThrow(step)))
    })
    const transaction = new VersionedTransaction(
      table === undefined ? message.compileToLegacyMessage() : message.compileToV0Message([table])
    )
    transaction.sign([actor.key])
    return yield* pool.sendTransaction(transaction.serialize(), { skipPreflight: true })
  })

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

const channelOf = (wallet: Address, name: string): Address => Either.getOrThrow(Pda.channel(wallet, name)).address

/** A table with these addresses on the cluster. */
export const tableOf = (addresses: ReadonlyArray<Address>) =>
  Effect.gen(function* () {
    const cluster = yield* EmbeddedCluster
    const pool = yield* RpcPool
    const address = Addresses.fromBytes(new Uint8Array(32).fill(77))
    const slot = yield* pool.getSlot({ commitment: "processed" })
    yield* cluster.setAccount(LookupTables.image(address, addresses, slot))
    yield* cluster.advanceSlots(2)
    const { data } = LookupTables.image(address, addresses, slot)
    return new AddressLookupTableAccount({
      key: new PublicKey(address),
      state: AddressLookupTableAccount.deserialize(data)
    })
  })

/** Plays the story. Returns the signatures in chain order; some transactions fail. */
export const play = Effect.gen(function* () {
  const [alice, bob, carol] = [actorOf(11), actorOf(12), actorOf(13)]
  yield* Effect.forEach([alice, bob, carol], fund)
  const signatures: Array<Signature> = []
  const tell = (actor: Actor, ...steps: ReadonlyArray<Step>) =>
    Effect.map(send(actor, steps), (signature) => signatures.push(signature))
  const uri = "https://example.com/agent.json"
  const register = ({ wallet }: Actor) => Instruction.registerAgent({ wallet, capabilities: 3n, metadataUri: uri })
  const { wallet } = alice
  const fields = { wallet, description: "d", maxParticipants: 10, feePerMessage: 0n } as const
  const [first, general, secret, vault] = ["first", "general", "secret", "vault"].map((name) => channelOf(wallet, name))
  if (first === undefined || general === undefined || secret === undefined || vault === undefined) return signatures

  yield* tell(alice, register(alice))
  yield* tell(bob, register(bob), Instruction.updateAgent({ wallet: bob.wallet, capabilities: 4n }))
  yield* tell(carol, register(carol))
  yield* tell(
    alice,
    Instruction.createChannel({ ...fields, name: "first", visibility: "Public" }),
    Instruction.updateChannel({ wallet, channel: first, isActive: true, name: "renamed" })
  )
  yield* tell(
    alice,
    Instruction.createChannelV2({ ...fields, name: "general", visibility: "Public" }),
    Instruction.createChannelV2({ ...fields, name: "secret", visibility: "Private" })
  )
  yield* tell(
    alice,
    Instruction.createChannelV2({ ...fields, name: "vault", visibility: "Private", feePerMessage: 1000n }),
    Instruction.inviteToChannel({ wallet, channel: vault, invitee: bob.wallet, nonce: 42n }),
    Instruction.inviteToChannel({ wallet, channel: secret, invitee: carol.wallet, nonce: 1n })
  )
  yield* tell(bob, Instruction.joinChannel({ wallet: bob.wallet, channel: general }))
  yield* tell(
    bob,
    Instruction.depositEscrow({ wallet: bob.wallet, channel: vault, amount: 5000n }),
    Instruction.joinChannel({ wallet: bob.wallet, channel: vault, invitation: true, escrow: true }),
    Instruction.withdrawEscrow({ wallet: bob.wallet, channel: vault, amount: 10n })
  )
  const text = { recipient: bob.wallet, payloadHash: hash(1), type: MessageType.Text }
  const sent = Either.getOrThrow(Pda.message({ ...text, sender: alice.agent })).address
  yield* tell(alice, Instruction.sendMessage({ ...text, wallet }))
  // The second instruction fails as a duplicate, so the first has no effect either.
  yield* tell(
    alice,
    Instruction.sendMessage({ ...text, wallet, payloadHash: hash(2) }),
    Instruction.sendMessage({ ...text, wallet })
  )
  yield* tell(bob, Instruction.updateMessageStatus({ wallet: bob.wallet, message: sent, status: "Delivered" }))
  // The program refuses a message within 10 seconds of joining or of the last one.
  const wait = Effect.flatMap(EmbeddedCluster, ({ advanceTime }) => advanceTime("11 seconds"))
  yield* wait
  yield* tell(
    bob,
    Instruction.broadcastMessage({
      wallet: bob.wallet,
      channel: general,
      content: "hello, wörld 🦀",
      type: MessageType.Custom(7),
      nonce: 2n ** 64n - 1n
    }),
    Instruction.getChannelParticipants({ channel: general })
  )
  yield* tell(
    bob,
    Instruction.inviteToChannel({
      wallet: bob.wallet,
      channel: general,
      invitee: carol.wallet,
      nonce: 1n,
      participant: true
    })
  )
  yield* wait
  yield* tell(
    bob,
    Instruction.broadcastMessageCompressed({
      wallet: bob.wallet,
      channel: general,
      content: "compressed",
      type: MessageType.Text,
      replyTo: sent,
      ipfsHash: "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"
    })
  )
  yield* tell(
    carol,
    Instruction.joinChannelCompressed({
      wallet: carol.wallet,
      channel: secret,
      metadataHash: hash(2),
      invitation: true
    })
  )
  const now = yield* Effect.flatMap(RpcPool, (pool) => Effect.flatten(pool.getBlockTime(0n)))
  yield* tell(
    alice,
    Instruction.batchSyncCompressedMessages({
      wallet,
      channel: general,
      messageHashes: [hash(1), hash(2)],
      syncTimestamp: now
    })
  )
  const table = yield* tableOf([general, bob.agent, sent, Addresses.SYSTEM_PROGRAM, secret])
  signatures.push(yield* send(bob, [Instruction.leaveChannel({ wallet: bob.wallet, channel: general })], { table }))
  return signatures
})
