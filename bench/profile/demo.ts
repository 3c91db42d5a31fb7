import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layerSilent } from "../../examples/demo/Narrator.js"
import { readBack } from "../../examples/demo/ReadBack.js"
import { actors, story } from "../../examples/demo/Story.js"
import * as Pod from "../../layers/Pod.js"
import { record } from "./record.js"

record({
  name: "demo",
  title: "The demo on an embedded cluster",
  // Its agents register once, so each round has its own cluster
  round: actors.pipe(
    Effect.flatMap(story),
    Effect.flatMap(readBack),
    Effect.provide(Layer.merge(Pod.layerEmbedded, layerSilent))
  ),
  layer: Layer.empty
})
