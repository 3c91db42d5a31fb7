/**
 * Demonstrates the protocol in one command: agents register, exchange messages and use channels, while the event stream
 * is printed. Then the demo searches the accounts and reads everything back.
 *
 *     npm run demo                                    on the embedded cluster
 *     npm run -s demo -- --json                       one JSON document and nothing else
 *     npm run demo -- --url URL [--ws URL]            on any cluster that has the program and a faucet
 */
import { parseArgs } from "node:util"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Discovery, PayloadStore, Pod, ProtocolEvents, type RpcPool } from "@pod-protocol/effect"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { listen } from "./Events.js"
import * as Narrator from "./Narrator.js"
import { readBack } from "./ReadBack.js"
import { search } from "./Search.js"
import * as Signals from "./signals.js"
import * as Story from "./Story.js"

const { values: args } = parseArgs({
  options: { json: { type: "boolean", default: false }, url: { type: "string" }, ws: { type: "string" } }
})

const main = Effect.gen(function* () {
  const { chapter, told } = yield* Narrator.Narrator
  const cluster = args.url === undefined ? "embedded" : new URL(args.url).host
  yield* chapter(`The PoD Protocol on ${cluster === "embedded" ? "an embedded cluster" : cluster}`)
  yield* told(
    "",
    "what an agent did, read back; ✗ what was refused, as it should be; ┊ what the event stream says of it"
  )
  const started = yield* Clock.currentTimeMillis
  const actors = yield* Story.actors
  const history = yield* listen(actors)
  const traces = yield* Story.story(actors)
  const events = yield* history
  yield* chapter("Anyone can search what is on the chain, in memory")
  const discovery = yield* Effect.provide(search(actors), Discovery.layer())
  const document = yield* readBack(traces)
  const millis = (yield* Clock.currentTimeMillis) - started
  const messages = document.messages.length + document.channels.flatMap((channel) => channel.messages).length
  yield* chapter("Everything is read back from the chain")
  yield* told("", `${document.agents.length} agents, ${messages} messages, ${document.channels.length} channels`)
  yield* told("", `${events.length} events came live, and the history has the same ones`)
  yield* told("", `${document.transactions} transactions in ${millis} ms`)
  if (args.json)
    yield* Console.log(JSON.stringify({ ok: true, cluster, ...document, discovery, events, millis }, null, 2))
})

const pod: Layer.Layer<PayloadStore.PayloadStore | Pod.Services | RpcPool.RpcPool, Error> =
  args.url === undefined
    ? Pod.layerEmbedded
    : Pod.layer({
        url: args.url,
        ...(args.ws === undefined ? {} : { wsUrl: args.ws })
      }).pipe(Layer.provideMerge(PayloadStore.layerMemory))

const narrator = args.json
  ? Narrator.layerSilent
  : process.stdout.isTTY && process.env["NO_COLOR"] === undefined
    ? Narrator.layerColour
    : Narrator.layerPlain

const refused = (error: string) =>
  args.json ? Console.log(JSON.stringify({ ok: false, error }, null, 2)) : Console.error(error)

Signals.endWithReader()

main.pipe(
  Effect.provide(ProtocolEvents.layer().pipe(Layer.provideMerge(Layer.merge(pod, narrator)))),
  Effect.tapErrorCause((cause) => refused(Cause.pretty(cause))),
  Effect.onInterrupt(() =>
    refused(`The demo was interrupted by ${Signals.signal()}: what is on the chain by now stays`)
  ),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: Signals.teardown })
)
