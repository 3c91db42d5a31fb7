/**
 * Writes `dist/node`, the part of the built package that Node loads. It has one file for each layer. Each public module there
 * re-exports from that file, so all share one instance of everything. Node takes half a millisecond to find and read a
 * module, and the entry point would otherwise load 160.
 *
 * Bundlers use the single modules of `dist`, and drop those that an application does not use.
 */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { build, type Plugin } from "esbuild"
import { apart, barrels, publicModules, root } from "./publicModules.js"

/** The layers, the lowest first. */
const floors = ["src/solana/", "src/", "services/", "layers/"]

const modules = [...barrels, ...publicModules]

const floorOf = (module: string): number =>
  module === "index.ts" ? floors.length - 1 : floors.findIndex((floor) => module.startsWith(floor))

const importing = (modules: ReadonlyArray<string>): string => modules.map((module) => `import "${module}"\n`).join("")

/**
 * esbuild puts modules that the same entries reach into one file. So each entry, and each module that is loaded later,
 * reaches everything in its layer and below.
 */
const onFloors: Plugin = {
  name: "floors",
  setup: ({ onLoad, onResolve }) => {
    for (const namespace of ["entry", "floor"]) {
      onResolve({ filter: new RegExp(`^${namespace}:`) }, ({ path: id }) => ({
        namespace,
        path: id.slice(namespace.length + 1)
      }))
    }
    onResolve({ filter: /^\./ }, ({ kind, path: id, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined
      return { namespace: "entry", path: path.relative(root, path.join(resolveDir, id)).replace(/\.js$/, ".ts") }
    })
    onLoad({ filter: /.*/, namespace: "entry" }, ({ path: module }) => ({
      contents: `${importing([`floor:${floorOf(module)}`])}export * from "./${module}"`,
      resolveDir: root
    }))
    onLoad({ filter: /.*/, namespace: "floor" }, ({ path: index }) => {
      const below = index === "0" ? [] : [`floor:${Number(index) - 1}`]
      const here = modules.filter((module) => floorOf(module) === Number(index) && !apart.includes(module))
      return { contents: importing([...below, ...here.map((module) => `./${module}`)]), resolveDir: root }
    })
  }
}

const outdir = path.join(root, "dist/node")

/** esbuild renames a class that refers to itself to `_Agent`, and logs would show that name. */
const withOwnNames = (code: string): string =>
  [...code.matchAll(/^var (\w+) = class _\1\b/gm)].reduce(
    (code, [, name = ""]) => code.replace(new RegExp(`\\b_${name}\\b`, "g"), name),
    code
  )

await rm(outdir, { recursive: true, force: true })
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: modules.map((module) => ({ in: `entry:${module}`, out: module.replace(/\.ts$/, "") })),
  outdir,
  // The depth of the modules that look for `../../program/pod_com.so`.
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  // Otherwise esbuild would drop the imports without names, which make the layers, as free of side effects.
  ignoreAnnotations: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "es2022",
  sourcemap: true,
  sourcesContent: false,
  plugins: [onFloors],
  logLevel: "warning",
  write: false
})
for (const { path: file, text } of outputFiles) {
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, file.endsWith(".js") ? withOwnNames(text) : text)
}

/** The commands: applications of the package. As deep as its chunks, so that they find the program beside them. */
for (const name of ["localnet", "payloads"]) {
  const outfile = path.join(root, `dist/node/bin/${name}.js`)
  await build({
    absWorkingDir: root,
    entryPoints: [`examples/${name}.ts`],
    outfile,
    bundle: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "es2022",
    logLevel: "warning"
  })
  await chmod(outfile, 0o755)
}
