import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/**
 * For tests that hang: five minutes, as a busy machine may take ten times as long as a quiet one, or an hour where
 * `FUZZ_RUNS` asks for many cases.
 */
const timeout = process.env["FUZZ_RUNS"] === undefined ? 300_000 : 3_600_000

/** Tests that wait for processes, sockets and timers: begun first, so that none of them runs alone at the end. */
const SLOW = [
  "/test/chaos/",
  "/test/liar/",
  "/test/services/transactions/",
  "/test/layers/RpcPoolConformance",
  "/test/exchange/",
  "/test/hostile/",
  "/test/package/",
  "/test/examples/",
  "/test/layers/"
]

const isSlow = ({ moduleId }: TestSpecification) => SLOW.some((folder) => moduleId.includes(folder))

class SlowFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const slow = files.filter(isSlow)
    const rest = files.filter((file) => !isSlow(file))
    // oxlint-disable-next-line unicorn/no-array-sort -- the sequencer's own method, which sorts no array in place
    return [...slow, ...(await super.sort(rest))]
  }
}

/**
 * Processes that share the files: one more than cores, because tests of processes and sockets wait. It is both minimum and
 * maximum: the pool ends processes beyond its minimum with an unhandled rejection.
 */
const FORKS = Math.min(availableParallelism() + 1, 8)

const root = fileURLToPath(new URL(".", import.meta.url))

/** These replace modules or globals: each gets a thread of its own. All others share a few processes. */
const REPLACING = [
  "test/layers/RpcPoolUndiciRuntime.test.ts",
  "test/layers/WalletNodeFallback.test.ts",
  "test/reputation/fallback.test.ts",
  "test/services/ZeroCopy.test.ts",
  "test/solana/kernelFallback.test.ts"
]

export default defineConfig({
  // The examples import the package by its name.
  resolve: {
    alias: [
      { find: /^@pod-protocol\/effect\/(layers|services)\/(.+)$/, replacement: `${root}$1/$2.ts` },
      { find: /^@pod-protocol\/effect\/(.+)$/, replacement: `${root}src/$1.ts` }
    ]
  },
  test: {
    setupFiles: ["test/setup.ts"],
    sequence: { concurrent: true, sequencer: SlowFirst },
    testTimeout: timeout,
    hookTimeout: timeout,
    poolOptions: { forks: { isolate: false, minForks: FORKS, maxForks: FORKS } },
    projects: [
      {
        extends: true,
        test: {
          name: "shared",
          pool: "forks",
          globalSetup: ["test/package/setup.ts"],
          include: ["test/**/*.test.ts"],
          exclude: REPLACING
        }
      },
      { extends: true, test: { name: "replacing", pool: "threads", include: REPLACING } }
    ]
  }
})
