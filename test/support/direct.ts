/** Requests without a fiber of the caller, and transports that support them. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Deadline from "../../services/Deadline.js"
import * as Direct from "../../services/internal/direct.js"
import { forkIn } from "../../services/internal/endBy.js"
import type { RpcError, RpcTransport } from "../../services/RpcTransport.js"

/** The result if no entry accepted the request. */
export const NOT_STARTED = "not started"

/** Makes a request only by its entry. */
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

/** A transport that makes requests by their entries if possible, and otherwise as effects. */
export const byEntry = (transport: RpcTransport): RpcTransport => ({
  ...transport,
  request: (method, params) =>
    Effect.flatMap(start(transport, method, params), (answer) =>
      answer === NOT_STARTED ? transport.request(method, params) : Effect.succeed(answer)
    )
})

/** A transport with an entry that runs the effect in a fiber. */
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
