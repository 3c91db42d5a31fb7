/** Transactions in the explorer's form: instructions, events and errors with their names. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Event from "../../../src/protocol/Event.js"
import * as Instruction from "../../../src/protocol/Instruction.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as ProgramError from "../../../src/protocol/ProgramError.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Base58 from "../../../src/solana/Base58.js"
import * as Json from "../../../src/solana/Json.js"
import type { Service } from "../Model.js"
import { Integer, read } from "./Reply.js"

const Call = Schema.Struct({
  programId: Schema.String,
  program: Schema.optional(Schema.String),
  parsed: Schema.optional(Schema.Unknown),
  accounts: Schema.optional(Schema.Array(Schema.String)),
  data: Schema.optional(Schema.String)
})

type Call = typeof Call.Type

const Transaction = Schema.Struct({
  transaction: Schema.Struct({
    signatures: Schema.Array(Schema.String),
    message: Schema.Struct({
      accountKeys: Schema.Array(
        Schema.Struct({ pubkey: Schema.String, signer: Schema.Boolean, writable: Schema.Boolean })
      ),
      instructions: Schema.Array(Call)
    })
  }),
  meta: Schema.Struct({
    err: Schema.Unknown,
    fee: Integer,
    preBalances: Schema.Array(Integer),
    postBalances: Schema.Array(Integer),
    logMessages: Schema.Array(Schema.String),
    computeUnitsConsumed: Integer,
    innerInstructions: Schema.Array(Schema.Struct({ index: Schema.Number, instructions: Schema.Array(Call) }))
  })
})

type Transaction = typeof Transaction.Type

const Landed = Schema.NullOr(Schema.Struct({ ...Transaction.fields, slot: Schema.Number, blockTime: Integer }))

const Block = Schema.Struct({
  blockhash: Schema.String,
  parentSlot: Schema.Number,
  blockHeight: Schema.Number,
  blockTime: Integer,
  transactions: Schema.Array(Transaction)
})

/** The newest version that the cluster supports. */
const FORM = { encoding: "jsonParsed", maxSupportedTransactionVersion: 1, commitment: "confirmed" }

/** One step of a transaction, or an event: its name, and its fields. */
interface Step {
  readonly name: string
  readonly program?: string
  readonly fields?: unknown
  readonly inner?: ReadonlyArray<Step>
}

const Parsed = Schema.Struct({ type: Schema.String, info: Schema.optional(Schema.Unknown) })
const isParsed = Schema.is(Parsed)

const encodeInstruction = Schema.encodeSync(Instruction.InstructionData)
const encodeEvent = Schema.encodeSync(Event.Event)

/** An object for the explorer: an array gets its indices as names. */
const fieldsOf = (value: unknown): unknown => (typeof value === "object" && value !== null ? { ...value } : { value })

const dataOf = ({ data = "" }: Call): Uint8Array => Either.getOrElse(Base58.decode(data), () => new Uint8Array(0))

const stepOf = (call: Call): Step => {
  const { accounts = [], data, parsed, program, programId } = call
  if (programId === PROGRAM_ID) {
    const bytes = dataOf(call)
    const decoded = Instruction.decode(bytes)
    if (Either.isRight(decoded)) {
      const { _tag, ...fields } = encodeInstruction(decoded.right)
      return { name: _tag, program: programId, fields: { ...fields, accounts: { ...accounts } } }
    }
    return { name: Instruction.tagOf(bytes) ?? "unknown instruction", program: programId, fields: { data } }
  }
  if (isParsed(parsed))
    return { name: `${program ?? ""} ${parsed.type}`, program: programId, fields: fieldsOf(parsed.info) }
  if (parsed !== undefined) return { name: program ?? "parsed", program: programId, fields: fieldsOf(parsed) }
  return { name: "instruction", program: programId, fields: { accounts: { ...accounts }, data } }
}

/** The error with the name that its program gives it. */
const errorOf = ({ meta, transaction }: Transaction) => {
  const { err, logMessages } = meta
  if (err === null) return undefined
  const { accountKeys, instructions } = transaction.message
  const named = Option.flatMap(
    Option.all({
      calls: Option.all(
        instructions.map((call) =>
          Option.map(Either.getRight(Addresses.parse(call.programId)), (programAddress) => ({
            programAddress,
            data: dataOf(call)
          }))
        )
      ),
      accounts: Option.all(accountKeys.map(({ pubkey }) => Either.getRight(Addresses.parse(pubkey))))
    }),
    ({ accounts, calls }) => ProgramError.fromTransactionError(err, logMessages, { instructions: calls, accounts })
  )
  return Option.match(named, {
    onNone: () => ({ name: typeof err === "string" ? err : Json.stringify(err), text: "The transaction was refused." }),
    onSome: ({ message, reason }) => ({ name: reason, text: message })
  })
}

const rowOf = (shown: Transaction, slot: number) => ({
  signature: shown.transaction.signatures[0] ?? "",
  slot,
  err: errorOf(shown)?.name ?? null,
  units: String(shown.meta.computeUnitsConsumed),
  instructions: shown.transaction.message.instructions.map((call) => stepOf(call).name)
})

/** A block with its transactions, newest first. */
export const block = (cluster: Service, slot: number) =>
  Effect.map(
    read(cluster, Block, "getBlock", slot, { ...FORM, transactionDetails: "full", rewards: false }),
    (found) => ({
      slot,
      blockhash: found.blockhash,
      parent: found.parentSlot,
      height: found.blockHeight,
      time: String(found.blockTime),
      latest: found.transactions.map((one) => rowOf(one, slot)).toReversed()
    })
  )

/** A transaction; undefined if there is none. */
export const transaction = (cluster: Service, signature: string) =>
  Effect.map(read(cluster, Landed, "getTransaction", signature, FORM), (found) => {
    if (found === null) return undefined
    const { meta } = found
    const { accountKeys, instructions } = found.transaction.message
    const steps = instructions.map((call, at) => ({
      ...stepOf(call),
      inner: meta.innerInstructions.filter(({ index }) => index === at).flatMap((each) => each.instructions.map(stepOf))
    }))
    return {
      signature,
      slot: found.slot,
      time: String(found.blockTime),
      err: errorOf(found)?.name ?? null,
      error: errorOf(found),
      fee: String(meta.fee),
      units: String(meta.computeUnitsConsumed),
      steps,
      events: Event.fromTransaction({ err: meta.err, logs: meta.logMessages }).map((event): Step =>
        Either.match(event, { onLeft: () => ({ name: "unknown event" }), onRight: eventOf })
      ),
      accounts: accountKeys.map(({ pubkey, signer, writable }, index) => {
        const [pre, post] = [BigInt(meta.preBalances[index] ?? 0), BigInt(meta.postBalances[index] ?? 0)]
        return { address: pubkey, signer, writable, balance: String(post), change: String(post - pre) }
      }),
      logs: meta.logMessages
    }
  })

const eventOf = (event: Event.Event): Step => {
  const { _tag, ...fields } = encodeEvent(event)
  return { name: _tag, fields }
}
