/**
 * Finds the lines of code in which generators are suspended. Only V8's inspector exposes them: the location is an
 * internal property of a generator, and scripts have numbers. A session within the process reads both. It opens no port
 * and blocks the event loop while it runs.
 */
import type { Session } from "node:inspector/promises"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Locate } from "../../services/FiberConsole.js"
import * as Sources from "../internal/Sources.js"

/** The keys of the global object under which sessions find the generators, for the time of one call each. */
const KEYS = "@pod-protocol/effect/FiberConsole/generators/"

let calls = 0

interface Found {
  readonly url: string
  /** From 1. */
  readonly line: number
  readonly column: number
}

const at = (value: unknown, ...names: ReadonlyArray<string>): unknown =>
  names.reduce<unknown>((found, name) => (Predicate.hasProperty(found, name) ? found[name] : undefined), value)

const locationOf = async (session: Session, key: string, urls: ReadonlyMap<string, string>, index: number) => {
  const expression = `globalThis[Symbol.for(${JSON.stringify(key)})][${index}]`
  const { result } = await session.post("Runtime.evaluate", { expression })
  if (result.objectId === undefined) return Option.none<Found>()
  const { internalProperties = [] } = await session.post("Runtime.getProperties", {
    objectId: result.objectId,
    ownProperties: true
  })
  await session.post("Runtime.releaseObject", { objectId: result.objectId })
  const location: unknown = internalProperties.find(({ name }) => name === "[[GeneratorLocation]]")?.value?.value
  const [script, line, column] = [at(location, "scriptId"), at(location, "lineNumber"), at(location, "columnNumber")]
  const url = urls.get(String(script))
  return url === undefined || typeof line !== "number"
    ? Option.none<Found>()
    : Option.some<Found>({ url, line: line + 1, column: typeof column === "number" ? column + 1 : 1 })
}

const inspected = async (generators: ReadonlyArray<object>): Promise<ReadonlyArray<Option.Option<Found>>> => {
  const { Session } = await import("node:inspector/promises")
  const session = new Session()
  const urls = new Map<string, string>()
  session.on("Debugger.scriptParsed", ({ params }) => void urls.set(params.scriptId, params.url))
  session.connect()
  const key = `${KEYS}${calls++}`
  Reflect.set(globalThis, Symbol.for(key), generators)
  try {
    await session.post("Debugger.enable")
    const found: Array<Option.Option<Found>> = []
    for (const index of generators.keys()) found.push(await locationOf(session, key, urls, index))
    return found
  } finally {
    Reflect.deleteProperty(globalThis, Symbol.for(key))
    session.disconnect()
  }
}

const short = (url: string, line: number): string => {
  const file = url.startsWith("file:") ? Path.relative(process.cwd(), fileURLToPath(url)) : url
  return `${file}:${line}`
}

/**
 * The lines of code of generators. Without an inspector, none is found. Frames of packages are left out, because they
 * are not the application's code.
 */
export const locate: Locate = (generators) =>
  generators.length === 0
    ? Effect.succeed([])
    : Effect.tryPromise(() => inspected(generators)).pipe(
        Effect.flatMap((found) =>
          Effect.map(Sources.locate(new Set(Arr.getSomes(found).map(({ url }) => url))), (source) =>
            found.map(
              Option.flatMap(({ column, line, url }) => {
                const origin = source({ name: "", url, line, column })
                return origin.url.includes("/node_modules/")
                  ? Option.none()
                  : Option.some(short(origin.url, origin.line))
              })
            )
          )
        ),
        Effect.orElseSucceed(() => generators.map(() => Option.none()))
      )
