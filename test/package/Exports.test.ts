import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { generated } from "../../scripts/exports.js"
import { isPublic, root } from "../../scripts/publicModules.js"

const formatted = (file: string, text: string): string =>
  execFileSync(path.join(root, "node_modules/.bin/oxfmt"), ["--stdin-filepath", file], {
    cwd: root,
    input: text,
    encoding: "utf8"
  })

describe("the public modules", () => {
  it("Given the rule, When a path is asked about, Then files at the top are public and folders are private", () => {
    expect(isPublic("services/Agent.ts")).toBe(true)
    expect(isPublic("layers/Pod.ts")).toBe(true)
    expect(isPublic("src/InvalidInput.ts")).toBe(true)
    expect(isPublic("src/protocol/Pda.ts")).toBe(true)
    expect(isPublic("services/index.ts")).toBe(false)
    expect(isPublic("services/transport/Retry.ts")).toBe(false)
    expect(isPublic("layers/embedded/Cluster.ts")).toBe(false)
    expect(isPublic("src/internal/base64.ts")).toBe(false)
    expect(isPublic("src/solana/internal/kernel.ts")).toBe(false)
  })

  it.each([...generated()])(
    "Given the files of the package, When %s is generated again, Then nothing changes",
    (file, text) => {
      expect(formatted(file, text), "run `npm run exports`").toBe(readFileSync(path.join(root, file), "utf8"))
    }
  )
})
