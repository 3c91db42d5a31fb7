/** A contender in its own process. The parent sends the number of calls, and the process answers with their CPU time. */
import { type ChildProcess, fork } from "node:child_process"
import { on } from "node:events"
import { answerOf } from "../child.js"
import { repeat, type Work } from "../harness.js"
import { type Contender, type Group, groups } from "./cases.js"

const FLAG = "--contender"

interface Made {
  readonly operations: number | undefined
}

const children = new Set<ChildProcess>()

/** Starts the process; `undefined` if the contender is not available. */
export const start = async ({ title }: Group, name: Contender, started: string): Promise<Work | undefined> => {
  const child = fork(process.argv[1] ?? "", [FLAG, title, name, started])
  children.add(child)
  const made = (await answerOf(child)) as Made | null
  if (made === null) return undefined
  const time = async (calls: number): Promise<number> => {
    child.send(calls)
    return Number(await answerOf(child))
  }
  return made.operations === undefined ? { time } : { time, operations: made.operations }
}

/** Ends all processes that were started. */
export const stop = (): void => {
  for (const child of children) if (child.connected) child.disconnect()
  children.clear()
}

/** Runs as the contender named in the arguments, if there is one, until the parent ends. */
export const serve = async (args: ReadonlyArray<string>): Promise<boolean> => {
  const [flag, title, name, started = ""] = args
  const group = groups.find((group) => group.title === title)
  if (flag !== FLAG || group === undefined) return false
  process.on("disconnect", () => process.exit())
  const work = await group.contenders[name as Contender]?.(started)
  process.send?.(work === undefined ? null : ({ operations: work.operations } satisfies Made))
  if (work === undefined) process.exit()
  for await (const [calls] of on(process, "message")) {
    // Other processes have used the CPU caches in the meantime, so the first calls are slow.
    await repeat(work, Math.ceil(Number(calls) / 2))
    process.send?.(await repeat(work, Number(calls)))
  }
  return true
}
