import { mkdtempSync, rmSync } from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  export interface ProvidedContext {
    /** A folder of this run, in which the tests of the package share one tarball. */
    readonly packed: string
  }
}

export default ({ provide }: TestProject): (() => void) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "pod-packed-"))
  provide("packed", folder)
  process.env["POD_TEST_RUN"] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}
