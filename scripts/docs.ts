/**
 * Holds the documentation to its rules: every public export has a description, `@since` and `@category`, every
 * member of a public options interface is documented, and every example (JSDoc `@example` and ```ts fence of a
 * Markdown page) compiles against the package's own face.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { isPublic, root } from "./publicModules.js"

const config = ts.parseJsonConfigFileContent(
  ts.readConfigFile(path.join(root, "tsconfig.json"), ts.sys.readFile).config,
  ts.sys,
  root
)
const problems: Array<string> = []

const capture = (text: string, pattern: RegExp): ReadonlyArray<string> =>
  [...text.matchAll(pattern)].map((match) => match[1] ?? "")

const fences = (text: string): ReadonlyArray<string> => capture(text, /```ts\n([\s\S]*?)```/g)

const comments = (source: string): ReadonlyArray<string> =>
  capture(source, /\/\*\*([\s\S]*?)\*\//g).map((comment) => comment.replaceAll(/^ *\* ?/gm, ""))

/** What stands between an `@example` and the next tag, with or without a fence. */
const tagged = (comment: string): ReadonlyArray<string> =>
  capture(comment, /^@example\n([\s\S]*?)(?=^@[a-z]+|$(?![\s\S]))/gm).flatMap((text) =>
    text.includes("```") ? fences(text) : [text]
  )

const examples = new Map<string, string>()
const addExamples = (file: string, codes: ReadonlyArray<string>): void => {
  for (const code of codes) {
    const name = `${file.replaceAll(/[/.]/g, "-")}-${examples.size}.ts`
    examples.set(path.join(root, "examples", name), `${code}\nexport {}\n`)
  }
}

const program = ts.createProgram(config.fileNames, config.options)
const checker = program.getTypeChecker()

const checkExport = (file: string, symbol: ts.Symbol): void => {
  const declarations = symbol.declarations ?? []
  if (declarations.some((declaration) => ts.isExportSpecifier(declaration) || ts.isNamespaceExport(declaration))) return
  const tags = new Set(symbol.getJsDocTags(checker).map((tag) => tag.name))
  const where = `${file}: ${symbol.name}`
  if (symbol.getDocumentationComment(checker).length === 0) problems.push(`${where} has no description`)
  for (const tag of ["since", "category"]) if (!tags.has(tag)) problems.push(`${where} has no @${tag}`)
  if (!/(Options|Config)$/.test(symbol.name)) return
  for (const declaration of declarations.filter(ts.isInterfaceDeclaration)) {
    for (const member of checker.getTypeAtLocation(declaration).getProperties()) {
      if (member.getDocumentationComment(checker).length === 0) {
        problems.push(`${where}.${member.name} has no description`)
      }
    }
  }
}

for (const source of program.getSourceFiles()) {
  const file = path.relative(root, source.fileName)
  if (!isPublic(file)) continue
  const module = checker.getSymbolAtLocation(source)
  if (module === undefined) continue
  if (!/^\/\*\*[\s\S]*?@since[\s\S]*?\*\//.test(source.text)) problems.push(`${file} has no module header with @since`)
  for (const symbol of checker.getExportsOfModule(module)) checkExport(file, symbol)
  addExamples(file, comments(source.text).flatMap(tagged))
}

for (const folder of ["", "program", "bench"].filter((name) => existsSync(path.join(root, name)))) {
  for (const page of readdirSync(path.join(root, folder)).filter((name) => name.endsWith(".md"))) {
    addExamples(path.join(folder, page), fences(readFileSync(path.join(root, folder, page), "utf8")))
  }
}

const host = ts.createCompilerHost(config.options)
const { fileExists, getSourceFile, readFile } = host
host.fileExists = (name) => examples.has(name) || fileExists(name)
host.readFile = (name) => examples.get(name) ?? readFile(name)
host.getSourceFile = (name, options, ...rest) => {
  const example = examples.get(name)
  return example === undefined ? getSourceFile(name, options, ...rest) : ts.createSourceFile(name, example, options)
}
const compiled = ts.createProgram([...examples.keys()], { ...config.options, noUnusedLocals: false }, host, program)
for (const name of examples.keys()) {
  const source = compiled.getSourceFile(name)
  for (const diagnostic of ts.getPreEmitDiagnostics(compiled, source)) {
    const line = source?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? 0
    problems.push(
      `${path.basename(name)}:${line + 1} ${ts.flattenDiagnosticMessageText(diagnostic.messageText, " ")}\n    ${examples.get(name)?.split("\n")[line]}`
    )
  }
}

for (const problem of problems) console.error(problem)
console.log(`docs: ${examples.size} examples compiled, ${problems.length} problems`)
process.exitCode = problems.length === 0 ? 0 : 1
