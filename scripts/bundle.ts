/**
 * Writes what Node loads of the built package: `dist/node`. There a floor is one file, and each public module a few lines
 * over it, so that all of them share one instance of everything. Node takes half a millisecond to find and read a
 * module; the face would otherwise have it read 160 of ours.
 *
 * Bundlers take the single modules of `dist`, of which they leave out what an application does not use.
 */
import { chmod, mkdir, rm, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { build, type Plugin } from "esbuild"
import { apart, barrels, publicModules, root } from "./publicModules.js"

/** From the ground up. */
const floors = ["src/solana/", "src/", "services/", "layers/"]

const modules = [...barrels, ...publicModules]

const floorOf = (module: string): number =>
  module === "index.ts" ? floors.length - 1 : floors.findIndex((floor) => module.startsWith(floor))

const importing = (modules: ReadonlyArray<string>): string => modules.map((module) => `import "${module}"\n`).join("")

/**
 * esbuild puts what the same entries reach into one file. So an entry, and likewise what is loaded later, is a module that
 * reaches everything on its floor and below.
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

/** esbuild calls a class that names itself `_Agent`, and logs would show that. */
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
  // As deep as the modules that look for `../../program/pod_com.so`.
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  // Else the imports without names, which make the floors, would be left out as free of side effects.
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

/** The command `pod-localnet`: an application of the package, which imports it by its name. */
await build({
  absWorkingDir: root,
  entryPoints: ["examples/localnet.ts"],
  outfile: "dist/bin/localnet.js",
  platform: "node",
  format: "esm",
  target: "es2022",
  logLevel: "warning"
})
await chmod(path.join(root, "dist/bin/localnet.js"), 0o755)
