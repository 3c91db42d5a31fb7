/** The SDKs over web3.js v1: by hand, by Anchor's builder, and by the published SDK of the protocol. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type * as Anchor from "@coral-xyz/anchor"
import type * as Web3 from "@solana/web3.js"
import { recipient as recipientOf } from "../hotpath/fixtures.js"
import { load } from "../hotpath/install.js"
import type { Contender, Job } from "./protocol.js"
import { CAPABILITIES, fund, payload, stock, URI } from "./protocol.js"

const PROGRAM = "HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps"
const REGISTER = Buffer.from([135, 157, 66, 195, 2, 113, 175, 30])
const SEND = Buffer.from([57, 40, 34, 178, 189, 10, 65, 26])

const idl = (): Anchor.Idl =>
  JSON.parse(readFileSync(join(process.env["BENCH_ROOT"] ?? process.cwd(), "program/idl.json"), "utf8"))

const sha256 = async (text: string): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))

const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

const prefixed = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(bytes.length)
  return Buffer.concat([size, bytes])
}

/** The common parts of all three: the library, a connection, and funded wallets. */
const groundOf = async (folder: "npm" | "pod-sdk", { node }: Job) => {
  const web3 = (await load(folder, "@solana/web3.js")) as typeof Web3
  const connection = new web3.Connection(node.url, { commitment: "confirmed", wsEndpoint: node.wsUrl })
  const programId = new web3.PublicKey(PROGRAM)
  const funded = async (count: number): Promise<ReadonlyArray<Web3.Keypair>> => {
    const wallets = Array.from({ length: count }, () => web3.Keypair.generate())
    await fund(
      node.url,
      wallets.map(({ publicKey }) => publicKey.toBase58())
    )
    return wallets
  }
  const agentOf = (wallet: Web3.PublicKey): Web3.PublicKey =>
    web3.PublicKey.findProgramAddressSync([Buffer.from("agent"), wallet.toBuffer()], programId)[0]
  const messageOf = (agent: Web3.PublicKey, recipient: Web3.PublicKey, hash: Uint8Array): Web3.PublicKey =>
    web3.PublicKey.findProgramAddressSync(
      [Buffer.from("message"), agent.toBuffer(), recipient.toBuffer(), hash, Uint8Array.of(0)],
      programId
    )[0]
  return { agentOf, connection, funded, messageOf, programId, web3 }
}

type Ground = Awaited<ReturnType<typeof groundOf>>

const registerBy =
  ({ agentOf, connection, programId, web3 }: Ground) =>
  (wallet: Web3.Keypair) =>
    web3.sendAndConfirmTransaction(
      connection,
      new web3.Transaction().add(
        new web3.TransactionInstruction({
          programId,
          keys: [
            { pubkey: agentOf(wallet.publicKey), isSigner: false, isWritable: true },
            { pubkey: wallet.publicKey, isSigner: true, isWritable: true },
            { pubkey: web3.SystemProgram.programId, isSigner: false, isWritable: false }
          ],
          data: Buffer.concat([REGISTER, u64(CAPABILITIES), prefixed(URI)])
        })
      ),
      [wallet],
      { commitment: "confirmed" }
    )

const registered = async (ground: Ground): Promise<Web3.Keypair> => {
  const [wallet] = await ground.funded(1)
  if (wallet === undefined) throw new Error("no wallet")
  await registerBy(ground)(wallet)
  return wallet
}

/** web3.js v1, used as in its documentation. */
export const web3js = async (job: Job): Promise<Contender> => {
  const ground = await groundOf("npm", job)
  const { agentOf, connection, messageOf, programId, web3 } = ground
  if (job.operation === "register") {
    const wallets = stock(ground.funded)
    return { prepare: wallets.prepare, run: () => registerBy(ground)(wallets.take()) }
  }
  const wallet = await registered(ground)
  return {
    run: async (index) => {
      const recipient = new web3.PublicKey(recipientOf(index))
      const hash = await sha256(payload())
      const agent = agentOf(wallet.publicKey)
      const instruction = new web3.TransactionInstruction({
        programId,
        keys: [
          { pubkey: messageOf(agent, recipient, hash), isSigner: false, isWritable: true },
          { pubkey: agent, isSigner: false, isWritable: false },
          { pubkey: wallet.publicKey, isSigner: true, isWritable: true },
          { pubkey: web3.SystemProgram.programId, isSigner: false, isWritable: false }
        ],
        data: Buffer.concat([SEND, recipient.toBuffer(), hash, Uint8Array.of(0)])
      })
      await web3.sendAndConfirmTransaction(connection, new web3.Transaction().add(instruction), [wallet], {
        commitment: "confirmed"
      })
    }
  }
}

const clientOf = async (folder: "npm" | "pod-sdk", { connection }: Ground, wallet: Web3.Keypair) => {
  // Node does not find all names of this CommonJS module
  const { default: anchor } = (await load(folder, "@coral-xyz/anchor")) as { readonly default: typeof Anchor }
  const { AnchorProvider, BN, Program, Wallet } = anchor
  const provider = new AnchorProvider(connection, new Wallet(wallet), { commitment: "confirmed" })
  return { BN, program: new Program(idl(), provider) }
}

/** Anchor's method builder. */
export const anchor = async (job: Job): Promise<Contender> => {
  const ground = await groundOf("npm", job)
  const { agentOf, messageOf, web3 } = ground
  const wallet = await registered(ground)
  const { BN, program } = await clientOf("npm", ground, wallet)
  if (job.operation === "register") {
    const wallets = stock(ground.funded)
    return {
      prepare: wallets.prepare,
      run: async () => {
        const signer = wallets.take()
        await program.methods["registerAgent"]?.(new BN(CAPABILITIES), URI)
          .accountsPartial({ agentAccount: agentOf(signer.publicKey), signer: signer.publicKey })
          .signers([signer])
          .rpc({ commitment: "confirmed" })
      }
    }
  }
  return {
    run: async (index) => {
      const recipient = new web3.PublicKey(recipientOf(index))
      const hash = await sha256(payload())
      const agent = agentOf(wallet.publicKey)
      await program.methods["sendMessage"]?.(recipient, Array.from(hash), { text: {} })
        .accountsPartial({
          messageAccount: messageOf(agent, recipient, hash),
          senderAgent: agent,
          signer: wallet.publicKey
        })
        .rpc({ commitment: "confirmed" })
    }
  }
}

interface PodService {
  readonly setProgram: (program: unknown) => void
  readonly registerAgent: (
    wallet: Web3.Keypair,
    options: { readonly capabilities: number; readonly metadataUri: string }
  ) => Promise<unknown>
  readonly sendMessage: (
    wallet: Web3.Keypair,
    options: { readonly recipient: Web3.PublicKey; readonly payload: string; readonly messageType: string }
  ) => Promise<unknown>
}

/** The published SDK. Its services are loaded one by one: the rest of the package needs an add-on that is not built. */
export const podSdk = async (job: Job): Promise<Contender> => {
  const ground = await groundOf("pod-sdk", job)
  const { connection, programId, web3 } = ground
  if (job.operation === "register") {
    const { AgentService } = (await load("pod-sdk", "@pod-protocol/sdk/dist/services/agent.esm.js")) as {
      readonly AgentService: new (config: object) => PodService
    }
    // Each wallet needs its own client, which is made before the timing starts
    const clients = stock(async (count) =>
      Promise.all(
        (await ground.funded(count)).map(async (wallet) => {
          const service = new AgentService({ connection, programId, commitment: "confirmed" })
          service.setProgram((await clientOf("pod-sdk", ground, wallet)).program)
          return { service, wallet }
        })
      )
    )
    return {
      prepare: clients.prepare,
      run: () => {
        const { service, wallet } = clients.take()
        return service.registerAgent(wallet, { capabilities: CAPABILITIES, metadataUri: URI })
      }
    }
  }
  const wallet = await registered(ground)
  const { MessageService } = (await load("pod-sdk", "@pod-protocol/sdk/dist/services/message.esm.js")) as {
    readonly MessageService: new (config: object) => PodService
  }
  const service = new MessageService({ connection, programId, commitment: "confirmed" })
  service.setProgram((await clientOf("pod-sdk", ground, wallet)).program)
  return {
    run: (index) =>
      service.sendMessage(wallet, {
        recipient: new web3.PublicKey(recipientOf(index)),
        payload: payload(),
        messageType: "text"
      })
  }
}
