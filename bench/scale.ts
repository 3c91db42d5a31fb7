/**
 * The cost and the gain of threads: the CPU overhead of a small task, compared with piscina's, and the time of batches
 * that are signed and sealed on threads. And the cost of agents in a cluster: memory, activation, a send.
 *
 *     npm run -s bench -- scale [threads|agents] [--json] [--assert] [--threads N] [--agents N]
 *
 * `--threads` is 2 by default. A speed-up needs that many free cores, and time on another for the calling thread.
 * `--agents` is 10,000 by default.
 * piscina is installed under `bench/peers` when it is first needed.
 */
import { runCompiled } from "./compiled.js"

export const run = (args: ReadonlyArray<string>): Promise<void> => runCompiled("scale/index.ts", args)
