/**
 * Checks the documentation. Every public export has a description, `@since` and `@category`. Every member of a public options
 * interface is documented. Every example (JSDoc `@example` and ```ts fence of a Markdown page) compiles against the
 * package's entry points.
 */
import * as path from "node:path"
import ts from "typescript"
import { examples, program } from "./program.js"
import { isPublic, root } from "./publicModules.js"

const problems: Array<string> = []
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
}

/** Examples may declare names to show them: TypeScript's "declared but never read". */
const UNUSED = new Set([6133, 6192, 6196, 6198])

for (const name of examples.keys()) {
  const source = program.getSourceFile(name)
  for (const { code, messageText, start } of ts.getPreEmitDiagnostics(program, source)) {
    if (UNUSED.has(code)) continue
    const line = source?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0
    const text = ts.flattenDiagnosticMessageText(messageText, " ")
    problems.push(`${path.basename(name)}:${line + 1} ${text}\n    ${examples.get(name)?.split("\n")[line]}`)
  }
}

for (const problem of problems) console.error(problem)
console.log(`docs: ${examples.size} examples compiled, ${problems.length} problems`)
if (problems.length > 0) process.exitCode = 1
