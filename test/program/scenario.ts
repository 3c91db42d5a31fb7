/** What most tests begin with: three agents, one wallet that is none, and channels of each kind. */
import { expect } from "@effect/vitest"
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as MessageType from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { type Chain, type Outcome, start, type Step } from "./harness.js"
import { expectSuccess } from "./refusals.js"

export const URI = "https://example.com/agent.json"
export const FEE = 1000n
export const DEPOSIT = 5000n
export const WEEK = 604_800n

/** Bytes that stand for a hash. */
export const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)

export const addressOf = <E>(
  derived: { readonly address: Address } | Either.Either<{ readonly address: Address }, E>
): Address => ("address" in derived ? derived.address : Either.getOrThrow(derived).address)

export const channelOf = (creator: Address, name: string): Address => addressOf(Pda.channel(creator, name))

export const agentOf = (wallet: Address): Address => Pda.agent(wallet).address

export const participantOf = (channel: Address, wallet: Address): Address =>
  Pda.participant(channel, agentOf(wallet)).address

export interface Scenario {
  readonly chain: Chain
  /** Created every channel. */
  readonly alice: Address
  /** Joined `general`; may join `vault`. */
  readonly bob: Address
  /** An agent that joined nothing; invited to `secret`. */
  readonly carol: Address
  /** Not an agent. */
  readonly dave: Address
  /** Public and free. */
  readonly general: Address
  /** Public, with a fee. */
  readonly paid: Address
  /** Private and free. */
  readonly secret: Address
  /** Private, with a fee. Bob is invited and has deposited. */
  readonly vault: Address
  /** Alice's message to Bob's wallet. */
  readonly message: Address
  /** Sends what must succeed. */
  readonly given: (payer: Address, ...steps: ReadonlyArray<Step>) => Outcome
  /** Sends what may be refused. */
  readonly when: (payer: Address, ...steps: ReadonlyArray<Step>) => Outcome
}

export const channel = (
  wallet: Address,
  name: string,
  overrides: Partial<Instruction.CreateChannelInput> = {}
): Instruction.CreateChannelV2Input => ({
  wallet,
  name,
  description: "d",
  visibility: "Public",
  maxParticipants: 10,
  feePerMessage: 0n,
  ...overrides
})

export const scenario = (): Scenario => {
  const chain = start()
  const [alice, bob, carol, dave] = [chain.wallet(1), chain.wallet(2), chain.wallet(3), chain.wallet(4)]
  const given: Scenario["given"] = (payer, ...steps) => {
    const outcome = chain.send(payer, ...steps)
    expectSuccess(outcome)
    return outcome
  }

  for (const wallet of [alice, bob, carol]) {
    given(wallet, Instruction.registerAgent({ wallet, capabilities: 3n, metadataUri: URI }))
  }
  const create = (name: string, overrides: Partial<Instruction.CreateChannelInput>): Address => {
    given(alice, Instruction.createChannelV2(channel(alice, name, overrides)))
    return channelOf(alice, name)
  }
  const general = create("general", {})
  const paid = create("paid", { feePerMessage: FEE })
  const secret = create("secret", { visibility: "Private" })
  const vault = create("vault", { visibility: "Private", feePerMessage: FEE })
  given(bob, Instruction.joinChannel({ wallet: bob, channel: general }))
  given(alice, Instruction.inviteToChannel({ wallet: alice, channel: secret, invitee: carol, nonce: 1n }))
  given(alice, Instruction.inviteToChannel({ wallet: alice, channel: vault, invitee: bob, nonce: 42n }))
  given(bob, Instruction.depositEscrow({ wallet: bob, channel: vault, amount: DEPOSIT }))
  const sent = { wallet: alice, recipient: bob, payloadHash: hash(1), type: MessageType.Text }
  given(alice, Instruction.sendMessage(sent))
  const message = addressOf(Pda.message({ ...sent, sender: agentOf(alice) }))
  return { chain, alice, bob, carol, dave, general, paid, secret, vault, message, given, when: chain.send }
}

/** The account's bytes are those of the value, with nothing but zeros behind them. */
export const expectAccount = (chain: Chain, address: Address, space: number, value: Account.Account): void => {
  const data = chain.data(address)
  const encoded = Either.getOrThrow(Account.encode(value))
  expect(data.length).toBe(space)
  expect(Either.getOrThrow(Account.decodeAny(data))).toEqual(value)
  expect(data).toEqual(Uint8Array.of(...encoded, ...new Uint8Array(space - encoded.length)))
}

/** Decodes an account that must be there. */
export const read = <A>(
  { chain }: Scenario,
  decode: (bytes: Uint8Array) => Either.Either<A, Account.AccountDecodeError>,
  address: Address
): A => Either.getOrThrow(decode(chain.data(address)))

/** What the program announced. */
export const eventsOf = (outcome: Outcome): ReadonlyArray<Event.Event> =>
  outcome.events.map((bytes) => Either.getOrThrow(Event.decode(bytes)))

/** Replaces an account's value, keeping its space. */
export const rewrite = <A extends Account.Account>(
  { chain }: Scenario,
  address: Address,
  decode: (bytes: Uint8Array) => Either.Either<A, Account.AccountDecodeError>,
  change: (value: A) => Account.Account
): void =>
  chain.edit(address, (data) => {
    data.set(Either.getOrThrow(Account.encode(change(Either.getOrThrow(decode(data))))))
  })
