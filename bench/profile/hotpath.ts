import { layer, oneByOne } from "../hotpath/ours.js"
import { record } from "./record.js"

record({
  name: "hotpath",
  title: "Message.send over a node that answers at once",
  round: oneByOne,
  layer
})
