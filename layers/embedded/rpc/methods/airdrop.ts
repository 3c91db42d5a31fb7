/** Airdrops: transfers from the faucet. */
import type { Address, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Submission } from "../../chain/Chain.js"
import type { LoadedTransaction } from "../../chain/LoadedTransaction.js"
import * as Errors from "../../chain/TransactionErrors.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { type Method, method, type Node } from "../Node.js"
import * as Params from "../Params.js"
import * as TransactionInput from "../TransactionInput.js"

const FAILED = "Internal error: the faucet's transfer failed:"

const requestAirdrop = method(
  Params.decode(Schema.Tuple(Schema.String, Params.U64, Params.optional(Params.BankConfig)), 2, 3),
  (node, [text, lamports]) =>
    Either.flatMap(Params.address(text), (address) => request(node, address, BigInt(lamports)))
)

/**
 * Pays from the faucet and answers with the signature, even if the transfer lands as failed, as a node does. Fails if
 * the faucet has too few lamports.
 */
const request = (node: Node, address: Address, lamports: bigint): Params.Read<Signature> => {
  const { chain, faucet } = node
  const balance = chain.balance(faucet.address, chain.bank("processed").slot)
  if (lamports > balance) return Either.left(JsonRpcError.internal(`${FAILED} it has ${balance} lamports`))
  return Either.flatMap(transfers(node, address, lamports), ({ transaction, submit }) =>
    Either.mapBoth(submit(), {
      onLeft: (error) => JsonRpcError.internal(`${FAILED} ${Errors.describe(error)}`),
      onRight: () => transaction.signature
    })
  )
}

/** Pays from the faucet. The transaction has landed when this returns. A transfer that would fail does not land. */
export const airdrop = (node: Node, address: Address, lamports: bigint): Params.Read<Signature> =>
  Either.gen(function* () {
    const { chain, nowMillis } = node
    const { transaction, submit } = yield* transfers(node, address, lamports)
    const { err } = chain.simulate(transaction, chain.bank("processed"), nowMillis, false)
    const landed = err === null ? submit() : Either.left(err)
    yield* Either.mapLeft(landed, (error) => JsonRpcError.internal(`${FAILED} ${Errors.describe(error)}`))
    return transaction.signature
  })

interface Transfer {
  readonly transaction: LoadedTransaction
  readonly submit: () => Submission
}

/** A transfer that has not landed yet. An equal one of the same block gets a mark. */
const transfers = (node: Node, address: Address, lamports: bigint): Params.Read<Transfer> =>
  Either.gen(function* () {
    const { chain, faucet, nowMillis } = node
    const bank = chain.bank("processed")
    const { blockhash } = chain.latestBlockhash(bank)
    const make = (isMarked: boolean) =>
      Either.flatMap(
        Either.mapLeft(faucet.transfer(address, lamports, blockhash, isMarked), (error) =>
          JsonRpcError.params(`Invalid params: ${error.message}`)
        ),
        (wire) => TransactionInput.fromBytes(chain, wire)
      )
    const plain = yield* make(false)
    const transaction = chain.refusal(plain, bank) === "AlreadyProcessed" ? yield* make(true) : plain
    return { transaction, submit: () => chain.submit(transaction, nowMillis, false) }
  })

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = { requestAirdrop }
