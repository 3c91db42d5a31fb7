/**
 * Measures the cost of the decorators between `RpcPool` and an endpoint, over a transport that answers at once.
 *
 *     npx tsx bench/decorators.ts
 *
 * Rounds are interleaved, the first one is dropped, and medians are printed. The last two rows show the same decorators
 * built from Effect's own timeout and retry.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Deadline from "../services/Deadline.js"
import type { RpcTransport } from "../services/RpcTransport.js"
import * as CircuitBreaker from "../services/transport/CircuitBreaker.js"
import * as Coalesce from "../services/transport/Coalesce.js"
import * as Endpoint from "../services/transport/Endpoint.js"
import * as Endpoints from "../services/transport/Endpoints.js"
import * as Health from "../services/transport/Health.js"
import * as RateLimit from "../services/transport/RateLimit.js"
import * as Reconnect from "../services/transport/Reconnect.js"
import * as Retry from "../services/transport/Retry.js"
import * as SingleFlight from "../services/transport/SingleFlight.js"

const CALLS = 2_000
const ROUNDS = 15
const CONCURRENCY = 20

/** Answers in a later microtask, which is closest to a socket. */
const bare: RpcTransport = {
  host: "bench",
  request: () =>
    Effect.async((resume) => queueMicrotask(() => resume(Effect.succeed({ context: { slot: 7 }, value: null })))),
  batch: () => Effect.succeed([]),
  subscribe: () => Stream.empty
}

const limits = { requests: { perSecond: 1e9, burst: 1e9 }, items: { perSecond: 1e9, burst: 1e9 } }

const stack = (names: ReadonlyArray<string>, deadline: "timer" | "transport" = "timer") =>
  Effect.gen(function* () {
    const endpoints = yield* Effect.forEach(names, () => Endpoint.make({ limits, heartbeat: false, deadline })(bare))
    return yield* Endpoints.make(endpoints, { genesis: "any", probeInterval: Infinity }).pipe(
      Effect.flatMap(Retry.make()),
      Effect.flatMap(Coalesce.make()),
      Effect.flatMap(Reconnect.make())
    )
  })

const within = (transport: RpcTransport): RpcTransport => ({
  ...transport,
  request: (method, params) => Deadline.within("10 seconds")(transport.request(method, params))
})

const cases = Effect.gen(function* () {
  const circuits = { calls: yield* CircuitBreaker.circuit(), subscriptions: yield* CircuitBreaker.circuit() }
  const one = yield* stack(["a"])
  return [
    ["bare transport", bare],
    ["Health", Health.observe(Health.meter("bench"))(bare)],
    ["RateLimit", yield* RateLimit.make(limits)(bare)],
    ["CircuitBreaker", CircuitBreaker.protect(circuits)(bare)],
    ["Retry", yield* Retry.make()(bare)],
    ["SingleFlight", yield* SingleFlight.make()(bare)],
    ["all, one endpoint", one],
    ["all, three endpoints", yield* stack(["a", "b", "c"])],
    ["all, a deadline kept by a timer", within(one)],
    ["all, a deadline kept by the transport", within(yield* stack(["a"], "transport"))],
    [
      "Effect.timeout",
      { ...bare, request: (method, params) => Effect.orDie(Effect.timeout(bare.request(method, params), "10 seconds")) }
    ],
    [
      "Effect.retry",
      { ...bare, request: (method, params) => Effect.retry(bare.request(method, params), Schedule.recurs(3)) }
    ]
  ] satisfies ReadonlyArray<readonly [string, RpcTransport]>
})

const inputs = Array.from({ length: CALLS }, (_, index) => [`address ${index}`, { commitment: "confirmed" }] as const)

const round = (transport: RpcTransport) =>
  Effect.gen(function* () {
    const before = process.cpuUsage()
    yield* Effect.forEach(inputs, (params) => transport.request("getBalance", params), {
      concurrency: CONCURRENCY,
      discard: true
    })
    const { user, system } = process.cpuUsage(before)
    return (user + system) / CALLS
  })

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

const main = Effect.gen(function* () {
  const all = yield* cases
  const measured = new Map<string, Array<number>>(all.map(([name]) => [name, []]))
  for (let nth = 0; nth <= ROUNDS; nth++) {
    for (const [name, transport] of all) {
      const micros = yield* round(transport)
      if (nth > 0) measured.get(name)?.push(micros)
    }
  }
  const base = median(measured.get("bare transport") ?? [])
  yield* Effect.forEach(measured, ([name, values]) => {
    const micros = median(values)
    return Console.log(`${name.padEnd(38)} ${micros.toFixed(1).padStart(6)} µs  +${(micros - base).toFixed(1)}`)
  })
})

void Effect.runPromise(Effect.scoped(main))
