/**
 * The rule that makes a module public: a file at the top of `services/` or `layers/`, at the top of `src/` or at the top of
 * one of the rooms of `src/`. A folder of `services/` or `layers/`, and `internal/` anywhere, is private.
 */
import { readdirSync } from "node:fs"
import * as path from "node:path"

export const root = path.resolve(import.meta.dirname, "..")

/** Whether the package exports the module, named by its path from the root. */
export const isPublic = (file: string): boolean =>
  /^(services|layers)\/\w+\.ts$|^src\/(?!internal\/)(\w+\/)?\w+\.ts$/.test(file) && !file.endsWith("/index.ts")

/** The path of the module below the package's name. */
export const specifierOf = (file: string): string => file.replace(/^src\//, "").replace(/\.ts$/, "")

/** All public modules except the barrels, by path from the root. */
export const publicModules: ReadonlyArray<string> = ["src", "services", "layers"].flatMap((layer) =>
  readdirSync(path.join(root, layer), { recursive: true, encoding: "utf8" })
    .map((file) => path.posix.join(layer, file.replaceAll(path.sep, "/")))
    .filter(isPublic)
    .toSorted()
)

/** Modules that need an optional peer when they are loaded. No barrel and no other module imports them. */
export const apart: ReadonlyArray<string> = [
  "layers/AgentCluster.ts",
  "layers/EmbeddedServer.ts",
  "layers/MetadataNode.ts",
  "layers/PayloadServer.ts",
  "layers/PayloadServerNode.ts",
  "layers/PrometheusServer.ts",
  "layers/PrometheusServerNode.ts"
]

/** The barrels, from the package's root. */
export const barrels = ["index.ts", "services/index.ts", "layers/index.ts"] as const
