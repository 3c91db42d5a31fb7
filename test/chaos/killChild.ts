/**
 * A process that sends numbered messages over failing endpoints with a journal. It is killed and started again. Its
 * argument is a `Task`; it writes a `Line` for each of its results.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import type { Signature } from "@solana/kit"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Journal from "../../services/Journal.js"
import * as PayloadStore from "../../services/PayloadStore.js"
import * as Transactions from "../../services/Transactions.js"
import { Wallet } from "../../services/Wallet.js"
import { message } from "../support/messages.js"
import { walletOf } from "../support/transfers.js"
import * as Client from "./Client.js"
import { Line, Task } from "./KillTask.js"
import * as Network from "./Network.js"
import * as Workload from "./Workload.js"

const tell = (line: typeof Line.Type) => Effect.flatMap(Effect.orDie(Schema.encode(Line)(line)), Console.log)

type Told = Pick<typeof Line.Type, "failed" | "landed" | "signature">

/** Whether the outcome is still open, as that of a recovery that ended at its deadline. */
const isOpen = (error: Transactions.SendError): boolean =>
  error._tag === "RpcError" ||
  (error._tag === "TransactionError" && (error.reason === "Unconfirmed" || error.mayHaveLanded === true))

const failedSignature = (error: Transactions.SendError): Signature | undefined =>
  error._tag === "TransactionError" && !isOpen(error) ? error.signature : undefined

const outcome = (result: Either.Either<Transactions.Receipt, Transactions.SendError>): Told =>
  Either.match(result, {
    onLeft: (error) => ({ failed: `${error._tag} ${error.message}`, signature: failedSignature(error) }),
    onRight: ({ signature }: { readonly signature: Signature }) => ({ landed: signature })
  })

/** Finishes the transactions of earlier processes. */
const recover = Effect.flatMap(Transactions.Transactions, (transactions) =>
  Stream.runFoldEffect(transactions.recover, 0, (open, left) =>
    Either.isLeft(left.outcome) && isOpen(left.outcome.left)
      ? Effect.succeed(open + 1)
      : Effect.as(tell(outcome(left.outcome)), open)
  )
).pipe(Effect.repeat({ until: (open) => open === 0, schedule: Schedule.spaced(Network.SLOT_MILLIS) }))

/** Retries until the results of an earlier process could be read. */
const ASKED = Schedule.spaced(Network.SLOT_MILLIS)

/** Maximum resends of a message whose transaction expired: a transaction of an earlier process may have landed. */
const ANEW = 3

/** Sends a message until its outcome is known. */
const deliver = Effect.fnUntraced(function* (wallet: Wallet["Type"], index: number) {
  const { address, instruction } = yield* message(wallet.address, index)
  const { send } = yield* Transactions.Transactions
  // Without preflight, a second sending would land, fail and be visible.
  const options = { creates: address, resend: true, preflight: index % 2 === 0, retryExpired: 3 }
  const result = yield* Workload.untilKnown(send([instruction], options)).pipe(
    Effect.retry({ while: (error) => error._tag === "RpcError", schedule: ASKED }),
    Effect.retry({ while: (error) => error._tag === "TransactionError" && error.isRetryable, times: ANEW }),
    Effect.either
  )
  yield* tell({ index, ...outcome(result) })
})

const main = Effect.gen(function* () {
  const task = yield* Schema.decodeUnknown(Task)(process.argv[2])
  const live = Client.layer(task.endpoints, task.broadcast).pipe(
    Layer.provide([PayloadStore.layerMemory, Journal.layerFileSystem(task.directory, { maxEntries: 64 })]),
    Layer.provide(NodeFileSystem.layer)
  )
  yield* tell({})
  yield* Effect.gen(function* () {
    const wallet = yield* walletOf(task.wallet)
    yield* recover
    yield* Effect.forEach(Array.from({ length: task.messages }).keys(), (index) => deliver(wallet, index), {
      concurrency: 16,
      discard: true
    }).pipe(Effect.provideService(Wallet, wallet))
  }).pipe(Effect.provide(live))
})

/** Standard output contains only reports. */
const logger = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.stringLogger))

NodeRuntime.runMain(
  main.pipe(
    Effect.tapErrorCause((cause) => Effect.logError(cause)),
    Logger.withMinimumLogLevel(LogLevel.Error),
    Effect.provide(logger)
  ),
  { disableErrorReporting: true, disablePrettyLogger: true }
)
