/**
 * A process that applies events, to be killed and started again: `url file count`. An event's effect and its cursor are one
 * line of the file, so they are written together or not at all. Ends when the file has so many lines.
 */
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"
import * as ProtocolEvents from "../../services/ProtocolEvents.js"

const [url = "", file = "", count = ""] = process.argv.slice(2)

const Line = Schema.parseJson(Schema.Struct({ name: Schema.String, cursor: ProtocolEvents.Cursor }))

/** The lines that were written whole. */
const readLines = (): ReadonlyArray<string> => {
  const text = readFileSync(file, "utf8")
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  truncateSync(file, Buffer.byteLength(whole))
  return whole.split("\n").filter((line) => line !== "")
}

const main = Effect.gen(function* () {
  const { stream } = yield* ProtocolEvents.ProtocolEvents
  const lines = readLines()
  const last = lines.at(-1)
  const from = last === undefined ? "beginning" : (yield* Schema.decode(Line)(last)).cursor
  const left = Number(count) - lines.length
  if (left === 0) return
  const fd = yield* Effect.acquireRelease(
    Effect.sync(() => openSync(file, "a")),
    (fd) => Effect.sync(() => closeSync(fd))
  )
  yield* Console.log("streaming")
  yield* stream({ from }).pipe(
    Stream.take(left),
    Stream.runForEach(({ cursor, event: { path, signature } }) =>
      Effect.map(Schema.encode(Line)({ name: `${signature} ${path}`, cursor }), (line) => writeSync(fd, `${line}\n`))
    )
  )
}).pipe(Effect.scoped)

const live = ProtocolEvents.layer({ pollInterval: "50 millis" }).pipe(
  Layer.provide(RpcPoolUndici.layer({ url: Redacted.make(url) }))
)

NodeRuntime.runMain(Effect.provide(main, live))
