/**
 * Checks that the API is documented: each public module has a header with `@since`, each public export a description,
 * `@since` and `@category`, and each member of a public options interface a description. `typecheck.ts` compiles the
 * examples.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { publicModules, root } from "./publicModules.js"

const problems: Array<string> = []

const description = (node: ts.Node): string =>
  ts
    .getJSDocCommentsAndTags(node)
    .map(({ comment }) => ts.getTextOfJSDocComment(comment) ?? "")
    .join("")

const isExported = (node: ts.Statement): boolean =>
  ts.canHaveModifiers(node) && (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

/** The names that a statement declares, each with the node that its documentation is attached to. */
const declared = (node: ts.Statement): ReadonlyArray<string> => {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.map(({ name }) => name.getText())
  }
  if (
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isModuleDeclaration(node)
  ) {
    return node.name === undefined ? [] : [node.name.text]
  }
  return []
}

/** The documentation of a name. Several declarations, such as a type and a constant, may have one name. */
interface Documented {
  description: string
  readonly tags: Set<string>
}

const sourceOf = (file: string): ts.SourceFile =>
  ts.createSourceFile(file, readFileSync(path.join(root, file), "utf8"), ts.ScriptTarget.ES2022, true)

/** Checks the exports of a file. With `only`, those that a public module exports from a room. */
const checkExports = (source: ts.SourceFile, only?: ReadonlySet<string>): void => {
  const file = source.fileName
  const names = new Map<string, Documented>()
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) checkReexport(file, statement)
    if (!isExported(statement)) continue
    for (const name of declared(statement)) {
      if (only?.has(name) === false) continue
      const documented = names.get(name) ?? { description: "", tags: new Set() }
      documented.description += description(statement)
      for (const { tagName } of ts.getJSDocTags(statement)) documented.tags.add(tagName.text)
      names.set(name, documented)
      if (!ts.isInterfaceDeclaration(statement) || !/(Options|Config)$/.test(name)) continue
      for (const member of statement.members) {
        if (description(member) === "") problems.push(`${file}: ${name}.${member.name?.getText()} has no description`)
      }
    }
  }
  for (const [name, { description, tags }] of names) {
    if (description === "") problems.push(`${file}: ${name} has no description`)
    for (const tag of ["since", "category"]) if (!tags.has(tag)) problems.push(`${file}: ${name} has no @${tag}`)
  }
}

/** Checks what `export … from "./room/File.js"` makes public. */
const checkReexport = (file: string, { exportClause, moduleSpecifier }: ts.ExportDeclaration): void => {
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier) || !moduleSpecifier.text.startsWith("."))
    return
  const source = sourceOf(path.join(path.dirname(file), moduleSpecifier.text.replace(/\.js$/, ".ts")))
  const only =
    exportClause !== undefined && ts.isNamedExports(exportClause)
      ? new Set(exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text))
      : undefined
  checkExports(source, only)
}

for (const file of publicModules) {
  const source = sourceOf(file)
  if (!/^\/\*\*[\s\S]*?@since[\s\S]*?\*\//.test(source.text)) problems.push(`${file} has no module header with @since`)
  checkExports(source)
}
for (const problem of problems) console.error(problem)
console.log(`docs: ${publicModules.length} public modules, ${problems.length} problems`)
if (problems.length > 0) process.exitCode = 1
