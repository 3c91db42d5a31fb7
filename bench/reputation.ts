/**
 * Compares updates of scores: the kernels in WebAssembly with the loop in JavaScript.
 *
 *     npm run -s bench -- reputation [--json]
 */
import * as Option from "effect/Option"
import * as Portable from "../src/reputation/internal/kernelPortable.js"
import * as Wasm from "../src/reputation/internal/kernelWasm.js"
import { measure } from "./harness.js"
import { finish, flagsOf } from "./report.js"

const STEP = { decay: Math.fround(0.99), weight: 1, cap: 100 }

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const reports = []
  for (const scores of [1024, 102_400, 1_048_576]) {
    const simd = Option.getOrThrow(Wasm.make(scores))
    const scalar = Option.getOrThrow(Wasm.makeScalar(scores))
    const js = Portable.make(scores)
    for (const kernel of [simd, scalar, js]) {
      for (let index = 0; index < scores; index++) {
        kernel.scores[index] = index % 100
        kernel.gains[index] = (index % 7) - 2
      }
    }
    const gains = js.gains.slice()
    const report = await measure(`${scores} scores updated`, [
      { name: simd.name, run: () => simd.update(STEP) },
      {
        name: `${simd.name}, gains copied in`,
        run: () => {
          simd.gains.set(gains)
          simd.update(STEP)
        }
      },
      { name: scalar.name, run: () => scalar.update(STEP) },
      { name: js.name, run: () => js.update(STEP) }
    ])
    reports.push(report)
  }
  await finish(reports, flagsOf(args))
}
