import { readFileSync, statSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { generated } from "../../scripts/benchmarks.js"
import { root } from "../../scripts/publicModules.js"

describe("the stored benchmark run", () => {
  it("Given its JSON, When page, README and guide are written again, Then nothing changes", () => {
    for (const [file, text] of generated())
      expect(
        text === readFileSync(path.join(root, file), "utf8"),
        `${file}: run \`npx tsx scripts/benchmarks.ts\``
      ).toBe(true)
  })

  it("Given its page, When it is looked at, Then it is one small file without a script or a request", () => {
    const page = path.join(root, "docs/benchmark-report.html")
    expect(statSync(page).size).toBeLessThan(300_000)
    expect(readFileSync(page, "utf8")).not.toMatch(/<(script|img|link|iframe)|https?:|@import|url\(/)
  })
})
