/** Prints the last line of a check run from vitest's JSON report. Fails if a test failed or no test ran. */
import { readFileSync } from "node:fs"

const report = JSON.parse(readFileSync(process.argv[2], "utf8"))
const { numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: todo } = report
console.log(`${passed} passed, ${failed} failed, ${pending + todo} skipped`)
process.exitCode = report.success && passed > 0 ? 0 : 1
