import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** A minute, but an hour where `FUZZ_RUNS` asks for many cases. */
const timeout = process.env["FUZZ_RUNS"] === undefined ? 60_000 : 3_600_000

/** Folders whose tests wait for processes, sockets and timers: begun first, so that none of them runs alone at the end. */
const SLOW = ["/test/chaos/", "/test/liar/", "/test/package/", "/test/examples/"]

class SlowFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const sorted = await super.sort(files)
    const isSlow = (file: TestSpecification) => SLOW.some((folder) => file.moduleId.includes(folder))
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))]
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/package/setup.ts"],
    setupFiles: ["test/setup.ts"],
    sequence: { concurrent: true, sequencer: SlowFirst },
    testTimeout: timeout,
    hookTimeout: timeout,
    pool: "forks",
    poolOptions: { forks: { minForks: 1, maxForks: availableParallelism() } }
  }
})
