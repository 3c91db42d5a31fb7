/**
 * Clients that we did not write, against the served cluster.
 */
import { assert, layer } from "@effect/vitest"
import {
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  generateKeyPairSigner,
  lamports,
  airdropFactory
} from "@solana/kit"
import { Connection, Keypair, sendAndConfirmTransaction, SystemProgram, Transaction } from "@solana/web3.js"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"

class Served extends Context.Tag("test/Served")<Served, Server.Served>() {}

const served = Layer.scoped(Served, Server.serve()).pipe(Layer.provide(EmbeddedCluster.layer()))

/** A `Connection` reconnects for ever, and has no method that ends it. */
const disconnect = (connection: Connection): void => {
  const socket: unknown = Reflect.get(connection, "_rpcWebSocket")
  if (Predicate.hasProperty(socket, "close") && typeof socket.close === "function") socket.close()
}

layer(served, { excludeTestServices: true })("served to other clients", (it) => {
  it.effect("Given web3.js v1, When it airdrops, transfers, confirms, lists and listens, Then all works", () =>
    Effect.gen(function* () {
      const { url } = yield* Served
      const connection = new Connection(url, "confirmed")
      yield* Effect.addFinalizer(() => Effect.sync(() => disconnect(connection)))
      yield* Effect.promise(async () => {
        const [payer, to, owned, program] = [
          Keypair.generate(),
          Keypair.generate(),
          Keypair.generate(),
          Keypair.generate()
        ]
        const airdrop = await connection.requestAirdrop(payer.publicKey, 5_000_000_000)
        const confirmed = await connection.confirmTransaction({
          signature: airdrop,
          ...(await connection.getLatestBlockhash())
        })
        assert.isNull(confirmed.value.err)

        const heard: Array<number> = []
        const listener = connection.onAccountChange(to.publicKey, ({ lamports }) => {
          heard.push(lamports)
        })
        const transferOnce = (lamports: number) =>
          sendAndConfirmTransaction(
            connection,
            new Transaction().add(
              SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to.publicKey, lamports })
            ),
            [payer]
          )
        const first = await transferOnce(1_000_000)
        for (let extra = 1; heard.length === 0; extra++) await transferOnce(1_000_000 + extra)
        await connection.removeAccountChangeListener(listener)
        assert.isAtLeast(heard[0] ?? 0, 1_000_000)
        const landed = await connection.getTransaction(first, { maxSupportedTransactionVersion: 0 })
        assert.strictEqual(landed?.meta?.fee, 5000)

        await sendAndConfirmTransaction(
          connection,
          new Transaction().add(
            SystemProgram.createAccount({
              fromPubkey: payer.publicKey,
              newAccountPubkey: owned.publicKey,
              lamports: await connection.getMinimumBalanceForRentExemption(24),
              space: 24,
              programId: program.publicKey
            })
          ),
          [payer, owned]
        )
        const accounts = await connection.getProgramAccounts(program.publicKey, { filters: [{ dataSize: 24 }] })
        assert.deepStrictEqual(
          accounts.map(({ pubkey }) => pubkey.toBase58()),
          [owned.publicKey.toBase58()]
        )
        const parsed = await connection.getParsedTransaction(first, { maxSupportedTransactionVersion: 0 })
        assert.lengthOf(parsed?.transaction.message.accountKeys ?? [], 3)
        const block = await connection.getBlock(landed?.slot ?? 0, { maxSupportedTransactionVersion: 0 })
        assert.lengthOf(block?.transactions ?? [], 1)
      })
    }).pipe(Effect.scoped)
  )

  it.effect(
    "Given a client that is busy between two calls, When it is answered, Then its connection stays for minutes",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Served
        const reply = yield* Effect.promise(() => fetch(`${url}/health`))
        assert.strictEqual(reply.headers.get("keep-alive"), "timeout=300")
      })
  )

  it.effect("Given Kit, When it airdrops, subscribes and reads, Then all works", () =>
    Effect.gen(function* () {
      const { url, wsUrl } = yield* Served
      yield* Effect.promise(async () => {
        const rpc = createSolanaRpc(url)
        const rpcSubscriptions = createSolanaRpcSubscriptions(wsUrl)
        const signer = await generateKeyPairSigner()
        const stop = new AbortController()
        const notifications = await rpcSubscriptions
          .accountNotifications(signer.address, { commitment: "confirmed", encoding: "base64" })
          .subscribe({ abortSignal: stop.signal })
        const first = notifications[Symbol.asyncIterator]().next()
        const airdrop = airdropFactory({ rpc, rpcSubscriptions })
        const signature = await airdrop({
          commitment: "finalized",
          lamports: lamports(2_000_000_000n),
          recipientAddress: signer.address
        })
        const { value: notification } = await first
        assert.strictEqual(notification?.value.lamports, lamports(2_000_000_000n))
        stop.abort()
        assert.strictEqual((await rpc.getBalance(signer.address).send()).value, lamports(2_000_000_000n))
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
})
