import * as Bed from "./Bed.js"
import * as Lies from "./Lies.js"
import * as Effect from "effect/Effect"
const names = process.argv.slice(2)
console.log("lies", Lies.all.length)
const t = performance.now()
const out = await Effect.runPromise(
  Bed.run({ lies: names.length ? Lies.named(names) : [], endpoints: [1, 2, 3], seed: 1 })
)
for (const o of out)
  if (o.lie.name === "none" || (o.verdict !== "detected" && o.verdict !== "unchanged"))
    console.log(
      o.verdict.padEnd(16),
      o.lie.name,
      "|",
      o.flow.name,
      o.endpoints,
      o.loses ? "lost" : "",
      "|",
      o.told.slice(0, 300)
    )
console.log(performance.now() - t, out.length)
