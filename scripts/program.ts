/**
 * One TypeScript program of all sources and of the examples in their documentation. The checks that need types share it,
 * because parsing and binding 500 files takes 15 seconds.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { publicModules, root } from "./publicModules.js"

const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile).config,
  ts.sys,
  root
)

const capture = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? "")

/** The TypeScript of a Markdown text. */
const fences = (text: string): ReadonlyArray<string> => capture(text, /```ts\n([\s\S]*?)```/g)

const comments = (source: string): ReadonlyArray<string> =>
  capture(source, /\/\*\*([\s\S]*?)\*\//g).map((comment) => comment.replaceAll(/^ *\* ?/gm, ""))

/** The text between an `@example` and the next tag, with or without a fence. */
const tagged = (comment: string): ReadonlyArray<string> =>
  capture(comment, /^@example\n([\s\S]*?)(?=^@[a-z]+|$(?![\s\S]))/gm).flatMap((text) =>
    text.includes("```") ? fences(text) : [text]
  )

const read = (file: string): string => readFileSync(path.join(root, file), "utf8")

/** The texts of the examples, by the names of their virtual files. */
export const examples: ReadonlyMap<string, string> = (() => {
  const found = new Map<string, string>()
  const add = (file: string, codes: ReadonlyArray<string>): void => {
    for (const code of codes) {
      const name = `${file.replaceAll(/[/.]/g, "-")}-${found.size}.ts`
      found.set(path.join(root, "examples", name), `${code}\nexport {}\n`)
    }
  }
  for (const file of publicModules) add(file, comments(read(file)).flatMap(tagged))
  for (const folder of ["", "docs", "program", "bench"].filter((name) => existsSync(path.join(root, name)))) {
    for (const page of readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".md"))) {
      add(path.join(folder, page), fences(read(path.join(folder, page))))
    }
  }
  return found
})()

const host = ts.createCompilerHost(config.options)
const { fileExists, getSourceFile, readFile } = host
host.fileExists = (name) => examples.has(name) || fileExists(name)
host.readFile = (name) => examples.get(name) ?? readFile(name)
host.getSourceFile = (name, options, ...rest) => {
  const example = examples.get(name)
  return example === undefined ? getSourceFile(name, options, ...rest) : ts.createSourceFile(name, example, options)
}

export const program: ts.Program = ts.createProgram([...config.fileNames, ...examples.keys()], config.options, host)

/** The files of the project: the sources without the libraries and the examples. */
export const sources: ReadonlyArray<ts.SourceFile> = config.fileNames.flatMap(
  (name) => program.getSourceFile(name) ?? []
)
