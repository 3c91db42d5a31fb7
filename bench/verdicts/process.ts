/** One process of a run: the base, the same code, and the same code with 5 % more work. Writes its report. */
import * as Effect from "effect/Effect"
import * as StopwatchNode from "../../layers/StopwatchNode.js"
import * as Benchmark from "../../services/Benchmark.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"

/** Steps of the base. The slower case does 5 % more. */
const STEPS = 4000

/** Closures of one function share its compiled code, so all cases run the same machine code. */
const work = (steps: number) => (): number => {
  let sum = 1
  for (let index = 0; index < steps; index++) sum = (Math.imul(sum, 31) + index) | 0
  return sum
}

const benchmark = Benchmark.make({
  name: "verdicts",
  base: "base",
  cases: {
    base: Benchmark.call(work(STEPS)),
    unchanged: Benchmark.call(work(STEPS)),
    "5 % more": Benchmark.call(work(STEPS * 1.05))
  }
})

// Short rounds: a disturbance then affects neighbouring cases alike
const options: Benchmark.Options = { rounds: 60, maxRounds: 240, roundTime: 4 }

console.log(
  BenchmarkText.json([
    await Benchmark.run(benchmark, options).pipe(Effect.provide(StopwatchNode.layer), Effect.runPromise)
  ])
)
