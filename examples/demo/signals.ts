/** Exit codes of the demo: after a normal end, after a signal, and after its reader closed the pipe. */
import type { Teardown } from "@effect/platform/Runtime"

/** Exit codes that shells use for a process ended by a signal: 128 plus the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const

type Signal = keyof typeof EXIT_CODES

let received: Signal | undefined

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    received ??= signal
  })
}

/** The name of the received signal. */
export const signal = (): string => received ?? "its caller"

/** Exits with the code of the received signal, if there is one. */
export const teardown: Teardown = (exit, onExit) =>
  onExit(received === undefined ? (exit._tag === "Success" ? 0 : 1) : EXIT_CODES[received])

/** Ends the process without an error when the reader of its output, such as `head`, closes the pipe. */
export const endWithReader = (): void => {
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1))
}
