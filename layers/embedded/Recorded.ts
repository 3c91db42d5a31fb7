/** Makes a chain: a new one in memory, or one that a ledger folder keeps. */
import { randomBytes } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import * as Clock from "../../services/internal/clock.js"
import type { Chain } from "./chain/Chain.js"
import type { TimedInput } from "./chain/Input.js"
import { EmbeddedClusterError } from "./EmbeddedClusterError.js"
import * as LedgerFolder from "./LedgerFolder.js"
import type { Settings } from "./Options.js"
import { API_VERSION } from "./rpc/Node.js"
import * as TransactionInput from "./rpc/TransactionInput.js"

const SEED_BYTES = 32

/** The chain, after `genesis` or after its inputs so far. */
export const make = <E>(
  settings: Settings,
  chainOf: (start: Clock.Moment, seed: Uint8Array) => Chain,
  genesis: (chain: Chain) => Effect.Effect<void, E>
): Effect.Effect<Chain, E | EmbeddedClusterError, Scope.Scope> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentMoment
    if (settings.ledger === undefined) {
      const chain = chainOf(now, randomBytes(SEED_BYTES))
      yield* genesis(chain)
      return chain
    }
    const folder = yield* LedgerFolder.open(settings.ledger, { reset: settings.resetLedger })
    const { header } = folder
    if (header === undefined) {
      const seed = randomBytes(SEED_BYTES)
      const chain = chainOf(now, seed)
      const made = { runtime: API_VERSION, wall: now.wall, seed: seed.toString("base64") }
      // The folder gets its header together with the first inputs: a start that fails leaves nothing behind.
      const first: Array<TimedInput> = []
      chain.record((input) => first.push(input), now, 0)
      yield* genesis(chain)
      folder.begin({ ...made, settings: LedgerFolder.settingsOf(settings) }, first)
      chain.record(folder.append, now, 0)
      return chain
    }
    yield* LedgerFolder.check(header, API_VERSION, LedgerFolder.settingsOf(settings), settings.ledger)
    const chain = chainOf({ monotonic: 0, wall: header.wall }, Buffer.from(header.seed, "base64"))
    const last = yield* replay(chain, folder.inputs, settings.ledger)
    const later = yield* Clock.currentMoment
    chain.record(folder.append, later, Math.max(last, later.wall - header.wall))
    return chain
  })

/** Gives the chain its inputs again; returns the time of the last one. */
const replay = (chain: Chain, inputs: Iterable<TimedInput>, folder: string) =>
  Effect.try({
    try: () => {
      let last = 0
      for (const { elapsed, input } of inputs) {
        if (!apply(chain, input, elapsed)) {
          throw new EmbeddedClusterError({
            reason: "Ledger",
            detail: `the ledger in ${folder} has an input that this runtime refuses: start anew with --reset`
          })
        }
        last = Math.max(last, elapsed)
      }
      return last
    },
    catch: (cause) =>
      cause instanceof EmbeddedClusterError
        ? cause
        : new EmbeddedClusterError({ reason: "Ledger", detail: `the ledger in ${folder} cannot be read`, cause })
  })

const apply = (chain: Chain, input: TimedInput["input"], elapsed: number): boolean => {
  switch (input.kind) {
    case "submit":
      return Either.isRight(
        Either.flatMap(
          Either.mapLeft(TransactionInput.fromBytes(chain, input.wire), ({ message }) => message),
          (transaction) => chain.submit(transaction, elapsed, input.verify)
        )
      )
    case "advance":
      chain.advance(input.count, elapsed)
      return true
    case "advanceTime":
      chain.advanceTime(input.millis, elapsed)
      return true
    case "expireBlockhashes":
      chain.expireBlockhashes(elapsed)
      return true
    case "setAccount":
      return Either.isRight(chain.setAccount(input.address, input.account))
    case "addProgram":
      return Either.isRight(chain.addProgram(input.address, input.elf))
  }
}
