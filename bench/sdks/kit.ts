/** Kit, used as in its documentation: a message built in a pipe, signed by its signer, sent and confirmed by Kit's factory. */
import * as Kit from "@solana/kit"
import { recipient as recipientOf } from "../hotpath/fixtures.js"
import type { Contender, Job } from "./protocol.js"
import { CAPABILITIES, fund, payload, stock, URI } from "./protocol.js"

const PROGRAM = Kit.address("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")
const SYSTEM = Kit.address("11111111111111111111111111111111")
const REGISTER = Uint8Array.of(135, 157, 66, 195, 2, 113, 175, 30)
const SEND = Uint8Array.of(57, 40, 34, 178, 189, 10, 65, 26)

const addresses = Kit.getAddressEncoder()

const registerData = Kit.getStructEncoder([
  ["discriminator", Kit.fixEncoderSize(Kit.getBytesEncoder(), 8)],
  ["capabilities", Kit.getU64Encoder()],
  ["metadataUri", Kit.addEncoderSizePrefix(Kit.getUtf8Encoder(), Kit.getU32Encoder())]
])

const sendData = Kit.getStructEncoder([
  ["discriminator", Kit.fixEncoderSize(Kit.getBytesEncoder(), 8)],
  ["recipient", Kit.getAddressEncoder()],
  ["payloadHash", Kit.fixEncoderSize(Kit.getBytesEncoder(), 32)],
  ["type", Kit.getU8Encoder()]
])

const agentOf = async (wallet: Kit.Address): Promise<Kit.Address> => {
  const [agent] = await Kit.getProgramDerivedAddress({
    programAddress: PROGRAM,
    seeds: ["agent", addresses.encode(wallet)]
  })
  return agent
}

export const contender = async ({ node, operation }: Job): Promise<Contender> => {
  const rpc = Kit.createSolanaRpc(node.url)
  const rpcSubscriptions = Kit.createSolanaRpcSubscriptions(node.wsUrl)
  const sendAndConfirm = Kit.sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions })

  const submit = async (signer: Kit.KeyPairSigner, instruction: Kit.Instruction): Promise<void> => {
    const { value: lifetime } = await rpc.getLatestBlockhash().send()
    const signed = await Kit.signTransactionMessageWithSigners(
      Kit.pipe(
        Kit.createTransactionMessage({ version: 0 }),
        (message) => Kit.setTransactionMessageFeePayerSigner(signer, message),
        (message) => Kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
        (message) => Kit.appendTransactionMessageInstruction(instruction, message)
      )
    )
    Kit.assertIsSendableTransaction(signed)
    Kit.assertIsTransactionWithBlockhashLifetime(signed)
    await sendAndConfirm(signed, { commitment: "confirmed" })
  }

  const register = async (signer: Kit.KeyPairSigner): Promise<void> =>
    submit(signer, {
      programAddress: PROGRAM,
      accounts: [
        { address: await agentOf(signer.address), role: Kit.AccountRole.WRITABLE },
        { address: signer.address, role: Kit.AccountRole.WRITABLE_SIGNER },
        { address: SYSTEM, role: Kit.AccountRole.READONLY }
      ],
      data: registerData.encode({ discriminator: REGISTER, capabilities: BigInt(CAPABILITIES), metadataUri: URI })
    })

  const funded = async (count: number): Promise<ReadonlyArray<Kit.KeyPairSigner>> => {
    const signers = await Promise.all(Array.from({ length: count }, () => Kit.generateKeyPairSigner()))
    await fund(
      node.url,
      signers.map(({ address }) => address)
    )
    return signers
  }

  if (operation === "register") {
    const signers = stock(funded)
    return { prepare: signers.prepare, run: () => register(signers.take()) }
  }
  const [signer] = await funded(1)
  if (signer === undefined) throw new Error("no signer")
  await register(signer)
  return {
    run: async (index) => {
      const recipient = recipientOf(index)
      const payloadHash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(payload())))
      const agent = await agentOf(signer.address)
      const [message] = await Kit.getProgramDerivedAddress({
        programAddress: PROGRAM,
        seeds: ["message", addresses.encode(agent), addresses.encode(recipient), payloadHash, Uint8Array.of(0)]
      })
      await submit(signer, {
        programAddress: PROGRAM,
        accounts: [
          { address: message, role: Kit.AccountRole.WRITABLE },
          { address: agent, role: Kit.AccountRole.READONLY },
          { address: signer.address, role: Kit.AccountRole.WRITABLE_SIGNER },
          { address: SYSTEM, role: Kit.AccountRole.READONLY }
        ],
        data: sendData.encode({ discriminator: SEND, recipient, payloadHash, type: 0 })
      })
    }
  }
}
