/**
 * Reports the findings of TypeScript and of the Effect language service in the sources, over one program. The command of the
 * service makes a program for every 50 files.
 */
import { checkSourceFileWorker } from "@effect/language-service/effect-lsp-patch-utils.js"
import ts from "typescript"
import { program, sources } from "./program.js"
import { root } from "./publicModules.js"

const options = program.getCompilerOptions()
const found = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()]
for (const source of sources) {
  found.push(...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source))
  if (options.declaration === true) found.push(...program.getDeclarationDiagnostics(source))
  checkSourceFileWorker(ts, program, source, options, (diagnostic) => found.push(diagnostic), "tsc")
}

if (found.length > 0) {
  console.error(
    ts.formatDiagnostics(found, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => root,
      getNewLine: () => "\n"
    })
  )
  process.exitCode = 1
}
console.log(`types: ${sources.length} files checked, ${found.length} problems`)
