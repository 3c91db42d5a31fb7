/**
 * Records by V8's profilers, through a session of Node's inspector within the process. It opens no port.
 *
 * The inspector is loaded on use, because some builds of Node have none. A session belongs to one recording and closes
 * with it.
 */
import * as Fs from "node:fs"
import type { Session } from "node:inspector/promises"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { ProfilerError, type Source } from "../../services/Profiler.js"

const notAvailable = (detail: string) => (cause: unknown) =>
  new ProfilerError({ reason: "NotAvailable", detail, cause })

const connected: Effect.Effect<Session, ProfilerError> = Effect.tryPromise({
  try: async () => {
    const { Session } = await import("node:inspector/promises")
    const session = new Session()
    session.connect()
    return session
  },
  catch: notAvailable("The inspector cannot be used")
})

const recording = (
  start: (session: Session) => Promise<void>,
  stop: (session: Session) => Promise<unknown>
): Effect.Effect<Effect.Effect<unknown, ProfilerError>, ProfilerError> =>
  Effect.gen(function* () {
    const session = yield* connected
    const close = Effect.sync(() => session.disconnect())
    yield* Effect.tryPromise({
      try: () => start(session),
      catch: notAvailable("The recording did not start")
    }).pipe(Effect.onError(() => close))
    return Effect.tryPromise({
      try: () => stop(session),
      catch: notAvailable("The recording was lost")
    }).pipe(Effect.ensuring(close))
  })

export const startCpu: Source["startCpu"] = (interval) =>
  recording(
    async (session) => {
      await session.post("Profiler.enable")
      await session.post("Profiler.setSamplingInterval", { interval })
      await session.post("Profiler.start")
    },
    async (session) => (await session.post("Profiler.stop")).profile
  )

export const startHeap: Source["startHeap"] = ({ collected, intervalBytes }) =>
  recording(
    async (session) => {
      await session.post("HeapProfiler.startSampling", {
        samplingInterval: intervalBytes,
        includeObjectsCollectedByMajorGC: collected,
        includeObjectsCollectedByMinorGC: collected
      })
    },
    async (session) => (await session.post("HeapProfiler.stopSampling")).profile
  )

/** Writes a snapshot to a file. V8 stands still while it emits chunks, so each chunk is written at once. */
const written = async (session: Session, path: string): Promise<number> => {
  const file = Fs.openSync(path, "wx", 0o600)
  let bytes = 0
  let failure: unknown
  try {
    session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => {
      if (failure !== undefined) return
      try {
        bytes += Fs.writeSync(file, params.chunk)
      } catch (cause) {
        failure = cause
      }
    })
    await session.post("HeapProfiler.takeHeapSnapshot", { reportProgress: false })
    if (failure !== undefined) throw failure
    return bytes
  } catch (cause) {
    Fs.rmSync(path, { force: true })
    throw cause
  } finally {
    Fs.closeSync(file)
  }
}

export const snapshot: Source["snapshot"] = (path) =>
  Effect.acquireUseRelease(
    connected,
    (session) =>
      Effect.tryPromise({
        try: () => written(session, path),
        catch: (cause) =>
          new ProfilerError({ reason: "Write", detail: `${Path.basename(path)} cannot be written`, cause })
      }),
    (session) => Effect.sync(() => session.disconnect())
  )
