/**
 * Locks a folder for one process at a time, even after a kill without any clean-up.
 *
 * Each start creates its own file, `lock.PID.START.BOOT`: the id of the process, the time when the system started it,
 * and the id of the machine's boot. If the system reuses an id, the start differs, so a file always names one process.
 * Without `/proc` the name is only `lock.PID`: there, a process with the reused id of a killed one blocks the folder
 * until it ends.
 *
 * A file is empty until its process has the folder. Of the starts that have not decided, the process with the lowest id
 * waits for the others, and the others give up.
 *
 * Invariants:
 * - At most one process has the folder: a start creates its file first, and has the folder only when it then finds no
 *   file of another live process.
 * - A holder keeps the folder, because every later start sees its file.
 * - Of concurrent starts on a free folder, exactly one gets it: the one with the lowest id, after the others have given
 *   up, or another that had found no file before the one with the lowest id created its own.
 * - A start removes only the files of dead processes. A process never comes back, so no live process loses its file.
 * - A start that is killed at any moment leaves at most its file, which the next start removes.
 *
 * Processes in different containers that share the folder do not see each other: use a separate folder for each.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { EmbeddedClusterError } from "./EmbeddedClusterError.js"

/** Holds the folder until the scope closes. */
export const acquire = (folder: string): Effect.Effect<void, EmbeddedClusterError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tap(create(folder), (name) => Effect.onError(hold(folder, name, 0), () => remove(folder, name))),
    (name) => remove(folder, name)
  )

const attempt = <A>(folder: string, run: () => A): Effect.Effect<A, EmbeddedClusterError> =>
  Effect.try({
    try: run,
    catch: (cause) =>
      isCode(cause, "EEXIST")
        ? refused(`the ledger folder ${folder} is in use by this process: close it first, or name another folder`)
        : refused(`the ledger folder ${folder} cannot be locked: check its permissions and the disk`, cause)
  })

/** Creates the file of this process and returns its name. */
const create = (folder: string): Effect.Effect<string, EmbeddedClusterError> =>
  attempt(folder, () => {
    const name = nameOf(process.pid)
    fs.writeFileSync(path.join(folder, name), "", { flag: "wx", mode: 0o600 })
    return name
  })

const remove = (folder: string, name: string): Effect.Effect<void> =>
  Effect.sync(() => fs.rmSync(path.join(folder, name), { force: true }))

/** Waits for the other starts, and then has the folder. Fails if another process has it, or comes first. */
const hold = (folder: string, name: string, waits: number): Effect.Effect<void, EmbeddedClusterError> =>
  Effect.flatMap(
    attempt(folder, () => othersIn(folder, name)),
    (others) => {
      if (others.length === 0) return attempt(folder, () => fs.writeFileSync(path.join(folder, name), HOLDER))
      const winner = others.find((other) => other.isHolder || other.pid < process.pid || waits === MAX_WAITS)
      return winner === undefined
        ? Effect.zipRight(WAIT, hold(folder, name, waits + 1))
        : refused(`the ledger folder ${folder} is in use by process ${winner.pid}: stop it, or name another folder`)
    }
  )

const HOLDER = "holder\n"

/** A pause for another process. The Clock does not measure its time. */
const WAIT = Effect.promise(() => pause(5))

/** 5 seconds. A start that is slower than that is stopped, or its disk is. */
const MAX_WAITS = 1000

/** Another live process that has the folder, or wants it. */
interface Other {
  readonly pid: number
  readonly isHolder: boolean
}

/** The files of other live processes. Removes those of dead ones. */
const othersIn = (folder: string, own: string): ReadonlyArray<Other> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const { name } = entry
    const pid = Number(CLAIM.exec(name)?.[1])
    if (!entry.isFile() || name === own || !(pid <= MAX_PID)) return []
    const file = path.join(folder, name)
    if (isNamed(pid, name)) {
      const size = fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0
      return [{ pid, isHolder: size > 0 }]
    }
    fs.rmSync(file, { force: true })
    return []
  })

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
