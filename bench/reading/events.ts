/** Events from transactions, against the `getTransaction` that each needs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { RpcPool } from "../../services/RpcPool.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as ProtocolEvent from "../../src/protocol/ProtocolEvent.js"
import * as Eventful from "../../test/support/eventful.js"
import * as Story from "../../test/support/story.js"
import { withProgram } from "../embedded.js"
import { measure, type Report } from "../harness.js"

export const deriving = async (scope: Scope.Scope): Promise<Report> => {
  const context = await Effect.runPromise(Layer.buildWithScope(Eventful.layer({ cluster: withProgram() }), scope))
  const pool = Context.get(context, RpcPool)
  const signatures = await Effect.runPromise(
    Effect.provide(Effect.zipRight(Story.play, Eventful.history(PROGRAM_ID)), context)
  )
  const read = Effect.forEach(signatures, (signature) => Effect.flatten(pool.getTransaction(signature)), {
    discard: true
  })
  const derive = Effect.forEach(
    signatures,
    (signature) =>
      Effect.map(Effect.flatten(pool.getTransaction(signature)), (transaction) =>
        Either.getOrThrow(ProtocolEvent.fromTransaction(signature, transaction))
      ),
    { discard: true }
  )
  const operations = signatures.length
  return measure("Events of a transaction", [
    { name: "getTransaction", operations, run: () => Effect.runPromise(read) },
    { name: "getTransaction again", operations, run: () => Effect.runPromise(read) },
    { name: "getTransaction and its events", operations, run: () => Effect.runPromise(derive) }
  ])
}
