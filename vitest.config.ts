import { defineConfig } from "vitest/config"

/** A minute, but an hour where `FUZZ_RUNS` asks for many cases. */
const timeout = process.env["FUZZ_RUNS"] === undefined ? 60_000 : 3_600_000

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/package/setup.ts"],
    setupFiles: ["test/setup.ts"],
    sequence: { concurrent: true },
    testTimeout: timeout,
    hookTimeout: timeout,
    pool: "forks"
  }
})
