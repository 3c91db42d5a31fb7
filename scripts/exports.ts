/**
 * Writes generated files. From the list of public modules: the `exports` of package.json, the three barrels and the README's
 * table of entries. From the table of metrics: `docs/metrics.md`. `test/package/Exports.test.ts` fails if one is stale.
 */
import { readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { metricsPage } from "./metricsPage.js"
import { apart, publicModules, root, specifierOf } from "./publicModules.js"

const read = (file: string): string => readFileSync(path.join(root, file), "utf8")

const entry = (module: string) => {
  const built = module.replace(/\.ts$/, "")
  return { types: `./dist/${built}.d.ts`, node: `./dist/node/${built}.js`, default: `./dist/${built}.js` }
}

const packageJson = (): string => {
  const manifest: Record<string, unknown> = JSON.parse(read("package.json"))
  const exports = {
    ".": entry("index.ts"),
    "./services": entry("services/index.ts"),
    "./layers": entry("layers/index.ts"),
    ...Object.fromEntries(publicModules.map((module) => [`./${specifierOf(module)}`, entry(module)])),
    "./idl.json": "./program/idl.json",
    "./package.json": "./package.json"
  }
  return `${JSON.stringify({ ...manifest, exports }, null, 2)}\n`
}

/** The first paragraph of the module's header. */
const summary = (module: string): ReadonlyArray<string> => {
  const header = /^\/\*\*\n([\s\S]*?)\n \*(?:\n|\/)/.exec(read(module))?.[1] ?? ""
  const lines = header.split("\n").map((line) => line.replace(/^ \* ?/, ""))
  if (lines[0] === undefined || /^($|@)/.test(lines[0])) throw new Error(`${module} has no header`)
  return lines
}

/** A module that exports only a class of its own name is exported as that class, any other as a namespace. */
const exported = (module: string, name: string): string => {
  const names = [...read(module).matchAll(/^export (?:const|class|interface|type|function|\*|\{)\s*(\w*)/gm)]
  return names.length === 1 && names[0]?.[1] === name ? `{ ${name} }` : `* as ${name}`
}

const line = (folder: string) => (module: string) => {
  const name = path.basename(module, ".ts")
  const from = path.posix.relative(folder, module).replace(/\.ts$/, ".js")
  const comment = [...summary(module), "", "@since 0.1.0"].map((text) => ` * ${text}`.trimEnd()).join("\n")
  return `/**\n${comment}\n */\nexport ${exported(module, name)} from "${from.startsWith(".") ? from : `./${from}`}"\n`
}

/** The text before the first export: the description of the barrel. */
const description = (barrel: string): string => /^\/\*\*[\s\S]*?\*\/\n/.exec(read(barrel))?.[0] ?? ""

const barrel = (file: string, modules: ReadonlyArray<string>, whole: ReadonlyArray<string> = []): string =>
  [
    description(file),
    ...modules.filter((module) => !apart.includes(module)).map(line(path.posix.dirname(file))),
    ...(whole.length === 0 ? [] : [`${whole.map((from) => `export * from "${from}"\n`).join("")}`])
  ].join("\n")

const below = (folder: string) => publicModules.filter((module) => module.startsWith(folder))

const names = (folder: string): string =>
  below(folder)
    .map((module) => `\`${path.basename(module, ".ts")}\``)
    .join(" ")

const table = (): string =>
  [
    "| entry | modules |",
    "|---|---|",
    `| \`@pod-protocol/effect\` | all of \`protocol/\`, \`services/\` and \`layers/\`, except ${apart.map((module) => `\`${path.basename(module, ".ts")}\``).join(", ")} |`,
    `| \`@pod-protocol/effect/protocol/*\` | ${names("src/protocol/")} |`,
    `| \`@pod-protocol/effect/solana/*\` | ${names("src/solana/")} |`,
    `| \`@pod-protocol/effect/observe/*\` | ${names("src/observe/")} |`,
    `| \`@pod-protocol/effect/concurrent/*\` | ${names("src/concurrent/")} |`,
    `| \`@pod-protocol/effect/services\`, \`/services/*\` | ${names("services/")} |`,
    `| \`@pod-protocol/effect/layers\`, \`/layers/*\` | ${names("layers/")} |`
  ].join("\n")

const readme = (): string =>
  read("README.md").replace(
    /(<!-- entries -->)[\s\S]*?(<!-- \/entries -->)/,
    (_, open, close) => `${open}\n\n${table()}\n\n${close}`
  )

/** The files that this script writes, by path from the root, and their contents. */
export const generated = (): ReadonlyMap<string, string> => {
  const top = publicModules.filter((module) => /^src\/(\w+\.ts|protocol\/)/.test(module))
  return new Map([
    ["package.json", packageJson()],
    ["index.ts", barrel("index.ts", top, ["./layers/index.js", "./services/index.js"])],
    ["services/index.ts", barrel("services/index.ts", below("services/"))],
    ["layers/index.ts", barrel("layers/index.ts", below("layers/"))],
    ["README.md", readme()],
    ["docs/metrics.md", metricsPage()]
  ])
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of generated()) writeFileSync(path.join(root, file), text)
}
