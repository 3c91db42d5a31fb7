import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { vi } from "vitest"
import * as RpcPoolUndici from "../../layers/RpcPoolUndici.js"

/** As the module that Bun gives for undici. */
vi.mock("undici", () => ({ Pool: { prototype: {} } }))

it.scoped("Given a runtime with its own undici, When the pool is built, Then the error names the portable one", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(RpcPoolUndici.make({ url: Redacted.make("http://127.0.0.1:1") }))
    expect(error).toMatchObject({ _tag: "InvalidInput", field: "RpcPoolUndici" })
    expect(error.message).toMatch(/Bun.*RpcPoolHttpClient/)
  })
)
