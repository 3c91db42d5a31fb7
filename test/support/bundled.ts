/**
 * Bundles scripts for child processes. A TypeScript loader costs each process three to five seconds of CPU, and the
 * modules of the packages cost one. Most processes need less for their work.
 */
import { createHash, randomUUID } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { type BuildOptions, buildSync } from "esbuild"

const ROOT = path.resolve(import.meta.dirname, "../..")

/** At the depth of the rooms, so that files relative to `import.meta.url` are found. */
const FOLDER = path.join(ROOT, "node_modules/.cache")

const bundles = new Set<string>()

/** Packages with native code, which stay outside of a bundle. */
const NATIVE = ["@photostructure/sqlite", "litesvm", "sodium-native"]

/**
 * Scripts that share one bundle, and so its compiled code: each bundle takes two seconds of CPU. A script that measures
 * its memory has a bundle of its own.
 */
const SHARED = [
  "examples/cluster/runner.ts",
  "examples/cluster/single.ts",
  "examples/demo/main.ts",
  "examples/performance_test.ts",
  "examples/telemetry.ts",
  "test/chaos/killChild.ts",
  "test/exchange/agent.ts",
  "test/hostile/plantedChild.ts",
  "test/support/cacheStoreChild.ts",
  "test/support/eventsChild.ts",
  "test/support/journalChild.ts",
  "test/support/otlpChild.ts",
  "test/support/otlpDemoChild.ts",
  "test/support/sendsChild.ts",
  ...readdirSync(path.join(ROOT, "examples/guide")).map((file) => `examples/guide/${file}`)
]

/**
 * Bundles a script with its packages, and returns the file to run. The script is given by an absolute path or one
 * relative to the project's root. The compiled code is cached, so a process starts with a sixth of the CPU time. With
 * `sources`, packages stay outside of the bundle, and its functions have the names and lines of the sources.
 */
export const bundled = (script: string, { sources = false }: { readonly sources?: boolean } = {}): string => {
  const entry = path.resolve(ROOT, script)
  const name = path.relative(ROOT, entry)
  if (sources) return built(`${name}.sources.mjs`, (file) => withSources(file, entry))
  if (!SHARED.includes(name)) return built(`${name}.cjs`, (file) => whole(file, { entryPoints: [entry] }))
  const shared = built("shared.cjs", (file) => {
    const cases = SHARED.map((script) => `${JSON.stringify(script)}: () => import("./${script}")`)
    const contents = `const scripts = { ${cases.join(", ")} }\nvoid scripts[globalThis.podScript]()`
    whole(file, { stdin: { contents, resolveDir: ROOT } })
  })
  return built(`${name}.cjs`, (file) =>
    write(file, `globalThis.podScript = ${JSON.stringify(name)}\nrequire(${JSON.stringify(shared)})`)
  )
}

/** The file of this name. It is made once in a run of the tests, whose processes share the folder `POD_TEST_RUN`. */
const built = (name: string, make: (file: string) => void): string => {
  const id = `pod-test-${name.replaceAll(/[^\w.]/g, "-")}`
  const file = path.join(FOLDER, id)
  if (bundles.has(file)) return file
  mkdirSync(FOLDER, { recursive: true })
  const run = process.env["POD_TEST_RUN"]
  if (run === undefined) make(file)
  else if (mkdirSync(path.join(run, id), { recursive: true }) === undefined) waitFor(path.join(run, id, "end"))
  else {
    try {
      make(file)
    } finally {
      writeFileSync(path.join(run, id, "end"), "")
    }
  }
  bundles.add(file)
  return file
}

/** Blocks this thread until the file exists. */
const waitFor = (file: string): void => {
  const word = new Int32Array(new SharedArrayBuffer(4))
  while (!existsSync(file)) Atomics.wait(word, 0, 0, 50)
}

const build = (options: BuildOptions): string => {
  const common = { absWorkingDir: ROOT, bundle: true, platform: "node", target: "node20", write: false } as const
  const { outputFiles: [output] = [] } = buildSync({ ...common, ...options })
  return output?.text ?? ""
}

const withSources = (file: string, entry: string): void =>
  write(
    file,
    build({
      entryPoints: [entry],
      format: "esm",
      packages: "external",
      outfile: file,
      sourcemap: "inline",
      sourcesContent: false
    })
  )

/** Bundles to one classic script, because only these can run from a code cache. */
const whole = (file: string, input: Pick<BuildOptions, "entryPoints" | "stdin">): void =>
  write(
    file,
    compiledOnce(
      build({
        ...input,
        format: "cjs",
        external: NATIVE,
        minify: true,
        supported: { "dynamic-import": false },
        define: { "import.meta.url": JSON.stringify(pathToFileURL(file).href) }
      }),
      file
    )
  )

/** A script that runs the text, and caches V8's compiled code for the next process. */
const compiledOnce = (text: string, file: string): string => {
  const id = createHash("sha256").update(text).digest("hex").slice(0, 16)
  const source = `${file}.${id}.js`
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
// At the end, because most functions are compiled on their first call. Also soon, because the process may be killed.
if (cachedData === undefined || script.cachedDataRejected) {
  setTimeout(keep, 10)
  process.once("exit", keep)
}
`
}

/** Writes a file atomically, because another test process may run the same script now. */
const write = (file: string, text: string): void => {
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, text)
  renameSync(draft, file)
}
