/**
 * Gives a folder to one process at a time, also after a kill that let nobody clean up.
 *
 * Each start makes a file of its own, `lock.PID.START.BOOT`: the process' id, when the system started it, and which start of
 * the machine that was. An id that the system gave again has another start, so a file names one process for ever. Without
 * `/proc` the name is `lock.PID` alone: there a process that got the id of a killed one keeps the folder until it ends.
 *
 * Invariants:
 * - At most one process has the folder: a start first makes its file, then looks for others. Of two starts at once the
 *   later one to make its file sees the other's. Both may see each other; then both are refused.
 * - A holder keeps the folder: every later start sees its file.
 * - Only files of dead processes are removed by others. A process does not come back, so nobody's file is taken away.
 * - A start that is killed at any moment leaves at most its file, which the next start removes.
 *
 * Processes of different containers that share the folder do not see each other: give each a folder of its own.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { EmbeddedClusterError } from "./EmbeddedClusterError.js"

/** Holds the folder until the scope closes. */
export const acquire = (folder: string): Effect.Effect<void, EmbeddedClusterError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      try: () => hold(folder),
      catch: (cause) =>
        cause instanceof EmbeddedClusterError
          ? cause
          : refused(`the ledger folder ${folder} cannot be locked: check its permissions and the disk`, cause)
    }),
    (file) => Effect.sync(() => fs.rmSync(file, { force: true }))
  )

/** Returns the file that holds the folder. */
const hold = (folder: string): string => {
  const name = nameOf(process.pid)
  const file = path.join(folder, name)
  try {
    fs.closeSync(fs.openSync(file, "wx", 0o600))
  } catch (cause) {
    if (!isCode(cause, "EEXIST")) throw cause
    throw refused(`the ledger folder ${folder} is in use by this process: close it first, or name another folder`)
  }
  for (const other of fs.readdirSync(folder, { withFileTypes: true })) {
    const pid = Number(CLAIM.exec(other.name)?.[1])
    if (!other.isFile() || other.name === name || !(pid <= MAX_PID)) continue
    if (isNamed(pid, other.name)) {
      fs.rmSync(file)
      throw refused(`the ledger folder ${folder} is in use by process ${pid}: stop it, or name another folder`)
    }
    fs.rmSync(path.join(folder, other.name), { force: true })
  }
  return file
}

/** Larger numbers are no ids, and the system would take them for groups of processes. */
const MAX_PID = 2 ** 31 - 1

const CLAIM = /^lock\.([1-9]\d{0,9})(?:\.\d+\.[0-9a-f]+)?$/

/** The name of the file of a process. */
const nameOf = (pid: number): string => {
  const start = startOf(pid)
  return start === undefined ? `lock.${pid}` : `lock.${pid}.${start.ticks}.${start.boot}`
}

/** Whether the process with this id is alive, and is the one that the file is named after. */
const isNamed = (pid: number, name: string): boolean => {
  if (!isAlive(pid)) return false
  const start = startOf(pid)
  return start === undefined || (!start.isDead && nameOf(pid) === name)
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return isCode(cause, "EPERM")
  }
}

/** When the system started the process; undefined where the system does not tell. */
const startOf = (pid: number) => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    // The name of the program comes before, in parentheses, and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    const boot = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").slice(0, 8)
    return { ticks: fields[19] ?? "0", boot, isDead: fields[0] === "Z" || fields[0] === "X" }
  } catch {
    return undefined
  }
}

const isCode = (cause: unknown, code: string): boolean =>
  cause instanceof Error && "code" in cause && cause.code === code

const refused = (detail: string, cause?: unknown) =>
  new EmbeddedClusterError(cause === undefined ? { reason: "Ledger", detail } : { reason: "Ledger", detail, cause })
