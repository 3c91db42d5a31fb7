import type { AccountMeta, Address, Instruction } from "@solana/kit"
import { Keypair, PublicKey, TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Base64 from "../../../src/solana/Base64.js"
import { addressOf, signed, SOL } from "../support.js"

/** Calls a method of the cluster in context. */
export const call = (method: string, ...params: ReadonlyArray<unknown>) =>
  Effect.flatMap(EmbeddedCluster.EmbeddedCluster, (cluster) => cluster.request(method, params))

/** The `value` of a reply with a context. */
export const value = (method: string, ...params: ReadonlyArray<unknown>) =>
  Effect.map(call(method, ...params), (reply) => field(reply, "value"))

/** The field at a path; undefined if there is none. */
export const field = (from: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (found, name) => (typeof found === "object" && found !== null ? Reflect.get(found, name) : undefined),
    from
  )

/** The code and message of a refused call. */
export const refusalOf = (method: string, ...params: ReadonlyArray<unknown>) =>
  Effect.map(Effect.flip(call(method, ...params)), ({ code, message, data }) => ({ code, message, data }))

/** A new key with 10 SOL. */
export const payer = Effect.gen(function* () {
  const key = Keypair.generate()
  const cluster = yield* EmbeddedCluster.EmbeddedCluster
  yield* cluster.airdrop(addressOf(key), 10n * SOL)
  return key
})

/** The instruction of a Kit client as web3.js signs it. */
export const web3 = (instruction: Instruction): TransactionInstruction =>
  new TransactionInstruction({
    programId: new PublicKey(instruction.programAddress),
    keys: (instruction.accounts ?? []).map(({ address, role }: AccountMeta) => ({
      pubkey: new PublicKey(address),
      isSigner: role >= 2,
      isWritable: role % 2 === 1
    })),
    data: Buffer.from(instruction.data ?? [])
  })

/** Signs with the newest blockhash; base64. */
export const wire = (signers: ReadonlyArray<Keypair>, ...instructions: ReadonlyArray<TransactionInstruction>) =>
  Effect.map(value("getLatestBlockhash"), (latest) =>
    Base64.encode(signed(String(field(latest, "blockhash")), signers, ...instructions))
  )

/** Signs, sends and returns the signature. */
export const sent = (signers: ReadonlyArray<Keypair>, ...instructions: ReadonlyArray<TransactionInstruction>) =>
  Effect.flatMap(wire(signers, ...instructions), (text) =>
    Effect.map(call("sendTransaction", text, { encoding: "base64" }), String)
  )

/** The public key of an address. */
export const keyOf = (address: Address): PublicKey => new PublicKey(address)
