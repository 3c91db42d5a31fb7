/** The examples of the documentation: each JSDoc `@example` of a public module, and each ```ts fence of a Markdown page. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { publicModules, root } from "./publicModules.js"

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

/** The examples as modules. The name of a file says where its example stands. */
export const examples: ReadonlyMap<string, string> = (() => {
  const found = new Map<string, string>()
  const add = (file: string, codes: ReadonlyArray<string>): void => {
    for (const code of codes) found.set(`${file.replaceAll(/[/.]/g, "-")}-${found.size}.ts`, `${code}\nexport {}\n`)
  }
  for (const file of publicModules) add(file, comments(read(file)).flatMap(tagged))
  for (const folder of ["", "docs", "program", "bench"].filter((name) => existsSync(path.join(root, name)))) {
    for (const page of readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".md"))) {
      add(path.join(folder, page), fences(read(path.join(folder, page))))
    }
  }
  return found
})()
