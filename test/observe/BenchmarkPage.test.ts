import * as Fs from "node:fs"
import * as Os from "node:os"
import * as path from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as BenchmarkPage from "../../src/observe/BenchmarkPage.js"
import * as BenchmarkText from "../../src/observe/BenchmarkText.js"
import { reportOf, sdks } from "../support/benchmarks.js"
import * as Chromium from "../support/chromium.js"

const HOSTILE = `</title><script>window.broken = true</script><img src="http://127.0.0.1:9/x" onerror="window.broken = true">`

describe
  .skipIf(Chromium.executable === undefined)
  .sequential(
    `the benchmark page in a browser${Chromium.executable === undefined ? " (SKIPPED: there is no Chromium on the PATH)" : ""}`,
    () => {
      const folder = Fs.mkdtempSync(path.join(Os.tmpdir(), "pod-benchmark-"))
      const file = path.join(folder, "report.html")
      const hostile = { ...reportOf(4, "cpu", { ours: 1, [HOSTILE]: 2 }), name: HOSTILE, of: HOSTILE }
      const parts = [
        { report: reportOf(1, "latency", sdks), earlier: [5, 6, 7].map((seed) => reportOf(seed, "latency", sdks)) },
        { report: reportOf(2, "cpu", sdks) },
        { report: hostile },
        { report: { ...hostile, cases: [] } }
      ]

      beforeAll(() => Fs.writeFileSync(file, BenchmarkPage.html({ title: HOSTILE, parts })))
      afterAll(() => Fs.rmSync(folder, { recursive: true }))

      it("Given reports with hostile names, When the page is opened, Then its tables equal the JSON, without a request, a script or an error", async () => {
        expect(Fs.statSync(file).size).toBeLessThan(300_000)
        await Chromium.withPage(file, async ({ errors, evaluate, picture, requests }) => {
          const cells = await evaluate(
            `[...document.querySelectorAll("section")[0].querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent))`
          )
          const text = BenchmarkText.markdown(parts[0]?.report ?? hostile)
          const rows = text
            .split("\n")
            .filter((line) => line.startsWith("| "))
            .slice(2)
          const table = rows.map((row) =>
            row
              .slice(2, -2)
              .split(" | ")
              .map((cell) =>
                cell
                  .replaceAll("\\", "")
                  .replace(/ \((\S+ – \S+)\)/, " $1")
                  .trim()
              )
          )
          expect(cells).toEqual(table)
          expect(await evaluate(`document.querySelectorAll("li")[0].textContent`)).toMatch(/^A\/A: /)
          expect(await evaluate(`document.querySelectorAll("svg").length`)).toBeGreaterThanOrEqual(8)
          expect(
            await evaluate(
              `[...document.querySelectorAll("svg *")].some((e) => [...e.attributes].some((a) => /NaN|Infinity|undefined/.test(a.value)))`
            )
          ).toBe(false)
          expect(await evaluate(`window.broken === undefined`)).toBe(true)
          expect(await evaluate(`document.querySelectorAll("img, iframe, script, link").length`)).toBe(0)
          expect(requests).toEqual([])
          expect(errors).toEqual([])
          const pictures = process.env["BENCH_PICTURES"]
          for (const scheme of ["light", "dark"] as const)
            if (pictures !== undefined) await picture(path.join(pictures, `benchmark-${scheme}.png`), scheme)
        })
      })
    }
  )
