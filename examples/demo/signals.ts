/** How the demo ends: by itself, by a signal, or because its reader closed the pipe. */
import type { Teardown } from "@effect/platform/Runtime"

/** What a shell reports for a process that a signal ended: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

type Signal = keyof typeof EXIT_CODES

let received: Signal | undefined

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    received ??= signal
  })
}

/** The signal that ends the process. */
export const signal = (): string => received ?? "its caller"

/** Exits with the code of the signal that came, where one did. */
export const teardown: Teardown = (exit, onExit) =>
  onExit(received === undefined ? (exit._tag === "Success" ? 0 : 1) : EXIT_CODES[received])

/** A reader that has enough, such as `head`, closes the pipe: no one is left to tell, so the process ends in silence. */
export const endWithReader = (): void => {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))
}
