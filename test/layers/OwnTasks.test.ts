/** The library's own tasks on threads: the same results as on this thread, also where the pool gives none. */
import { randomBytes } from "node:crypto"
import { describe, expect, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as SealingNode from "../../layers/SealingNode.js"
import * as SealingThreads from "../../layers/SealingThreads.js"
import * as WalletNode from "../../layers/WalletNode.js"
import * as WalletThreads from "../../layers/WalletThreads.js"
import * as WorkerPoolThreads from "../../layers/WorkerPoolThreads.js"
import * as WorkerPool from "../../services/WorkerPool.js"

const keyPair = Effect.promise(() => globalThis.crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"])).pipe(
  Effect.filterOrDieMessage((made): made is CryptoKeyPair => "privateKey" in made, "no key pair")
)

const messages = (count: number) => Array.from({ length: count }, (_, index) => new Uint8Array(randomBytes(1 + index)))

const closed = Effect.gen(function* () {
  const scope = yield* Scope.make()
  const pool = yield* WorkerPoolThreads.make({ threads: 1 }).pipe(Scope.extend(scope))
  yield* Scope.close(scope, Exit.void)
  return pool
})

const pools = {
  threads: WorkerPoolThreads.layer({ threads: 2 }),
  inline: WorkerPool.layerInline(),
  closed: Layer.effect(WorkerPool.WorkerPool, closed)
}

describe.each(["threads", "inline", "closed"] as const)("The library's tasks, pool: %s", (name) => {
  layer(pools[name])((it) => {
    it.effect.each([0, 1, 31, 32, 500])("Given %d messages, When they are signed, Then as by WalletNode", (count) =>
      Effect.gen(function* () {
        const pair = yield* keyPair
        const given = messages(count)
        const [here, there] = yield* Effect.all([WalletNode.fromKeyPair(pair), WalletThreads.fromKeyPair(pair)])
        expect(there.address).toBe(here.address)
        expect(yield* there.sign(given)).toEqual(yield* here.sign(given))
      })
    )

    it.effect.each([0, 1, 4096, 300_000])(
      "Given %d bytes, When they are sealed, Then the recipient opens them",
      (size) =>
        Effect.gen(function* () {
          const sealing = yield* SealingThreads.make
          const recipient = yield* WalletNode.generate
          const info = new TextEncoder().encode("the info")
          const bytes = new Uint8Array(randomBytes(size))
          const sealed = yield* sealing.seal(recipient.address, info, bytes)
          expect(yield* recipient.unseal?.(sealed, info) ?? Effect.die("no unseal")).toEqual(Option.some(bytes))
          const { derive } = recipient
          expect(yield* sealing.seal(recipient.address, info, bytes, derive)).toEqual(
            yield* SealingNode.make.seal(recipient.address, info, bytes, derive)
          )
        })
    )
  })
})
