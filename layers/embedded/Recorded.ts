/**
 * Makes a chain: a new one in memory, or one in a ledger folder.
 *
 * Invariants: a folder gets its header and the inputs of genesis in one write, so after a failed or killed start it is
 * still new. Replayed inputs are not recorded again: the chain records inputs only after the last of them. Time
 * continues at the last input, even if the machine's clock was set back. The log is compacted in a separate fiber,
 * between two calls of the chain, so an image never contains half of an input.
 */
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

/** Makes a new chain and runs `genesis`, or restores the chain of the ledger folder. */
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
    const { header, image } = folder
    const settingsNow = LedgerFolder.settingsOf(settings)
    if (header === undefined) {
      const seed = randomBytes(SEED_BYTES)
      const chain = chainOf(now, seed)
      const origin = { runtime: API_VERSION, wall: now.wall, seed: seed.toString("base64"), settings: settingsNow }
      // The folder gets its header together with the first inputs: a failed start leaves nothing behind.
      const first: Array<TimedInput> = []
      chain.record((input) => first.push(input), now, 0)
      yield* genesis(chain)
      yield* Effect.try({
        try: () => folder.begin(origin, first),
        catch: (cause) => unusable(settings.ledger, "cannot be started", cause)
      })
      chain.record(yield* compacting(chain, folder, origin, 0), now, 0)
      return chain
    }
    yield* LedgerFolder.check(header, API_VERSION, settingsNow, settings.ledger)
    const chain = chainOf({ monotonic: 0, wall: header.wall }, Buffer.from(header.seed, "base64"))
    if (image !== undefined && !chain.load(image)) {
      const detail = `the ledger in ${settings.ledger} has an image that is not a state of its chain: restore a copy, or start a new ledger with --reset`
      return yield* new EmbeddedClusterError({ reason: "Ledger", detail })
    }
    const { count, last } = yield* replay(chain, folder.inputs, settings.ledger)
    const later = yield* Clock.currentMoment
    // An image has no input, but shows its time.
    const elapsed = Math.max(last, chain.elapsed, later.wall - header.wall)
    chain.record(yield* compacting(chain, folder, header, count), later, elapsed)
    return chain
  })

/**
 * Returns a function that appends an input to the log. After `maxLedgerInputs`, a fiber compacts the log between two
 * calls of the chain, when no input is being applied. If this fails, the log grows, and the next attempt follows after
 * the same number of inputs.
 */
const compacting = (chain: Chain, folder: LedgerFolder.LedgerFolder, origin: LedgerFolder.Origin, count: number) =>
  Effect.gen(function* () {
    const { maxLedgerInputs } = chain.settings
    let kept = count
    const isDue = Effect.unsafeMakeLatch(kept >= maxLedgerInputs)
    const { runtime, seed, settings, wall } = origin
    const compact = Effect.gen(function* () {
      yield* isDue.await
      isDue.unsafeClose()
      kept = 0
      yield* Effect.try(() => folder.compact({ runtime, seed, settings, wall }, chain.image()))
    }).pipe(Effect.catchAll(({ error }) => Effect.logWarning("the ledger's log was not compacted", error)))
    yield* Effect.forkScoped(Effect.interruptible(Effect.forever(compact)))
    return (input: TimedInput): void => {
      folder.append(input)
      if (++kept >= maxLedgerInputs) isDue.unsafeOpen()
    }
  })

/** Replays the inputs of a chain. Returns their number and the time of the last one. */
const replay = (chain: Chain, inputs: Iterable<TimedInput>, folder: string) =>
  Effect.try({
    try: () => {
      let count = 0
      let last = 0
      for (const { elapsed, input } of inputs) {
        if (!apply(chain, input, elapsed)) {
          throw new EmbeddedClusterError({
            reason: "Ledger",
            detail: `the ledger in ${folder} has an input that this runtime refuses: start a new ledger with --reset`
          })
        }
        last = Math.max(last, elapsed)
        count++
      }
      return { count, last }
    },
    catch: (cause) => unusable(folder, "cannot be read", cause)
  })

const unusable = (folder: string | undefined, why: string, cause: unknown): EmbeddedClusterError =>
  cause instanceof EmbeddedClusterError
    ? cause
    : new EmbeddedClusterError({ reason: "Ledger", detail: `the ledger in ${folder} ${why}`, cause })

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
