/** Stub services for tests. A member without a stub dies with its name. The service counts the uses of each member. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const countsByService = new WeakMap<object, Map<PropertyKey, number>>()

const counted = <S extends object>(service: S): S => {
  const counts = new Map<PropertyKey, number>()
  const count = (member: PropertyKey): void => {
    counts.set(member, (counts.get(member) ?? 0) + 1)
  }
  const proxy = new Proxy(service, {
    get: (target, member): unknown => {
      const value: unknown = Reflect.get(target, member)
      if (typeof value === "function") {
        return new Proxy(value, {
          apply: (call, self, args): unknown => {
            count(member)
            return Reflect.apply(call, self, args)
          }
        })
      }
      return Effect.isEffect(value)
        ? Effect.zipRight(
            Effect.sync(() => count(member)),
            value
          )
        : value
    }
  })
  countsByService.set(proxy, counts)
  return proxy
}

/** A service with these members. Any other member dies with `<tag>: Unimplemented method "<name>"` when it is used. */
export const layer = <I, S extends object>(
  tag: Context.Tag<I, S>,
  members: Layer.PartialEffectful<S>
): Layer.Layer<I> =>
  Layer.map(Layer.mock(tag, members), (context) => Context.make(tag, counted(Context.get(context, tag))))

/**
 * The number of uses of a member since its layer was built: calls of a function, or runs of an Effect. Dies for a service
 * that `layer` did not make.
 */
export const calls =
  <I, S extends object>(tag: Context.Tag<I, S>) =>
  (member: keyof S): Effect.Effect<number, never, I> =>
    Effect.flatMap(tag, (service) => {
      const counts = countsByService.get(service)
      return counts === undefined
        ? Effect.dieMessage(`${tag.key}: only a test layer counts its calls`)
        : Effect.succeed(counts.get(member) ?? 0)
    })
