import * as Layer from "effect/Layer"
import * as Chaos from "../../test/chaos/Chaos.js"
import * as Faults from "../../test/chaos/Faults.js"
import { record } from "./record.js"

record({
  name: "chaos",
  title: "Messages over a network on which everything goes wrong",
  round: Chaos.run({ messages: 50, faults: Faults.all, seed: 7, endpoints: 3, follow: false }),
  layer: Layer.empty
})
