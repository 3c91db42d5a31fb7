/**
 * Locks the folders of the arguments, each at the Unix millisecond in its name, and holds them until it is killed.
 * Prints a line for each: `held`, or the refusal. A second process with the same arguments competes for each folder.
 */
import * as path from "node:path"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FolderLock from "../../layers/embedded/FolderLock.js"

const [, , ...folders] = process.argv

/** Waits without giving the processor away, so that the processes start within microseconds. */
const until = (millis: number) =>
  Effect.sync(() => {
    while (Date.now() < millis);
  })

Effect.forEach(folders, (folder) => {
  const at = Number(path.basename(folder))
  return Effect.sleep(at - Date.now() - 2).pipe(
    Effect.zipRight(until(at)),
    Effect.zipRight(FolderLock.acquire(folder)),
    Effect.match({ onSuccess: () => "held", onFailure: ({ message }) => message }),
    Effect.flatMap(Console.log)
  )
}).pipe(Effect.zipRight(Effect.never), Effect.scoped, Effect.runPromise)
