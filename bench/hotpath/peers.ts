/**
 * Other clients, used as their documentation shows: from a payload to the base64 text for a node, or over a connection if
 * one is given.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type * as Anchor from "@coral-xyz/anchor"
import * as Kit from "@solana/kit"
import type * as Web3 from "@solana/web3.js"
import * as Fixtures from "./fixtures.js"
import { load } from "./install.js"

const PROGRAM = "HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps"
const SYSTEM = "11111111111111111111111111111111"
const SEND_MESSAGE = Uint8Array.of(0x39, 0x28, 0x22, 0xb2, 0xbd, 0x0a, 0x41, 0x1a)

/** Sends the nth message. */
export type Send = (index: number) => Promise<unknown>

const sha256 = async (payload: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(payload)))

const program = Kit.address(PROGRAM)

/** Kit's types, codecs and signers. `deliver` gets the base64 wire. */
export const kit = async (deliver: (wire: Kit.Base64EncodedWireTransaction) => Promise<unknown>): Promise<Send> => {
  const signer = await Kit.createKeyPairSignerFromBytes(Fixtures.secretKey)
  const addresses = Kit.getAddressEncoder()
  const dataEncoder = Kit.getStructEncoder([
    ["discriminator", Kit.fixEncoderSize(Kit.getBytesEncoder(), 8)],
    ["recipient", Kit.getAddressEncoder()],
    ["payloadHash", Kit.fixEncoderSize(Kit.getBytesEncoder(), 32)],
    ["type", Kit.getU8Encoder()]
  ])
  const lifetime = { blockhash: Fixtures.blockhash, lastValidBlockHeight: 1000n }
  return async (index) => {
    const recipient = Fixtures.recipient(index)
    const payloadHash = await sha256(Fixtures.payload())
    const [agent] = await Kit.getProgramDerivedAddress({
      programAddress: program,
      seeds: ["agent", addresses.encode(signer.address)]
    })
    const [message] = await Kit.getProgramDerivedAddress({
      programAddress: program,
      seeds: ["message", addresses.encode(agent), addresses.encode(recipient), payloadHash, Uint8Array.of(0)]
    })
    const instruction: Kit.Instruction = {
      programAddress: program,
      accounts: [
        { address: message, role: Kit.AccountRole.WRITABLE },
        { address: agent, role: Kit.AccountRole.READONLY },
        { address: signer.address, role: Kit.AccountRole.WRITABLE_SIGNER },
        { address: Kit.address(SYSTEM), role: Kit.AccountRole.READONLY }
      ],
      data: dataEncoder.encode({ discriminator: SEND_MESSAGE, recipient, payloadHash, type: 0 })
    }
    const signed = await Kit.signTransactionMessageWithSigners(
      Kit.pipe(
        Kit.createTransactionMessage({ version: 0 }),
        (message) => Kit.setTransactionMessageFeePayerSigner(signer, message),
        (message) => Kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
        (message) => Kit.appendTransactionMessageInstruction(instruction, message)
      )
    )
    return deliver(Kit.getBase64EncodedWireTransaction(signed))
  }
}

/** The program's IDL in Anchor's form, with the address of the program. */
const idl = (): Anchor.Idl =>
  JSON.parse(readFileSync(join(process.env["BENCH_ROOT"] ?? process.cwd(), "program/idl.json"), "utf8"))

/** A connection that answers at once, or that posts to a given URL. */
const connectionOf = (web3: typeof Web3, url: string | undefined): Web3.Connection => {
  const connection = new web3.Connection(url ?? "http://127.0.0.1:1", "confirmed")
  const confirmed = { context: { slot: 1 }, value: { err: null } }
  connection.confirmTransaction = () => Promise.resolve(confirmed)
  if (url === undefined) {
    connection.getLatestBlockhash = () => Promise.resolve({ blockhash: Fixtures.blockhash, lastValidBlockHeight: 1000 })
    connection.sendRawTransaction = (wire) => Promise.resolve(Buffer.from(wire).toString("base64"))
  }
  return connection
}

/** web3.js version 1 with versioned transactions, as its documentation recommends. */
export const web3js = async (url?: string): Promise<Send> => {
  const web3 = (await load("npm", "@solana/web3.js")) as typeof Web3
  const connection = connectionOf(web3, url)
  const wallet = web3.Keypair.fromSecretKey(Fixtures.secretKey)
  const programId = new web3.PublicKey(PROGRAM)
  return async (index) => {
    const recipient = new web3.PublicKey(Fixtures.recipient(index))
    const payloadHash = await sha256(Fixtures.payload())
    const [agent] = web3.PublicKey.findProgramAddressSync(
      [Buffer.from("agent"), wallet.publicKey.toBuffer()],
      programId
    )
    const [message] = web3.PublicKey.findProgramAddressSync(
      [Buffer.from("message"), agent.toBuffer(), recipient.toBuffer(), payloadHash, Uint8Array.of(0)],
      programId
    )
    const instruction = new web3.TransactionInstruction({
      programId,
      keys: [
        { pubkey: message, isSigner: false, isWritable: true },
        { pubkey: agent, isSigner: false, isWritable: false },
        { pubkey: wallet.publicKey, isSigner: true, isWritable: true },
        { pubkey: web3.SystemProgram.programId, isSigner: false, isWritable: false }
      ],
      data: Buffer.concat([SEND_MESSAGE, recipient.toBuffer(), payloadHash, Uint8Array.of(0)])
    })
    const compiled = new web3.TransactionMessage({
      payerKey: wallet.publicKey,
      recentBlockhash: Fixtures.blockhash,
      instructions: [instruction]
    }).compileToV0Message()
    const transaction = new web3.VersionedTransaction(compiled)
    transaction.sign([wallet])
    return connection.sendRawTransaction(transaction.serialize())
  }
}

/** Anchor's method builder, which fetches a blockhash for each transaction. */
export const anchor = async (url?: string): Promise<Send> => {
  const web3 = (await load("npm", "@solana/web3.js")) as typeof Web3
  const { AnchorProvider, Program, Wallet } = (await load("npm", "@coral-xyz/anchor")) as typeof Anchor
  const wallet = web3.Keypair.fromSecretKey(Fixtures.secretKey)
  const provider = new AnchorProvider(connectionOf(web3, url), new Wallet(wallet), { commitment: "confirmed" })
  const client = new Program(idl(), provider)
  return async (index) => {
    const recipient = new web3.PublicKey(Fixtures.recipient(index))
    const payloadHash = await sha256(Fixtures.payload())
    const [agent] = web3.PublicKey.findProgramAddressSync(
      [Buffer.from("agent"), wallet.publicKey.toBuffer()],
      client.programId
    )
    const [message] = web3.PublicKey.findProgramAddressSync(
      [Buffer.from("message"), agent.toBuffer(), recipient.toBuffer(), payloadHash, Uint8Array.of(0)],
      client.programId
    )
    return client.methods["sendMessage"]?.(recipient, Array.from(payloadHash), { text: {} })
      .accountsPartial({ messageAccount: message, senderAgent: agent, signer: wallet.publicKey })
      .rpc()
  }
}

interface PodService {
  readonly setProgram: (program: unknown) => void
  readonly sendMessage: (
    wallet: Web3.Keypair,
    options: { readonly recipient: Web3.PublicKey; readonly payload: string; readonly messageType: string }
  ) => Promise<unknown>
}

/** The published SDK's message service. The rest of that package needs a native add-on that is not built. */
export const podSdk = async (url?: string): Promise<Send> => {
  const web3 = (await load("pod-sdk", "@solana/web3.js")) as typeof Web3
  const { AnchorProvider, Program, Wallet } = (await load("pod-sdk", "@coral-xyz/anchor")) as typeof Anchor
  const { MessageService } = (await load("pod-sdk", "@pod-protocol/sdk/dist/services/message.esm.js")) as {
    readonly MessageService: new (config: object) => PodService
  }
  const wallet = web3.Keypair.fromSecretKey(Fixtures.secretKey)
  const connection = connectionOf(web3, url)
  const service = new MessageService({ connection, programId: new web3.PublicKey(PROGRAM), commitment: "confirmed" })
  service.setProgram(
    new Program(idl(), new AnchorProvider(connection, new Wallet(wallet), { commitment: "confirmed" }))
  )
  return (index) =>
    service.sendMessage(wallet, {
      recipient: new web3.PublicKey(Fixtures.recipient(index)),
      payload: Fixtures.payload(),
      messageType: "text"
    })
}
