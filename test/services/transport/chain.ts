import type { Signature } from "@solana/kit"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as Take from "effect/Take"
import * as TestClock from "effect/TestClock"
import type * as Follow from "../../../services/Follow.js"
import * as RpcPool from "../../../services/RpcPool.js"
import type { RpcError, SubscriptionKind } from "../../../services/RpcTransport.js"
import * as Choice from "../../../services/transport/Choice.js"
import * as Reconnect from "../../../services/transport/Reconnect.js"
import * as Address from "../../../src/solana/Address.js"
import * as Base64 from "../../../src/solana/Base64.js"
import * as Signatures from "../../../src/solana/Signature.js"
import { settle, sockets } from "./sockets.js"
import { fail, fake } from "./support.js"

export const address = (n: number) => Address.fromBytes(new Uint8Array(32).fill(n + 1))
export const signature = (n: number): Signature => Signatures.fromBytes(new Uint8Array(64).fill(n + 1))
export const PROGRAM = address(100)

/** What becomes of the notification of a change. */
export type Fate = "notified" | "late" | "lost"

/** By how much a late notification is. */
const LATE = "3 seconds"

/** An account as a node reports it; a closed one has no byte. */
const account = (byte: number | undefined) => ({
  data: [Base64.encode(byte === undefined ? new Uint8Array() : Uint8Array.of(byte)), "base64"],
  executable: false,
  lamports: byte === undefined ? 0 : 1,
  owner: byte === undefined ? Address.SYSTEM_PROGRAM : PROGRAM,
  rentEpoch: 0,
  space: byte === undefined ? 0 : 1
})

const contextual = (slot: bigint, value: unknown) => ({ context: { slot }, value })

const until = (params: ReadonlyArray<unknown>): unknown => {
  const [, options] = params
  return typeof options === "object" && options !== null && "until" in options ? options.until : undefined
}

/** Agave's code of a node that has not reached the minimum context slot. */
const BEHIND = -32016

/** A chain of one program whose accounts hold a byte, and of transactions that mention it, behind a scripted node. */
export const chain = () => {
  const node = sockets()
  const accounts = new Map<string, number>()
  const landed: Array<{ readonly signature: Signature; readonly slot: bigint }> = []
  let slot = 10n
  /** By how much the slots of replies and notifications are too high. */
  let excess = 0n
  let latency: Duration.DurationInput = 0
  let failing: RpcError | undefined

  const answer = (method: string, params: ReadonlyArray<unknown>): Effect.Effect<unknown, RpcError> => {
    const [first] = params
    const least = Choice.minContextSlot(params)
    if (least !== undefined && least > slot) return fail("Node", { method, code: BEHIND })
    switch (method) {
      case "getSlot":
        return Effect.succeed(slot)
      case "getAccountInfo": {
        const byte = accounts.get(String(first))
        return Effect.succeed(contextual(slot + excess, byte === undefined ? null : account(byte)))
      }
      case "getProgramAccounts": {
        const found = [...accounts].map(([pubkey, byte]) => ({ pubkey, account: account(byte) }))
        return Effect.succeed(contextual(slot + excess, found))
      }
      case "getSignatureStatuses": {
        const found = landed.find(({ signature }) => Array.isArray(first) && signature === first[0])
        return Effect.succeed(
          contextual(slot, [
            found === undefined
              ? null
              : { slot: found.slot, confirmations: null, err: null, confirmationStatus: "finalized" }
          ])
        )
      }
      case "getSignaturesForAddress": {
        const end = landed.findIndex(({ signature }) => signature === until(params))
        const infos = landed.slice(end + 1).toReversed()
        return Effect.succeed(
          infos.map(({ signature, slot }) => ({ signature, slot: slot + excess, err: null, memo: null }))
        )
      }
      case "getTransaction": {
        const found = landed.find(({ signature }) => signature === first)
        return Effect.succeed({
          slot: found?.slot,
          version: 0,
          transaction: ["", "base64"],
          meta: { err: null, fee: 0, preBalances: [], postBalances: [], logMessages: [String(first)] }
        })
      }
      default:
        return fail("Node", { method, code: -32601 })
    }
  }

  const transport = fake({
    subscribe: node.subscribe,
    request: (method, params) =>
      Effect.suspend(() => {
        const reply =
          failing === undefined ? Effect.either(answer(method, params)) : Effect.succeed(Either.left(failing))
        return Effect.flatten(Duration.toMillis(latency) === 0 ? reply : Effect.delay(reply, latency))
      })
  })

  /** The notifications of a change that has just been made, as its fate says. */
  const notify = (
    fate: Fate,
    changes: ReadonlyArray<{ readonly kind: SubscriptionKind; readonly subject: string; readonly value: unknown }>
  ) => {
    const at = slot + excess
    const arrive = Effect.forEach(changes, ({ kind, subject, value }) =>
      Effect.forEach(
        [...node.open].filter((held) => held.kind === kind && (kind === "logs" || held.params[0] === subject)),
        (held) => Queue.offer(held.queue, Take.of(contextual(at, value)))
      )
    ).pipe(Effect.zipRight(settle))
    switch (fate) {
      case "notified":
        return arrive
      case "late":
        return Effect.zipRight(
          Effect.forkDaemon(
            Effect.delay(
              Effect.suspend(() => arrive),
              LATE
            )
          ),
          settle
        )
      case "lost":
        return settle
    }
  }

  return {
    node,
    accounts,
    transport,
    /** How often a method was called. */
    asked: (method: string) => transport.calls.filter((call) => call.method === method).length,
    /** How long the node takes for each answer from now on. */
    takes: (duration: Duration.DurationInput) => {
      latency = duration
    },
    /** By how much the node's slots are too high from now on, but the one that it is asked for. */
    exaggerates: (slots: bigint) => {
      excess = slots
    },
    /** The validator begins anew, with the accounts that it has. */
    restarts: () => {
      slot = 1n
    },
    /** What each call fails with from now on. */
    fails: (error: RpcError | undefined) => {
      failing = error
    },
    /** Sets an account's byte, or closes it, in a slot of its own. */
    write: (n: number, byte: number | undefined, fate: Fate = "notified") =>
      Effect.suspend(() => {
        slot++
        if (byte === undefined) accounts.delete(address(n))
        else accounts.set(address(n), byte)
        const value = account(byte)
        const changes = [{ kind: "account" as const, subject: address(n), value }]
        return notify(
          fate,
          byte === undefined
            ? changes
            : [
                ...changes,
                { kind: "program" as const, subject: PROGRAM, value: { pubkey: address(n), account: value } }
              ]
        )
      }),
    /** Lands a transaction that mentions the program. */
    land: (n: number, fate: Fate = "notified") =>
      Effect.suspend(() => {
        slot++
        landed.push({ signature: signature(n), slot })
        return notify(fate, [
          { kind: "logs", subject: PROGRAM, value: { signature: signature(n), err: null, logs: [signature(n)] } },
          { kind: "signature", subject: signature(n), value: { err: null } }
        ])
      }),
    /** So many slots in which nothing happens. */
    pass: (slots = 1) => Effect.sync(() => void (slot += BigInt(slots)))
  }
}

export type Chain = ReturnType<typeof chain>

/** Follows in the background over a pool that reconnects. */
export const following = <A, E>(stream: Stream.Stream<A, E, RpcPool.RpcPool>, world: Chain) =>
  Effect.gen(function* () {
    const transport = yield* Reconnect.make()(world.transport)
    const told: Array<A> = []
    const fiber = yield* stream.pipe(
      Stream.runForEach((update) => Effect.sync(() => told.push(update))),
      Effect.provideService(RpcPool.RpcPool, RpcPool.make(transport)),
      Effect.fork
    )
    yield* settle
    yield* settle
    return { told, fiber }
  })

export const away = (world: Chain) =>
  Effect.sync(() => {
    world.node.accepting = false
  }).pipe(Effect.zipRight(world.node.cut))

/** Lets time pass, and all that waited for it. */
export const pass = (duration: Duration.DurationInput) =>
  Effect.zipRight(TestClock.adjust(duration), Effect.zipRight(settle, settle))

export const back = (world: Chain) =>
  Effect.suspend(() => {
    world.node.accepting = true
    return pass("1 minute")
  })

/** Updates as short texts. */
export const story = (updates: ReadonlyArray<Follow.Update<{ readonly address: string; readonly data: Uint8Array }>>) =>
  updates.map((update) =>
    update._tag === "Gap" ? "gap" : update._tag === "Gone" ? "gone" : `value ${update.value.data[0]}`
  )
