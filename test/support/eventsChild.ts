/**
 * A process that applies events: `url file count`. It is killed and started again, and ends when the file has `count`
 * events.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"
import * as AppliedEvents from "./appliedEvents.js"

const [url = "", file = "", count = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const { stream } = yield* ProtocolEvents.ProtocolEvents
  const applied = yield* AppliedEvents.open(file)
  const left = Number(count) - (yield* applied.names).length
  const from = (yield* applied.cursor) ?? "beginning"
  yield* Console.log("streaming")
  if (left > 0) yield* Stream.runForEach(Stream.take(stream({ from }), left), applied.apply)
}).pipe(Effect.scoped)

const live = ProtocolEvents.layer({ pollInterval: "50 millis" }).pipe(
  Layer.provide(RpcPoolUndici.layer({ url: Redacted.make(url) }))
)

NodeRuntime.runMain(Effect.provide(main, live))
