/**
 * Measures the heap of a send in flight and of a queued send: `npm run -s bench -- memory [--sends 4000] [--json]`. The node
 * is a stub that accepts each transaction and reports no status.
 */
import { parseArgs } from "node:util"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { address, type Instruction, lamports } from "@solana/kit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as WalletNode from "../layers/WalletNode.js"
import * as RpcPool from "../services/RpcPool.js"
import * as Transactions from "../services/Transactions.js"
import { Wallet } from "../services/Wallet.js"
import { SYSTEM_PROGRAM } from "../src/solana/Address.js"
import * as Blockhash from "../src/solana/Blockhash.js"
import * as Signature from "../src/solana/Signature.js"

const gc = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

/** Bytes of the heap and of its buffers after a full garbage collection. */
const held = Effect.sync(() => {
  gc()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

const slot = 100n

const silent = RpcPool.layerTest({
  getLatestBlockhash: () =>
    Effect.succeed({
      slot,
      value: { blockhash: Blockhash.fromBytes(new Uint8Array(32).fill(1)), lastValidBlockHeight: 240n }
    }),
  getEpochInfo: () =>
    Effect.succeed({
      absoluteSlot: slot,
      blockHeight: 90n,
      epoch: 0n,
      slotIndex: slot,
      slotsInEpoch: 432_000n,
      transactionCount: Option.none()
    }),
  isBlockhashValid: () => Effect.succeed({ slot, value: true }),
  getSignatureStatuses: (signatures) => Effect.succeed({ slot, value: signatures.map(() => Option.none()) }),
  sendTransaction: (wire) => Effect.succeed(Signature.fromBytes(wire, 1))
})

const TO = address("Stranger11111111111111111111111111111111111")

const transfer = (from: Wallet["Type"]["address"], amount: bigint): Instruction => {
  const data = new Uint8Array(12)
  data[0] = 2
  new DataView(data.buffer).setBigUint64(4, lamports(amount), true)
  return {
    programAddress: SYSTEM_PROGRAM,
    accounts: [
      { address: from, role: 3 },
      { address: TO, role: 1 }
    ],
    data
  }
}

/** Bytes per send, for a number of sends and a limit of those in flight. */
const measure = (sends: number, maxInFlight: number) =>
  Effect.gen(function* () {
    const { send } = yield* Transactions.Transactions
    const wallet = yield* Wallet
    const fork = (from: number, count: number) =>
      Effect.forEach(Array.from({ length: count }), (_, index) =>
        Effect.fork(send([transfer(wallet.address, BigInt(from + index))]))
      )
    // The first sends load and compile modules, so they are not counted.
    yield* Fiber.interruptAll(yield* fork(1, 50).pipe(Effect.zipLeft(Effect.sleep(Duration.seconds(1)))))
    const before = yield* held
    const fibers = yield* fork(1_000_000, sends)
    yield* Effect.sleep(Duration.seconds(2))
    const after = yield* held
    yield* Fiber.interruptAll(fibers)
    return Math.round((after - before) / sends)
  }).pipe(
    Effect.provide(Layer.merge(Layer.provide(Transactions.layer({ maxInFlight }), silent), WalletNode.layerGenerated))
  )

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { sends: { type: "string", default: "4000" }, json: { type: "boolean", default: false } }
  })
  const sends = Number(values.sends)
  const bytesInFlight = await Effect.runPromise(measure(sends, sends))
  const bytesWaiting = await Effect.runPromise(measure(sends, 1))
  const report = { sends, bytesInFlight, bytesWaiting }
  console.log(
    values.json
      ? JSON.stringify(report)
      : Object.entries(report)
          .map((entry) => entry.join(" "))
          .join("\n")
  )
}
