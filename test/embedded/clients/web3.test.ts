/** web3.js version 1 against the served cluster: what its live tests ask of a node. */
import { assert, layer } from "@effect/vitest"
import {
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  getInitializeMint2Instruction,
  getMintToInstruction,
  TOKEN_PROGRAM_ADDRESS
} from "@solana-program/token"
import { createNoopSigner } from "@solana/kit"
import {
  Connection,
  Keypair,
  type Logs,
  PublicKey,
  sendAndConfirmTransaction,
  SystemProgram,
  Transaction,
  type TransactionInstruction
} from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { web3 } from "../agave/support.js"
import { addressOf } from "../support.js"
import { Served, served } from "./served.js"

/** A `Connection` reconnects for ever, and has no method that ends it. */
const disconnect = (connection: Connection): void => {
  const socket: unknown = Reflect.get(connection, "_rpcWebSocket")
  if (Predicate.hasProperty(socket, "close") && typeof socket.close === "function") socket.close()
}

const connected = Effect.flatMap(Served, ({ url }) =>
  Effect.acquireRelease(
    Effect.sync(() => new Connection(url, "confirmed")),
    (connection) => Effect.sync(() => disconnect(connection))
  )
)

const funded = async (connection: Connection): Promise<Keypair> => {
  const key = Keypair.generate()
  const signature = await connection.requestAirdrop(key.publicKey, 5_000_000_000)
  const { value } = await connection.confirmTransaction({ signature, ...(await connection.getLatestBlockhash()) })
  assert.isNull(value.err)
  return key
}

const send = (
  connection: Connection,
  signers: Array<Keypair>,
  ...instructions: ReadonlyArray<TransactionInstruction>
): Promise<string> => sendAndConfirmTransaction(connection, new Transaction().add(...instructions), signers)

layer(served, { excludeTestServices: true })("web3.js", (it) => {
  it.scoped("Given web3.js v1, When it airdrops, transfers, confirms, lists and listens, Then all works", () =>
    Effect.gen(function* () {
      const connection = yield* connected
      yield* Effect.promise(async () => {
        const payer = await funded(connection)
        const [to, owned, program] = [Keypair.generate(), Keypair.generate(), Keypair.generate()]
        const heard: Array<number> = []
        const listener = connection.onAccountChange(to.publicKey, ({ lamports }) => {
          heard.push(lamports)
        })
        const transferOnce = (lamports: number) =>
          send(
            connection,
            [payer],
            SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to.publicKey, lamports })
          )
        const first = await transferOnce(1_000_000)
        for (let extra = 1; heard.length === 0; extra++) await transferOnce(1_000_000 + extra)
        await connection.removeAccountChangeListener(listener)
        assert.isAtLeast(heard[0] ?? 0, 1_000_000)
        const landed = await connection.getTransaction(first, { maxSupportedTransactionVersion: 0 })
        assert.strictEqual(landed?.meta?.fee, 5000)

        await send(
          connection,
          [payer, owned],
          SystemProgram.createAccount({
            fromPubkey: payer.publicKey,
            newAccountPubkey: owned.publicKey,
            lamports: await connection.getMinimumBalanceForRentExemption(24),
            space: 24,
            programId: program.publicKey
          })
        )
        const accounts = await connection.getProgramAccounts(program.publicKey, { filters: [{ dataSize: 24 }] })
        assert.deepStrictEqual(
          accounts.map(({ pubkey }) => pubkey.toBase58()),
          [owned.publicKey.toBase58()]
        )
        const block = await connection.getBlock(landed?.slot ?? 0, { maxSupportedTransactionVersion: 0 })
        assert.lengthOf(block?.transactions ?? [], 1)
      })
    })
  )

  it.scoped("Given logs of an airdrop, When web3.js listens, Then the System program is invoked first", () =>
    Effect.gen(function* () {
      const connection = yield* connected
      yield* Effect.promise(async () => {
        const to = Keypair.generate().publicKey
        const heard: Array<Logs> = []
        const listener = connection.onLogs(to, (logs) => heard.push(logs), "confirmed")
        // The subscription may stand only after the first ones.
        while (heard.length === 0) {
          const signature = await connection.requestAirdrop(to, 1_000_000)
          await connection.confirmTransaction({ signature, ...(await connection.getLatestBlockhash()) })
        }
        await connection.removeOnLogsListener(listener)
        assert.deepStrictEqual(heard[0]?.logs, [
          "Program 11111111111111111111111111111111 invoke [1]",
          "Program 11111111111111111111111111111111 success"
        ])
      })
    })
  )

  it.scoped("Given a mint, When web3.js asks for tokens and parsed forms, Then it gets what a node gives", () =>
    Effect.gen(function* () {
      const connection = yield* connected
      yield* Effect.promise(async () => {
        const [payer, mintKey] = [await funded(connection), Keypair.generate()]
        const [owner, mint] = [addressOf(payer), addressOf(mintKey)]
        const [token] = await findAssociatedTokenPda({ owner, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS })
        const signature = await send(
          connection,
          [payer, mintKey],
          SystemProgram.createAccount({
            fromPubkey: payer.publicKey,
            newAccountPubkey: mintKey.publicKey,
            lamports: 10_000_000,
            space: 82,
            programId: new PublicKey(TOKEN_PROGRAM_ADDRESS)
          }),
          web3(getInitializeMint2Instruction({ mint, decimals: 2, mintAuthority: owner })),
          web3(
            getCreateAssociatedTokenIdempotentInstruction({ payer: createNoopSigner(owner), ata: token, owner, mint })
          ),
          web3(getMintToInstruction({ mint, token, mintAuthority: createNoopSigner(owner), amount: 250n }))
        )
        const account = new PublicKey(token)
        assert.strictEqual((await connection.getTokenAccountBalance(account)).value.uiAmountString, "2.5")
        assert.strictEqual((await connection.getTokenSupply(mintKey.publicKey)).value.amount, "250")
        const largest = await connection.getTokenLargestAccounts(mintKey.publicKey)
        assert.isTrue(largest.value[0]?.address.equals(account))
        const owned = await connection.getParsedTokenAccountsByOwner(payer.publicKey, { mint: mintKey.publicKey })
        assert.strictEqual(owned.value[0]?.account.data.parsed.info.tokenAmount.amount, "250")
        const parsed = await connection.getParsedAccountInfo(mintKey.publicKey)
        assert.deepInclude(parsed.value?.data, { program: "spl-token", space: 82 })
        const holders = await connection.getParsedProgramAccounts(new PublicKey(TOKEN_PROGRAM_ADDRESS), {
          filters: [{ memcmp: { offset: 0, bytes: mint } }]
        })
        assert.lengthOf(holders, 1)
        const landed = await connection.getParsedTransaction(signature, { maxSupportedTransactionVersion: 0 })
        assert.deepStrictEqual(
          landed?.transaction.message.instructions.map((one) => ("parsed" in one ? one.parsed.type : "raw")),
          ["createAccount", "initializeMint2", "createIdempotent", "mintTo"]
        )
        const [all] = await connection.getParsedTransactions([signature], { maxSupportedTransactionVersion: 0 })
        assert.strictEqual(all?.slot, landed?.slot)
        const block = await connection.getParsedBlock(landed?.slot ?? 0, { maxSupportedTransactionVersion: 0 })
        assert.lengthOf(block.transactions, 1)
      })
    })
  )

  it.effect("keep-alive of minutes: a client that is busy between two calls keeps its connection", () =>
    Effect.gen(function* () {
      const { url } = yield* Served
      const reply = yield* Effect.promise(() => fetch(`${url}/health`))
      assert.strictEqual(reply.headers.get("keep-alive"), "timeout=300")
    })
  )
})
