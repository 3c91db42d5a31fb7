/**
 * Compares a batch of 1232-byte buffers from one leased arena with as many allocations.
 *
 *     npm run -s bench -- buffers [--json]
 */
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as BufferPool from "../services/BufferPool.js"
import { measure } from "./harness.js"
import { finish, flagsOf } from "./report.js"

const SIZE = 1232

let sum = 0

const fill = (batch: number, allocate: (size: number) => Uint8Array): number => {
  for (let index = 0; index < batch; index++) {
    const buffer = allocate(SIZE)
    buffer[0] = index
    sum += buffer.length
  }
  return sum
}

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const runtime = ManagedRuntime.make(BufferPool.layer())
  const pool = await runtime.runPromise(BufferPool.BufferPool)
  const reports = []
  for (const batch of [1, 4, 16, 64, 200]) {
    const leased = Effect.scoped(Effect.map(pool.lease, (arena) => fill(batch, (size) => arena.allocate(size))))
    const report = await measure(`${batch} buffers of ${SIZE} bytes`, [
      { name: "allocated", run: () => fill(batch, (size) => new Uint8Array(size)) },
      { name: "leased", run: () => runtime.runSync(leased) }
    ])
    reports.push(report)
  }
  await finish(reports, flagsOf(args))
  await runtime.dispose()
}
