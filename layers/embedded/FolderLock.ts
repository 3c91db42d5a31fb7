/**
 * Locks a folder for one process at a time, even after a kill without any clean-up.
 *
 * Each start creates its own file, `lock.PID.START.BOOT`: the id of the process, the time when the system started it,
 * and the id of the machine's boot. If the system reuses an id, the start differs, so a file always names one process.
 * Without `/proc` the name is only `lock.PID`: there, a process with the reused id of a killed one blocks the folder
 * until it ends.
 *
 * Invariants:
 * - At most one process has the folder: a start creates its file first, then looks for others. Of two concurrent
 *   starts, the one that creates its file later sees the other's. If each sees the other's, both are refused.
 * - A holder keeps the folder, because every later start sees its file.
 * - A start removes only the files of dead processes. A process never comes back, so no live process loses its file.
 * - A start that is killed at any moment leaves at most its file, which the next start removes.
 *
 * Processes in different containers that share the folder do not see each other: use a separate folder for each.
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

/** Creates the lock file and returns its path. */
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

/** Larger numbers are not process ids, and the system would treat them as process groups. */
const MAX_PID = 2 ** 31 - 1

const CLAIM = /^lock\.([1-9]\d{0,9})(?:\.\d+\.[0-9a-f]+)?$/

/** The name of the file of a process. */
const nameOf = (pid: number): string => {
  const start = startOf(pid)
  return start === undefined ? `lock.${pid}` : `lock.${pid}.${start.ticks}.${start.boot}`
}

/** Whether the process with this id is alive and is the one in the file's name. */
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

/** The start of a process; undefined if the system does not report it. */
const startOf = (pid: number) => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8")
    // The program's name precedes, in parentheses, and may contain any character.
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
