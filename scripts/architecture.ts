/**
 * Checks the imports against the rules of houseRules.ts. Prints the number of modules, of imports between rooms and of
 * violations, and each violation.
 */
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { type ICruiseResult, type IModule, cruise } from "dependency-cruiser"
import extractTSConfig from "dependency-cruiser/config-utl/extract-ts-config"
import { forbidden, options, reached } from "./houseRules.js"
import { root } from "./publicModules.js"

const FOLDERS = ["index.ts", "src", "services", "layers", "test", "bench", "examples", "scripts"]

/** The folder of a module, or the module itself if it is at the top of its layer. */
const roomOf = (module: string): string => path.posix.dirname(module).replace(/^(services|layers)$/, () => module)

const isOurs = (module: string): boolean => /^(index\.ts|src\/|services\/|layers\/)/.test(module)

/** The modules that no entry reaches. The cruiser's own rule searches a path for each pair of modules, which takes longer. */
const unreached = (modules: ReadonlyArray<IModule>): ReadonlyArray<string> => {
  const imports = new Map(modules.map(({ dependencies, source }) => [source, dependencies]))
  const found = new Set(modules.map(({ source }) => source).filter((source) => reached.from.test(source)))
  for (const source of found) for (const { resolved } of imports.get(source) ?? []) found.add(resolved)
  return [...imports.keys()].filter((source) => reached.to.test(source) && !found.has(source))
}

export const inspect = async (
  base: string,
  folders: ReadonlyArray<string>
): Promise<{ readonly modules: number; readonly arrows: number; readonly violations: ReadonlyArray<string> }> => {
  const tsConfig = path.join(root, "tsconfig.json")
  const { output } = await cruise(
    [...folders],
    {
      ...options,
      tsConfig: { fileName: tsConfig },
      baseDir: base,
      validate: true,
      ruleSet: { forbidden: [...forbidden] }
    },
    {},
    { tsConfig: extractTSConfig(tsConfig) }
  )
  if (typeof output === "string") throw new Error(output)
  const { modules, summary }: ICruiseResult = output
  const arrows = new Set(
    modules
      .filter(({ source }) => isOurs(source))
      .flatMap(({ dependencies, source }) =>
        dependencies
          .filter(({ resolved }) => isOurs(resolved) && roomOf(resolved) !== roomOf(source))
          .map(({ resolved }) => `${roomOf(source)} → ${roomOf(resolved)}`)
      )
  )
  return {
    modules: modules.filter(({ source }) => isOurs(source)).length,
    arrows: arrows.size,
    violations: [
      ...summary.violations.map(({ from, rule, to }) => `${rule.name}: ${from} → ${to}`),
      ...unreached(modules).map((source) => `${reached.name}: ${source}`)
    ]
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { arrows, modules, violations } = await inspect(root, FOLDERS)
  for (const violation of violations) console.error(violation)
  console.log(`${modules} modules, ${arrows} arrows between rooms, ${violations.length} violations`)
  process.exitCode = violations.length === 0 ? 0 : 1
}
