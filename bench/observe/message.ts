/** A message that nothing observes. It is bundled twice: as it is, and without the code that observes. */
import * as Layer from "effect/Layer"
import * as Ours from "../hotpath/ours.js"

export const operations = Ours.MESSAGES

export const run = Ours.observed(Layer.empty)
