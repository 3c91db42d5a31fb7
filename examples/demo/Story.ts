/**
 * The story: three agents register, exchange messages and use channels. The program refuses their forbidden operations.
 */
import { Agent, Channel, Escrow, Message, MessageType, RpcPool, SafeText, Wallet } from "@pod-protocol/effect"
import { type Address, lamports } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Narrator } from "./Narrator.js"

/** An actor: a name, and the wallet that signs for it. */
export interface Actor {
  readonly name: string
  readonly wallet: Wallet.Wallet["Type"]
}

/** An expected refusal, with its error. */
export interface Refusal {
  readonly step: string
  readonly error: string
  readonly name: string
  readonly code: number | null
}

/** The addresses of the accounts that the story created. */
export interface Traces {
  readonly actors: ReadonlyArray<Actor>
  readonly channels: ReadonlyArray<Address>
  readonly escrows: ReadonlyArray<{ readonly channel: Address; readonly depositor: Address }>
  readonly refusals: ReadonlyArray<Refusal>
}

const FUNDS = lamports(1_000_000_000n)
const FEE = 1_000_000n
const DEPOSIT = 5_000_000n

/** Pause between broadcasts: the program accepts one per participant and second of its clock. */
const BREATH = "1100 millis"

const as =
  ({ wallet }: Actor) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Wallet.Wallet>> =>
    Effect.provideService(effect, Wallet.Wallet, wallet)

/** Text of others, made safe for a terminal. */
const text = (bytes: Uint8Array): string => SafeText.make(new TextDecoder().decode(bytes))

const fund = Effect.fn("demo.fund")(function* (actor: Actor) {
  const rpc = yield* RpcPool.RpcPool
  yield* rpc.requestAirdrop(actor.wallet.address, FUNDS)
  yield* rpc
    .getBalance(actor.wallet.address)
    .pipe(
      Effect.repeat({ schedule: Schedule.spaced("200 millis"), until: ({ value }) => value > 0n }),
      Effect.timeout("60 seconds")
    )
})

const actor = (name: string) =>
  Effect.gen(function* () {
    const self: Actor = { name, wallet: yield* Wallet.generate }
    yield* fund(self)
    return self
  })

/** The three actors. */
export const actors = Effect.all([actor("Ada"), actor("Bo"), actor("Cy")], { concurrency: "unbounded" })

/** Ada, Bo and Cy register, exchange messages and use channels. At the end, Cy leaves a channel. */
export const story = Effect.fnUntraced(function* ([ada, bo, cy]: readonly [Actor, Actor, Actor]) {
  const { chapter, refused, told } = yield* Narrator
  const agents = yield* Agent.Agent
  const messages = yield* Message.Message
  const channels = yield* Channel.Channel
  const escrows = yield* Escrow.Escrow
  const refusals: Array<Refusal> = []

  const expectRefusal = <A, E extends { readonly _tag: string; readonly message: string }, R>(
    who: Actor,
    step: string,
    attempt: Effect.Effect<A, E, R>
  ) =>
    attempt.pipe(
      as(who),
      Effect.flip,
      Effect.orDieWith(() => new Error(`${step} was not refused`)),
      Effect.tap((error) => {
        const refusal = describe(step, error)
        refusals.push(refusal)
        // Removes the program, instruction and code from the message. The document has them.
        return refused(who.name, `${step}: ${error.message.replace(/ \([^()]*\)$/, "")}`)
      })
    )

  yield* chapter("Three agents register")
  for (const [index, who] of [ada, bo, cy].entries()) {
    const metadataUri = `https://example.com/agents/${who.name.toLowerCase()}.json`
    const { address } = yield* agents.register({ capabilities: BigInt(index + 1), metadataUri }).pipe(as(who))
    yield* told(who.name, `is agent ${address}`)
  }
  yield* expectRefusal(
    ada,
    "register twice",
    agents.register({ capabilities: 1n, metadataUri: "https://example.com/agents/ada.json" })
  )

  yield* chapter("Ada writes to Bo, who is listening")
  const letter = yield* messages.inbox(bo.wallet.address, { follow: true }).pipe(Stream.runHead, Effect.fork)
  yield* messages.send({ recipient: bo.wallet.address, payload: "Hello Bo, shall we talk?" }).pipe(as(ada))
  yield* told("Ada", "sent a letter")
  const received = yield* Fiber.join(letter).pipe(
    Effect.flatMap(Option.match({ onNone: () => Effect.dieMessage("no letter came"), onSome: Effect.succeed }))
  )
  yield* told("Bo", `reads, and the hash on the chain agrees: "${text(yield* messages.payload(received))}"`)
  yield* messages.markDelivered(received).pipe(as(bo))
  yield* messages.markRead(received.address).pipe(as(bo))
  yield* told("Bo", "marks it delivered, then read")
  yield* expectRefusal(cy, "mark somebody else's letter", messages.markFailed(received.address))
  yield* messages
    .send({ recipient: ada.wallet.address, payload: new Uint8Array([1, 2, 3]), type: MessageType.Custom(7) })
    .pipe(as(bo))
  yield* told("Bo", "answers with three bytes of a type of their own, Custom(7)")

  yield* chapter("Ada opens a private channel")
  yield* expectRefusal(ada, "a name of 33 bytes", channels.create({ name: "n".repeat(33) }))
  const council = yield* channels
    .create({ name: "council", description: "By invitation", visibility: "Private", maxParticipants: 10 })
    .pipe(as(ada))
  yield* told("Ada", `opens "council" at ${council.address}`)
  yield* expectRefusal(cy, "join without an invitation", channels.join(council.address))
  yield* channels.invite(council.address, bo.wallet.address).pipe(as(ada))
  yield* told("Ada", "invites Bo")
  yield* channels.join(council.address).pipe(as(bo))
  yield* told("Bo", "joins")
  const opening = yield* channels.broadcast(council.address, { content: "The council is open." }).pipe(as(ada))
  yield* told("Ada", "says: The council is open.")
  yield* channels.broadcast(council.address, { content: "Glad to be here.", replyTo: opening.address }).pipe(as(bo))
  yield* told("Bo", "replies: Glad to be here.")
  yield* Effect.sleep(BREATH)
  yield* channels.broadcast(council.address, { content: "Then let us begin." }).pipe(as(ada))
  yield* told("Ada", "says: Then let us begin.")

  yield* chapter("Bo opens a channel that asks a fee")
  const lectures = yield* channels.create({ name: "lectures", feePerMessage: FEE }).pipe(as(bo))
  yield* told("Bo", `opens "lectures", ${FEE} lamports to join`)
  yield* escrows.deposit(lectures.address, DEPOSIT).pipe(as(cy))
  yield* told("Cy", `deposits ${DEPOSIT} lamports in escrow`)
  yield* channels.join(lectures.address).pipe(as(cy))
  yield* told("Cy", "joins; the fee leaves the escrow")
  yield* channels.broadcast(lectures.address, { content: "What will the lecture be on?" }).pipe(as(cy))
  yield* told("Cy", "asks: What will the lecture be on?")
  yield* escrows.withdraw(lectures.address, DEPOSIT - FEE).pipe(as(cy))
  yield* told("Cy", `withdraws the other ${DEPOSIT - FEE} lamports`)

  yield* chapter("Things change")
  yield* agents.update({ capabilities: 7n, metadataUri: "https://example.com/agents/ada-2.json" }).pipe(as(ada))
  yield* told("Ada", "updates her card")
  yield* channels.update(council.address, { description: "By invitation, since today" }).pipe(as(ada))
  yield* told("Ada", "rewords the council's description")
  yield* channels.leave(lectures.address).pipe(as(cy))
  yield* told("Cy", "leaves the lectures")

  const traces: Traces = {
    actors: [ada, bo, cy],
    channels: [council.address, lectures.address],
    escrows: [{ channel: lectures.address, depositor: cy.wallet.address }],
    refusals
  }
  return traces
})

const describe = (step: string, error: { readonly _tag: string; readonly message: string }): Refusal => ({
  step,
  error: error._tag,
  name: "reason" in error ? String(error.reason) : "field" in error ? String(error.field) : error._tag,
  code: "code" in error && typeof error.code === "number" ? error.code : null
})
