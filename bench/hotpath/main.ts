import { measure, table } from "../harness.js"
import * as Floor from "../floor/send.js"
import * as Fixtures from "./fixtures.js"
import { makeSender, MESSAGES } from "./ours.js"

const ours = await makeSender()
const floor = Floor.sender(Fixtures.sender, Fixtures.blockhashBytes, Floor.nodeSign(Fixtures.key))
const report = await measure(
  "build and sign one message",
  [
    { name: "floor", run: (i) => floor(Fixtures.recipientBytes(i), Fixtures.payload()) },
    { name: "ours", run: ours.untraced, operations: MESSAGES },
    { name: "ours, traced", run: ours.traced, operations: MESSAGES }
  ],
  { warmMillis: 1500, rounds: 41, roundMillis: 25 }
)
console.log(table(report))
await ours.dispose()
