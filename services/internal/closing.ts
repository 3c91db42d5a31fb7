/**
 * Tracks whether the scope of a transport is closed. Calls to a closed transport fail with the reason `PoolClosed`:
 * unlike after a lost connection, a retry cannot succeed.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { RpcError, SubscriptionError } from "../RpcTransport.js"
import type { SubscriptionKind } from "../RpcTransport.js"

export interface Closing {
  readonly isClosed: () => boolean
}

const DETAIL = "open another pool, since the transport was closed"

/** Becomes closed with the scope, and then runs `onClose`. */
export const make = (onClose: Effect.Effect<void> = Effect.void): Effect.Effect<Closing, never, Scope.Scope> =>
  Effect.suspend(() => {
    let isClosed = false
    const close = Effect.suspend(() => {
      isClosed = true
      return onClose
    })
    return Effect.as(
      Effect.addFinalizer(() => close),
      { isClosed: () => isClosed }
    )
  })

export const call = (method: string, host: string): RpcError =>
  new RpcError({ reason: "PoolClosed", method, host, detail: DETAIL })

export const subscription = (kind: SubscriptionKind, host: string): SubscriptionError =>
  new SubscriptionError({ reason: "PoolClosed", method: `${kind}Subscribe`, host, detail: DETAIL })
