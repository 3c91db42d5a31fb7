/**
 * Bundles scripts for child processes. A TypeScript loader costs each process three to five seconds of CPU, and the
 * modules of the packages cost one. Most processes need less for their work.
 */
import { createHash, randomUUID } from "node:crypto"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { type BuildOptions, buildSync } from "esbuild"

const ROOT = path.resolve(import.meta.dirname, "../..")

/** At the depth of the rooms, so that files relative to `import.meta.url` are found. */
const FOLDER = path.join(ROOT, "node_modules/.cache")

const bundles = new Map<string, string>()

/** Packages with native code, which stay outside of a bundle. */
const NATIVE = ["@photostructure/sqlite", "litesvm", "sodium-native"]

/**
 * Bundles a script with its packages, and returns the file to run. The script is given by an absolute path or one
 * relative to the project's root. The compiled code is cached, so a process starts with a sixth of the CPU time. With
 * `sources`, packages stay outside of the bundle, and its functions have the names and lines of the sources.
 */
export const bundled = (script: string, { sources = false }: { readonly sources?: boolean } = {}): string => {
  const entry = path.resolve(ROOT, script)
  return built(path.relative(ROOT, entry), { entryPoints: [entry] }, sources)
}

/**
 * Bundles scripts of a folder with their packages into one file, so that they share its compiled code. The process takes
 * the name of the script as its first argument.
 */
export const bundledTogether = (folder: string, scripts: ReadonlyArray<string>): string => {
  const cases = scripts.map((script) => `${JSON.stringify(script)}: () => import("./${script}")`)
  const contents = `const scripts = { ${cases.join(", ")} }\nvoid scripts[process.argv.splice(2, 1)[0]]()`
  return built(folder, { stdin: { contents, resolveDir: path.resolve(ROOT, folder) } }, false)
}

const built = (source: string, input: Pick<BuildOptions, "entryPoints" | "stdin">, sources: boolean): string => {
  const name = `${source}${sources ? ".sources" : ""}`.replaceAll(/\W/g, "-")
  const known = bundles.get(name)
  if (known !== undefined) return known
  mkdirSync(FOLDER, { recursive: true })
  const file = path.join(FOLDER, `pod-test-${name}.${sources ? "mjs" : "cjs"}`)
  const { outputFiles: [output] = [] } = buildSync({
    absWorkingDir: ROOT,
    bundle: true,
    platform: "node",
    target: "node20",
    write: false,
    ...input,
    ...(sources
      ? { format: "esm", packages: "external", outfile: file, sourcemap: "inline", sourcesContent: false }
      : whole(file))
  })
  const text = output?.text ?? ""
  write(file, sources ? text : compiledOnce(text, name))
  bundles.set(name, file)
  return file
}

/** Bundles to one classic script, because only these can run from a code cache. */
const whole = (file: string) =>
  ({
    format: "cjs",
    external: NATIVE,
    minify: true,
    supported: { "dynamic-import": false },
    define: { "import.meta.url": JSON.stringify(pathToFileURL(file).href) }
  }) as const

/** A script that runs the text, and caches V8's compiled code for the next process. */
const compiledOnce = (text: string, name: string): string => {
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16)
  const source = path.join(FOLDER, `pod-test-${name}.${id}.js`)
  write(source, `(function (exports, require, module) {${text.replace(/^#!.*/, "")}\n})`)
  return `const { existsSync, readFileSync, renameSync, writeFileSync } = require("node:fs")
const [source, compiled, draft] = ${JSON.stringify([source, `${source}.v8`])}.concat(\`${source}.\${process.pid}\`)
const cachedData = existsSync(compiled) ? readFileSync(compiled) : undefined
const script = new (require("node:vm").Script)(readFileSync(source, "utf8"), { filename: source, cachedData })
script.runInThisContext()(exports, require, module)
// A process without the right to write, or without a free descriptor, leaves this to the next one.
const keep = () => {
  try {
    writeFileSync(draft, script.createCachedData())
    renameSync(draft, compiled)
  } catch {}
}
// Later, because most functions are compiled on their first call.
if (cachedData === undefined || script.cachedDataRejected) setTimeout(keep, 10)
`
}

/** Writes a file atomically, because another test process may run the same script now. */
const write = (file: string, text: string): void => {
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, text)
  renameSync(draft, file)
}
