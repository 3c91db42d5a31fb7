import { readFileSync } from "node:fs"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Accounts } from "../../layers/embedded/chain/Accounts.js"
import * as Loaders from "../../layers/embedded/chain/Loaders.js"
import * as Svm from "../../layers/embedded/chain/Svm.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"

const elf = Uint8Array.from(readFileSync(new URL("../../program/pod_com.so", import.meta.url)))

it.effect("Given a program whose code was replaced, When its size is asked for, Then each slot has its own", () =>
  Effect.gen(function* () {
    const { make } = yield* Svm.factory(10_000)
    const svm = make(new Uint8Array(32).fill(7))
    yield* svm.addProgram(PROGRAM_ID, elf)
    const accounts = new Accounts(svm, true)
    const program = svm.account(PROGRAM_ID)
    const code = program === undefined ? undefined : Loaders.programDataOf(program)
    const old = code === undefined ? undefined : svm.account(code)
    if (code === undefined || old === undefined) return assert.fail("the program is not upgradeable")
    assert.strictEqual(accounts.loadedSizeAt(PROGRAM_ID, 4)?.code, old.data.length)
    const data = new Uint8Array(old.data.length + 1000)
    data.set(old.data)
    accounts.remember(code, 5, old)
    yield* svm.setAccount(code, { ...plain(old), data })
    accounts.written(code)
    assert.deepStrictEqual(
      [5, 4, 5].map((slot) => accounts.loadedSizeAt(PROGRAM_ID, slot)?.code),
      [data.length, old.data.length, data.length]
    )
  })
)

/** The fields of an account, which the machine reads on demand. */
const plain = ({ executable, lamports, owner, rentEpoch }: ReturnType<Svm.Svm["account"]> & object) => ({
  executable,
  lamports,
  owner,
  rentEpoch
})
