/** Kit against the served cluster: what its live tests ask of a node. */
import { assert, layer } from "@effect/vitest"
import {
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  getInitializeMint2Instruction,
  getMintToInstruction,
  TOKEN_PROGRAM_ADDRESS
} from "@solana-program/token"
import {
  addSignersToInstruction,
  address,
  airdropFactory,
  appendTransactionMessageInstructions,
  assertIsTransactionWithBlockhashLifetime,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  estimateAndSetResourceLimitsFactory,
  estimateResourceLimitsFactory,
  fillTransactionMessageProvisoryResourceLimits,
  generateKeyPairSigner,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getTransactionMessageComputeUnitLimit,
  type Instruction,
  type KeyPairSigner,
  lamports,
  pipe,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners
} from "@solana/kit"
import { PublicKey, SystemProgram, type TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import { Served, served } from "./served.js"

const SOL = 1_000_000_000n

/** An instruction of the System program, as web3.js builds it. */
const system = (signers: Array<KeyPairSigner>, { data, keys, programId }: TransactionInstruction): Instruction =>
  addSignersToInstruction(signers, {
    programAddress: address(programId.toBase58()),
    accounts: keys.map(({ isSigner, isWritable, pubkey }) => ({
      address: address(pubkey.toBase58()),
      role: (isSigner ? 2 : 0) + (isWritable ? 1 : 0)
    })),
    data
  })

const keyOf = ({ address }: KeyPairSigner): PublicKey => new PublicKey(address)

const clientOf = ({ url, wsUrl }: { readonly url: string; readonly wsUrl: string }) => {
  const rpc = createSolanaRpc(url)
  const rpcSubscriptions = createSolanaRpcSubscriptions(wsUrl)
  const airdrop = airdropFactory({ rpc, rpcSubscriptions })
  const sendAndConfirm = sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions })
  const funded = async () => {
    const signer = await generateKeyPairSigner()
    await airdrop({ commitment: "confirmed", lamports: lamports(10n * SOL), recipientAddress: signer.address })
    return signer
  }
  const send = async (payer: KeyPairSigner, ...instructions: ReadonlyArray<Instruction>) => {
    const { value } = await rpc.getLatestBlockhash().send()
    const signed = await signTransactionMessageWithSigners(
      pipe(
        createTransactionMessage({ version: 0 }),
        (message) => setTransactionMessageFeePayerSigner(payer, message),
        (message) => setTransactionMessageLifetimeUsingBlockhash(value, message),
        (message) => appendTransactionMessageInstructions(instructions, message)
      )
    )
    assertIsTransactionWithBlockhashLifetime(signed)
    await sendAndConfirm(signed, { commitment: "confirmed" })
    return getSignatureFromTransaction(signed)
  }
  return { rpc, rpcSubscriptions, airdrop, funded, send }
}

layer(served, { excludeTestServices: true })("Kit", (it) => {
  it.effect("Given Kit, When it airdrops, subscribes and reads, Then all works", () =>
    Effect.gen(function* () {
      const { airdrop, rpc, rpcSubscriptions } = clientOf(yield* Served)
      yield* Effect.promise(async () => {
        const signer = await generateKeyPairSigner()
        const stop = new AbortController()
        const notifications = await rpcSubscriptions
          .accountNotifications(signer.address, { commitment: "confirmed", encoding: "base64" })
          .subscribe({ abortSignal: stop.signal })
        const first = notifications[Symbol.asyncIterator]().next()
        const signature = await airdrop({
          commitment: "finalized",
          lamports: lamports(2n * SOL),
          recipientAddress: signer.address
        })
        const { value: notification } = await first
        assert.strictEqual(notification?.value.lamports, lamports(2n * SOL))
        stop.abort()
        assert.strictEqual((await rpc.getBalance(signer.address).send()).value, lamports(2n * SOL))
        const transaction = await rpc
          .getTransaction(signature, { encoding: "json", maxSupportedTransactionVersion: 0 })
          .send()
        assert.strictEqual(transaction?.meta?.fee, lamports(5000n))
        const account = await rpc.getAccountInfo(signer.address, { encoding: "base64" }).send()
        assert.strictEqual(account.value?.space, 0n)
        const statuses = await rpc.getSignatureStatuses([signature]).send()
        assert.strictEqual(statuses.value[0]?.confirmationStatus, "finalized")
      })
    })
  )

  it.effect("Given a mint, When Kit asks for tokens and parsed forms, Then it gets what a node gives", () =>
    Effect.gen(function* () {
      const { funded, rpc, send } = clientOf(yield* Served)
      yield* Effect.promise(async () => {
        const [payer, mint] = [await funded(), await generateKeyPairSigner()]
        const owner = payer.address
        const [token] = await findAssociatedTokenPda({ owner, mint: mint.address, tokenProgram: TOKEN_PROGRAM_ADDRESS })
        const signature = await send(
          payer,
          system(
            [payer, mint],
            SystemProgram.createAccount({
              fromPubkey: keyOf(payer),
              newAccountPubkey: keyOf(mint),
              lamports: 10_000_000,
              space: 82,
              programId: new PublicKey(TOKEN_PROGRAM_ADDRESS)
            })
          ),
          getInitializeMint2Instruction({ mint: mint.address, decimals: 3, mintAuthority: owner }),
          getCreateAssociatedTokenIdempotentInstruction({ payer, ata: token, owner, mint: mint.address }),
          getMintToInstruction({ mint: mint.address, token, mintAuthority: payer, amount: 1500n })
        )
        const amount: unknown = { amount: "1500", decimals: 3, uiAmount: 1.5, uiAmountString: "1.5" }
        assert.deepStrictEqual<unknown>((await rpc.getTokenAccountBalance(token).send()).value, amount)
        assert.deepStrictEqual<unknown>((await rpc.getTokenSupply(mint.address).send()).value, amount)
        assert.strictEqual((await rpc.getTokenLargestAccounts(mint.address).send()).value[0]?.address, token)
        const owned = await rpc
          .getTokenAccountsByOwner(owner, { mint: mint.address }, { encoding: "jsonParsed" })
          .send()
        assert.strictEqual(owned.value[0]?.account.data.parsed.info.tokenAmount.uiAmountString, "1.5")
        const parsed = await rpc.getAccountInfo(mint.address, { encoding: "jsonParsed" }).send()
        assert.deepInclude(parsed.value?.data, { program: "spl-token", space: 82n })
        const landed = await rpc
          .getTransaction(signature, { encoding: "jsonParsed", maxSupportedTransactionVersion: 0 })
          .send()
        const types = landed?.transaction.message.instructions.map((one) => ("parsed" in one ? one.parsed.type : "raw"))
        assert.deepStrictEqual(types, ["createAccount", "initializeMint2", "createIdempotent", "mintTo"])
        assert.strictEqual(landed?.meta?.postTokenBalances?.[0]?.uiTokenAmount.uiAmountString, "1.5")
      })
    })
  )

  it.effect(
    "Given a version-1 message, When Kit estimates its resources, Then it sets them and the message lands",
    () =>
      Effect.gen(function* () {
        const { funded, rpc } = clientOf(yield* Served)
        yield* Effect.promise(async () => {
          const [payer, to] = [await funded(), await generateKeyPairSigner()]
          const { value } = await rpc.getLatestBlockhash().send()
          const message = pipe(
            createTransactionMessage({ version: 1 }),
            (message) => setTransactionMessageFeePayerSigner(payer, message),
            (message) => setTransactionMessageLifetimeUsingBlockhash(value, message),
            (message) =>
              appendTransactionMessageInstructions(
                [
                  system(
                    [payer],
                    SystemProgram.transfer({ fromPubkey: keyOf(payer), toPubkey: keyOf(to), lamports: Number(SOL) })
                  )
                ],
                message
              ),
            fillTransactionMessageProvisoryResourceLimits
          )
          const estimate = estimateResourceLimitsFactory({ rpc })
          const set = estimateAndSetResourceLimitsFactory(estimate)
          const limited = await set(message)
          assert.strictEqual(getTransactionMessageComputeUnitLimit(limited), 150)
          const signed = await signTransactionMessageWithSigners(limited)
          const wire = getBase64EncodedWireTransaction(signed)
          const signature = await rpc.sendTransaction(wire, { encoding: "base64" }).send()
          const landed = await rpc
            .getTransaction(signature, { encoding: "jsonParsed", maxSupportedTransactionVersion: 1 })
            .send()
          assert.isNull(landed?.meta?.err)
        })
      })
  )
})
