/** Which source files the exports of package.json open. */
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "..")

const { exports } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))

/** Whether the package exports the module: the exact key decides, else the longest pattern. */
export const isPublic = (file: string): boolean => {
  if (!/^(src|services|layers)\//.test(file) || file.endsWith("index.ts")) return false
  const specifier = `./${file.replace(/^src\//, "").replace(/\.ts$/, "")}`
  const patterns = Object.keys(exports).filter((key) => key.endsWith("*") && specifier.startsWith(key.slice(0, -1)))
  const key = specifier in exports ? specifier : patterns.toSorted((left, right) => right.length - left.length)[0]
  return key !== undefined && exports[key] !== null
}

/** All of them but the three `index.ts`, relative to the root. */
export const publicModules: ReadonlyArray<string> = ["src", "services", "layers"].flatMap((floor) =>
  readdirSync(path.join(root, floor), { recursive: true, encoding: "utf8" })
    .map((file) => path.posix.join(floor, file.replaceAll(path.sep, "/")))
    .filter((file) => file.endsWith(".ts") && isPublic(file))
)
