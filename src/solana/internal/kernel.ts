/** Selects the implementation of the CPU-heavy arithmetic: WebAssembly if available, otherwise plain JavaScript. */
import * as Option from "effect/Option"
import type { Kernel } from "./kernelModel.js"
import { portable } from "./kernelPortable.js"
import { webAssembly } from "./kernelWasm.js"

let chosen: Kernel | undefined

/** Returns the kernel of this platform. The first call creates it. */
export const kernel = (): Kernel => (chosen ??= Option.getOrElse(webAssembly(), () => portable))
