/** Where the heavy arithmetic comes from: WebAssembly where it is to be had, else plain JavaScript. */
import * as Option from "effect/Option"
import type { Kernel } from "./kernelModel.js"
import { portable } from "./kernelPortable.js"
import { webAssembly } from "./kernelWasm.js"

let chosen: Kernel | undefined

/** The kernel of this platform, made when it is first needed. */
export const kernel = (): Kernel => (chosen ??= Option.getOrElse(webAssembly(), () => portable))
