import * as Fs from "node:fs"
import * as Os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as CallTree from "../../src/observe/CallTree.js"
import * as Flamegraph from "../../src/observe/Flamegraph.js"
import * as ProfilePage from "../../src/observe/ProfilePage.js"
import * as Chromium from "../support/chromium.js"

const HOSTILE = `</title><script>window.broken = true</script><img src="http://127.0.0.1:9/x" onerror="window.broken = true">`

const frame = (name: string) => ({ name, url: "file:///app/a.ts", line: 1, column: 1 })

/** `sign` is called from two places and takes 30 of 100 µs; a hostile frame takes 10. */
const profile = {
  startMicros: 0,
  endMicros: 100,
  nodes: [
    { frame: { name: "(root)", url: "", line: 0, column: 0 }, parent: -1 },
    { frame: frame("send"), parent: 0 },
    { frame: frame("sign"), parent: 1 },
    { frame: frame("read"), parent: 0 },
    { frame: frame("sign"), parent: 3 },
    { frame: frame(HOSTILE), parent: 3 }
  ],
  samples: Uint32Array.of(1, 2, 3, 4, 5),
  times: Float64Array.of(0, 40, 60, 80, 90)
}

describe
  .skipIf(Chromium.executable === undefined)
  .sequential(
    `the profile in a browser${Chromium.executable === undefined ? " (SKIPPED: there is no Chromium on the PATH)" : ""}`,
    () => {
      const folder = Fs.mkdtempSync(path.join(Os.tmpdir(), "pod-page-"))
      const tree = CallTree.fromCpu(profile)

      beforeAll(() => {
        const cpu = { profile, tree, bySpan: CallTree.bySpan(tree), droppedChanges: 0 }
        Fs.writeFileSync(path.join(folder, "flamegraph.svg"), Flamegraph.svg(tree, { title: HOSTILE }))
        const page = { title: HOSTILE, cpu, heap: { tree }, metrics: HOSTILE, fibers: HOSTILE, files: [HOSTILE] }
        Fs.writeFileSync(path.join(folder, "index.html"), ProfilePage.html(page))
      })

      afterAll(() => Fs.rmSync(folder, { recursive: true }))

      it.each(["flamegraph.svg", "index.html"])(
        "Given %s of hostile names, When it is opened, Then it zooms and searches, without a request or an error",
        async (file) => {
          await Chromium.withPage(path.join(folder, file), async ({ errors, evaluate, requests }) => {
            const flame = `document.querySelector("svg.pod-flame, .pod-flame").podFlame`
            expect(await evaluate(`${flame}.frames`)).toBe(6)
            expect(await evaluate(`${flame}.search("^sign")`)).toBeCloseTo(0.3)
            expect(await evaluate(`${flame}.hits`)).toBe(2)
            expect(await evaluate(`${flame}.search("si(gn")`)).toBe(0)

            // When one caller is zoomed to, its frames and the root remain, and shares are of it
            expect(await evaluate(`${flame}.zoom("read")`)).toBe(true)
            expect(await evaluate(`${flame}.shown`)).toBe(4)
            expect(await evaluate(`${flame}.search("sign")`)).toBeCloseTo(0.25)
            await evaluate(`${flame}.reset()`)
            expect(await evaluate(`${flame}.shown`)).toBe(6)

            // When a frame is clicked and a key is pressed
            const frames = `[...document.querySelectorAll(".pod-flame .f")]`
            await evaluate(
              `${frames}.find((f) => f.querySelector("title").textContent.startsWith("send")).dispatchEvent(new MouseEvent("click", { bubbles: true }))`
            )
            expect(await evaluate(`${flame}.zoomed`)).toBe("send")
            await evaluate(`window.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }))`)
            expect(await evaluate(`${flame}.zoomed`)).toBe("all")

            expect(await evaluate(`window.broken === undefined`)).toBe(true)
            expect(await evaluate(`document.querySelectorAll("img, iframe").length`)).toBe(0)
            expect(requests).toEqual([])
            expect(errors).toEqual([])
          })
        }
      )
    }
  )
