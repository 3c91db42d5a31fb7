/** Starts the processes of the example and reads their reports. */
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { ProcessError } from "./ProcessError.js"
import { Line, Task } from "./Task.js"

/** Times between which an agent was active in a process. */
export interface Life {
  readonly agent: string
  readonly from: number
  to: number
}

export interface Child {
  readonly pid: number
  readonly lives: ReadonlyArray<Life>
  /** Waits until the runner is ready. Fails if its process ends first. */
  readonly ready: Effect.Effect<void, ProcessError>
  readonly exited: Effect.Effect<void>
  readonly signal: (signal: NodeJS.Signals) => Effect.Effect<void>
}

/** Returns Node's arguments for a program of the example. */
export type Launch = (script: "runner" | "single") => ReadonlyArray<string>

const linesOf = (child: ChildProcess, take: (line: typeof Line.Type) => void) => {
  if (child.stdout === null) return
  createInterface({ input: child.stdout }).on("line", (text) => {
    const line = Schema.decodeUnknownEither(Line)(text)
    if (Either.isRight(line)) take(line.right)
  })
}

/** Starts a process. The scope kills it. */
export const start = (
  launch: ReadonlyArray<string>,
  task: typeof Task.Type,
  onSent: (index: number) => void = () => {}
): Effect.Effect<Child, never, Scope.Scope> =>
  Effect.gen(function* () {
    const argument = yield* Effect.orDie(Schema.encode(Task)(task))
    const ready = yield* Deferred.make<void, ProcessError>()
    const exited = yield* Deferred.make<void>()
    const lives: Array<Life> = []
    const end = (to: number) => {
      for (const life of lives) life.to = Math.min(life.to, to)
    }
    const child = spawn(process.execPath, [...launch, argument], { stdio: ["ignore", "pipe", "inherit"] })
    linesOf(child, (line) => {
      switch (line._tag) {
        case "Ready":
          return Deferred.unsafeDone(ready, Effect.void)
        case "Sent":
          return onSent(line.index)
        case "Alive":
          lives.push({ agent: line.agent, from: line.at, to: Infinity })
          return
        case "Gone":
          for (const life of lives) if (life.agent === line.agent) life.to = Math.min(life.to, line.at)
      }
    })
    child.once("close", () => {
      end(performance.timeOrigin + performance.now())
      Deferred.unsafeDone(ready, Effect.fail(new ProcessError({ message: "the process ended before it was ready" })))
      Deferred.unsafeDone(exited, Effect.void)
    })
    const signal = (name: NodeJS.Signals) =>
      Effect.sync(() => {
        child.kill(name)
      })
    yield* Effect.addFinalizer(() => Effect.zipRight(signal("SIGKILL"), Deferred.await(exited)))
    return { pid: child.pid ?? 0, lives, ready: Deferred.await(ready), exited: Deferred.await(exited), signal }
  })

/** Counts the agents that were active in two processes at the same time. */
export const aliveTwice = (children: ReadonlyArray<Child>): number => {
  const lives = new Map<string, Array<Life & { readonly pid: number }>>()
  for (const { lives: own, pid } of children) {
    for (const life of own) lives.set(life.agent, [...(lives.get(life.agent) ?? []), { ...life, pid }])
  }
  const overlap = (one: Life & { readonly pid: number }, other: Life & { readonly pid: number }) =>
    one.pid !== other.pid && one.from < other.to && other.from < one.to
  return [...lives.values()].filter((all) => all.some((one) => all.some((other) => overlap(one, other)))).length
}
