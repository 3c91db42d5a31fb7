/** The messages of contenders in other processes. */
import type { ChildProcess } from "node:child_process"

/** The next message of the process. Fails if the process ends first. */
export const answerOf = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const ended = () => reject(new Error("a contender has ended"))
    child.once("exit", ended)
    child.once("message", (message) => {
      child.off("exit", ended)
      resolve(message)
    })
  })
