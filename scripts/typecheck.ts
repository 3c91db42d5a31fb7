/**
 * Checks all sources and the examples of the documentation in one run of the native TypeScript compiler, with the
 * diagnostics of the Effect language service. The compiler in JavaScript took ten times the CPU for it.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import * as path from "node:path"
import { examples } from "./examples.js"
import { root } from "./publicModules.js"

const FOLDER = ".examples"

/** Examples may declare names to show them: TypeScript's "declared but never read". */
const UNUSED = ["TS6133", "TS6192", "TS6196", "TS6198"]

/** The compiler's executable, installed where it is missing. No lock file: npm lists one platform alone in it. */
const compiler = (): string => {
  const home = path.join(root, "scripts", "compiler")
  if (!existsSync(path.join(home, "node_modules"))) {
    const flags = ["--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]
    execFileSync("npm", ["install", ...flags], { cwd: home, stdio: ["ignore", "ignore", "inherit"] })
  }
  const { resolve } = createRequire(path.join(home, "package.json"))
  const manifest = resolve(`@effect/tsgo-${process.platform}-${process.arch}/package.json`)
  return path.join(path.dirname(manifest), "lib", process.platform === "win32" ? "tsc.exe" : "tsc")
}

const writeExamples = (folder: string): void => {
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of examples) writeFileSync(path.join(folder, name), text)
  const include = ["index.ts", "src", "services", "layers", "test", "bench", "examples", "scripts", "vitest.config.ts"]
  const config = {
    extends: "../tsconfig.json",
    compilerOptions: { rootDir: ".." },
    include: [...include.map((name) => `../${name}`), "*.ts"],
    exclude: ["../bench/peers", "../scripts/compiler"]
  }
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify(config))
}

/** Each problem with the lines that explain it. */
const problemsOf = (output: string): ReadonlyArray<string> =>
  output.split(/\n(?=\S)/).filter((problem) => problem.trim() !== "")

const isUnusedInExample = (problem: string): boolean =>
  problem.startsWith(FOLDER) && UNUSED.some((code) => problem.includes(code))

const folder = path.join(root, FOLDER)
try {
  writeExamples(folder)
  const { error, status, stderr, stdout } = spawnSync(compiler(), ["--noEmit", "--pretty", "false", "-p", folder], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28
  })
  if (error !== undefined) throw error
  const all = problemsOf(stdout)
  const problems = all.filter((problem) => !isUnusedInExample(problem))
  for (const problem of problems) console.error(problem)
  if (stderr !== "") console.error(stderr)
  console.log(`types: ${examples.size} examples and all sources checked, ${problems.length} problems`)
  if (problems.length > 0 || stderr !== "" || (status !== 0 && all.length === 0)) process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
