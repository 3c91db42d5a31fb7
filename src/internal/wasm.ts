/**
 * Loads the package's WebAssembly modules, which the sources hold as base64. They compile synchronously: a browser's
 * main thread permits that below 4 KB, and each module is smaller.
 */
import * as Option from "effect/Option"
import { portable as base64 } from "./base64.js"

/**
 * The exports of a module. `None` if the platform has no WebAssembly, if it lacks an instruction of the module, or if
 * the page's policy forbids it.
 */
export const instantiate = (module: string, imports?: WebAssembly.Imports): Option.Option<WebAssembly.Exports> =>
  Option.flatMap(
    Option.fromNullable(base64.decode(module)),
    Option.liftThrowable(
      (bytes: Uint8Array) => new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(bytes)), imports).exports
    )
  )
