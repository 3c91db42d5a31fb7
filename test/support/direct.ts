/** Requests that are made without a fiber of their caller's, and transports that offer it. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Deadline from "../../services/Deadline.js"
import * as Direct from "../../services/internal/direct.js"
import { forkIn } from "../../services/internal/endBy.js"
import type { RpcError, RpcTransport } from "../../services/RpcTransport.js"

/** What no entry took. */
export const NOT_STARTED = "not started"

/** Makes a request by its entry alone. */
export const start = (
  { request }: Pick<RpcTransport, "request">,
  method: string,
  params: ReadonlyArray<unknown> = []
): Effect.Effect<unknown, RpcError> =>
  Effect.withFiberRuntime((fiber) =>
    Effect.async<unknown, RpcError>((resume) => {
      const caller = { fiber, now: Deadline.now(fiber), deadline: Deadline.of(fiber) }
      const cancel = Direct.startOf(request)?.(caller, resume, method, params)
      if (cancel === undefined) return resume(Effect.succeed(NOT_STARTED))
      return Effect.sync(cancel)
    })
  )

/** A transport whose requests are made by their entries where these take them, and as effects where not. */
export const byEntry = (transport: RpcTransport): RpcTransport => ({
  ...transport,
  request: (method, params) =>
    Effect.flatMap(start(transport, method, params), (answer) =>
      answer === NOT_STARTED ? transport.request(method, params) : Effect.succeed(answer)
    )
})

/** A transport with an entry that runs its effect in a fiber. */
export const startable = ({ request, ...transport }: RpcTransport): RpcTransport => ({
  ...transport,
  request: Direct.startable(
    (method, params) => request(method, params),
    ({ deadline, fiber }, onEnd, method, params) => {
      const context = Context.add(fiber.currentContext, Deadline.Deadline, deadline)
      const running = forkIn(fiber, context)(Effect.zipRight(Effect.yieldNow(), request(method, params)))
      let isCancelled = false
      running.addObserver((exit) => {
        if (!isCancelled) onEnd(exit)
      })
      return () => {
        isCancelled = true
        running.unsafeInterruptAsFork(FiberId.none)
      }
    }
  )
})
