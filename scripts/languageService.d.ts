declare module "@effect/language-service/effect-lsp-patch-utils.js" {
  import type * as ts from "typescript"

  /** Adds what the Effect language service, as a plugin in `compilerOptions`, finds in a file. */
  export const checkSourceFileWorker: (
    typescript: unknown,
    program: ts.Program,
    sourceFile: ts.SourceFile,
    compilerOptions: ts.CompilerOptions,
    addDiagnostic: (diagnostic: ts.Diagnostic) => void,
    moduleName: "tsc"
  ) => void
}
