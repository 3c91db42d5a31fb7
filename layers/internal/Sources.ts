/**
 * Finds the sources of compiled frames. Node has the source maps of modules that were loaded with source maps enabled.
 * For other files, the comment at their end leads to a map: within the comment, or in a file on the disk. Nothing is
 * fetched from the network.
 */
import * as Fs from "node:fs/promises"
import { findSourceMap, SourceMap } from "node:module"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Source } from "../../services/Profiler.js"
import type { Frame } from "../../src/observe/CpuProfile.js"
import * as SafeText from "../../src/SafeText.js"

/** Maximum size of a file. Frames of larger files stay unchanged. */
const MAX_BYTES = 64 * 1024 * 1024

const MAX_FILES = 2000

interface Mapping {
  readonly map: SourceMap
  /** The URL to which the sources are relative. */
  readonly base: string
}

const text = (url: string): Effect.Effect<string, unknown> =>
  Effect.tryPromise(async () => {
    const path = fileURLToPath(url)
    const { size } = await Fs.stat(path)
    return size > MAX_BYTES ? "" : Fs.readFile(path, "utf8")
  })

const INLINE = /^data:application\/json[^,]*;base64,/

/** The address of the map, from the last comment that has one. */
const mapUrl = (code: string): string | undefined => {
  const at = code.lastIndexOf("//# sourceMappingURL=")
  return at === -1 ? undefined : /^\S*/.exec(code.slice(at + "//# sourceMappingURL=".length))?.[0]
}

const isMap = (value: unknown): value is ConstructorParameters<typeof SourceMap>[0] =>
  Predicate.hasProperty(value, "mappings") &&
  typeof value.mappings === "string" &&
  Predicate.hasProperty(value, "sources") &&
  Array.isArray(value.sources) &&
  value.sources.every(Predicate.isString)

const parsed = (json: string, base: string): Effect.Effect<Mapping, unknown> =>
  Effect.try(() => {
    const map: unknown = JSON.parse(json)
    if (!isMap(map)) throw new TypeError("no source map")
    return { map: new SourceMap(map), base }
  })

const fromFile = (url: string): Effect.Effect<Mapping, unknown> =>
  Effect.gen(function* () {
    const address = mapUrl(yield* text(url))
    if (address === undefined) return yield* Effect.fail("no map")
    if (INLINE.test(address)) return yield* parsed(Buffer.from(address.replace(INLINE, ""), "base64").toString(), url)
    const beside = yield* Effect.try(() => new URL(address, url))
    if (beside.protocol !== "file:") return yield* Effect.fail("no file")
    return yield* parsed(yield* text(beside.href), beside.href)
  })

const loaded = (url: string): Effect.Effect<Mapping, unknown> =>
  Effect.try(() => {
    const map = findSourceMap(url)
    if (map === undefined) throw new TypeError("not loaded with a map")
    return { map, base: url }
  })

const originOf =
  ({ base, map }: Mapping) =>
  (frame: Frame): Frame => {
    if (frame.line === 0) return frame
    const entry = map.findEntry(frame.line - 1, Math.max(frame.column - 1, 0))
    if (!("originalSource" in entry) || !URL.canParse(entry.originalSource, base)) return frame
    const url = SafeText.make(new URL(entry.originalSource, base).href)
    return { name: frame.name, url, line: entry.originalLine + 1, column: entry.originalColumn + 1 }
  }

/** Returns a function from frames to source frames. Frames without a usable map stay unchanged. */
export const locate: Source["locate"] = (urls) =>
  Effect.gen(function* () {
    const files = [...urls].filter((url) => url.startsWith("file:")).slice(0, MAX_FILES)
    const mappings = yield* Effect.forEach(
      files,
      (url) =>
        Effect.map(Effect.option(Effect.orElse(loaded(url), () => fromFile(url))), (found) => [url, found] as const),
      { concurrency: 8 }
    )
    const byUrl = new Map(
      mappings.flatMap(([url, found]) => (Option.isSome(found) ? [[url, originOf(found.value)] as const] : []))
    )
    return (frame: Frame) => {
      try {
        return byUrl.get(frame.url)?.(frame) ?? frame
      } catch {
        return frame
      }
    }
  })
