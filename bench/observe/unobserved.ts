/** Replaces the modules that observe the hot path. The work runs, and nothing is asked for a tracer or for `Metrics`. */
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

type Body<A, E, R> = () => Effect.Effect<A, E, R>

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

export const update = (): void => undefined

export const attribute = (): void => undefined

export const isTraced = (): boolean => false

export const annotated = <A>(_fiber: AnyFiber, _key: string, _value: unknown, self: A): A => self

export const tracked = <A, E, R>(_fiber: AnyFiber, _name: string, body: Body<A, E, R>): Effect.Effect<A, E, R> => body()

export const inSpan = <A, E, R>(
  _fiber: AnyFiber,
  _name: string,
  _options: unknown,
  body: Body<A, E, R>
): Effect.Effect<A, E, R> => body()

export const spanned = inSpan
