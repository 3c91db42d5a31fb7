declare module "@effect/language-service/effect-lsp-patch-utils.js" {
  import type * as ts from "typescript"

  /** Adds the findings of the Effect language service in a file. The service is a plugin in `compilerOptions`. */
  export const checkSourceFileWorker: (
    typescript: unknown,
    program: ts.Program,
    sourceFile: ts.SourceFile,
    compilerOptions: ts.CompilerOptions,
    addDiagnostic: (diagnostic: ts.Diagnostic) => void,
    moduleName: "tsc"
  ) => void
}
