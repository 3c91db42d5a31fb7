import type { Address, Blockhash, Commitment, Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { SignatureStatus } from "../../services/rpc/Reply.js"
import type { AccountOptions } from "../../services/RpcPool.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhashes from "../../src/solana/Blockhash.js"
import * as NonceAccount from "../../src/solana/NonceAccount.js"
import * as Wire from "../../src/solana/Wire.js"
import * as FakeNode from "./fakeNode.js"
import * as Nonces from "./nonces.js"

/** What an endpoint does with a transaction: it accepts it, or loses it or its answer in one of these ways. */
export type Sending = "takes" | "swallows" | "loses the answer" | "limits" | "lags"

/** A transaction in the cluster. */
export interface Landing {
  readonly lastValid: bigint
  /** Its durable nonce, instead of a blockhash. */
  readonly nonce: Blockhash | undefined
  state: "unknown" | "arrived" | Commitment
  slot: bigint
  err: unknown
  /** Whether any leader received it. */
  everArrived: boolean
}

/** An advance of the nonce. */
interface Advance {
  readonly slot: bigint
  readonly nonce: Blockhash
  state: Commitment
}

const LIFE = 150n
const CONFIRMED_AFTER = 2n
const FINALIZED_AFTER = 32n

/** The only nonce account. */
export const NONCE_ACCOUNT: Address = Addresses.fromBytes(new Uint8Array(32).fill(88))

/** The nonce of a slot is the same on all its forks, as on Solana. */
const nonceOf = (slot: bigint): Blockhash => {
  const bytes = new Uint8Array(32).fill(99)
  new DataView(bytes.buffer).setBigUint64(0, slot)
  return Blockhashes.fromBytes(bytes)
}

/** A cluster with a fully known state, behind one endpoint that hides and changes it as the test sets. */
export interface ModelCluster {
  readonly landings: Map<Signature, Landing>
  sending: Sending
  /** Makes blocks. Old unprocessed transactions are dropped, and old processed ones are confirmed. */
  readonly advance: (slots: number) => void
  /** Puts the received transactions into the newest block. */
  readonly land: (err: unknown) => void
  /** Another user uses the nonce in the newest block. */
  readonly steal: () => void
  /** Whether the account has the nonce, or would have it after a fork. */
  readonly holds: (nonce: Blockhash) => boolean
  /** Abandons the fork with the unconfirmed blocks. */
  readonly fork: () => void
  /** Freezes the answers to look-ups, or makes them true again. */
  readonly freeze: (frozen: boolean) => void
  readonly layer: FakeNode.FakeNode["layer"]
}

const failure = (fields: Partial<ConstructorParameters<typeof RpcError>[0]>) =>
  new RpcError({ reason: "Timeout", method: "sendTransaction", detail: "no reply", ...fields })

const AGE: Readonly<Record<Commitment, bigint>> = {
  processed: 0n,
  confirmed: CONFIRMED_AFTER,
  finalized: FINALIZED_AFTER
}

const RANK: Readonly<Record<Commitment, number>> = { processed: 0, confirmed: 1, finalized: 2 }

export const make = (authority: Address): ModelCluster => {
  let [slot, height] = [1000n, 900n]
  let name = 0
  let frozen: { readonly slot: bigint; readonly statuses: ReadonlyMap<Signature, SignatureStatus> } | undefined
  const lives = new Map<string, bigint>()
  const landings = new Map<Signature, Landing>()
  let advances: ReadonlyArray<Advance> = [{ slot: 800n, nonce: nonceOf(800n), state: "finalized" }]

  const nonceAt = (level: Commitment): Blockhash | undefined =>
    advances.findLast(({ state }) => RANK[state] >= RANK[level])?.nonce

  /** At most once per slot. */
  const advanceNonce = (): boolean => {
    const nonce = nonceOf(slot)
    if (nonceAt("processed") === nonce) return false
    advances = [...advances, { slot, nonce, state: "processed" }]
    return true
  }

  const isValid = ({ lastValid, nonce }: Landing): boolean =>
    nonce === undefined ? height <= lastValid : nonce === nonceAt("processed") && nonce !== nonceOf(slot)

  const mature = (landing: { state: Landing["state"]; readonly slot: bigint }): void => {
    if (landing.state === "processed" && slot >= landing.slot + CONFIRMED_AFTER) landing.state = "confirmed"
    if (landing.state === "confirmed" && slot >= landing.slot + FINALIZED_AFTER) landing.state = "finalized"
  }

  const bankOf = ({ commitment = "confirmed" }: AccountOptions = {}): bigint => slot - AGE[commitment]

  const stored = ({ commitment = "confirmed" }: AccountOptions = {}) =>
    Option.map(Option.fromNullable(nonceAt(commitment)), (nonce) =>
      Nonces.accountOf(NONCE_ACCOUNT, { authority, nonce })
    )

  const statuses = (): ReadonlyMap<Signature, SignatureStatus> =>
    new Map(
      Array.from(landings).flatMap(([signature, { err, slot, state }]) =>
        state === "unknown" || state === "arrived" ? [] : [[signature, FakeNode.statusOf(slot, state, err)] as const]
      )
    )

  const cluster: ModelCluster = {
    landings,
    sending: "takes",
    advance: (slots) => {
      name = (name + 1) % 255
      slot += BigInt(slots)
      height += BigInt(slots)
      for (const landing of landings.values()) {
        if (landing.state === "arrived" && !isValid(landing)) landing.state = "unknown"
        mature(landing)
      }
      for (const advance of advances) mature(advance)
    },
    land: (err) => {
      for (const landing of landings.values()) {
        if (landing.state === "arrived" && isValid(landing)) {
          if (landing.nonce !== undefined) advanceNonce()
          Object.assign(landing, { state: "processed", slot, err })
        }
      }
    },
    steal: () => {
      advanceNonce()
    },
    holds: (nonce) =>
      nonceAt("finalized") === nonce ||
      advances.some((advance) => advance.state !== "finalized" && advance.nonce === nonce),
    fork: () => {
      advances = advances.filter(({ state }) => state !== "processed")
      for (const landing of landings.values()) if (landing.state === "processed") landing.state = "unknown"
    },
    freeze: (isFrozen) => {
      frozen = isFrozen ? (frozen ?? { slot, statuses: statuses() }) : undefined
    },
    layer: FakeNode.make({
      getLatestBlockhash: () =>
        Effect.sync(() => {
          const blockhash = FakeNode.blockhashOf(name)
          lives.set(blockhash, height + LIFE)
          return { slot, value: { blockhash, lastValidBlockHeight: height + LIFE } }
        }),
      getEpochInfo: (options) =>
        Effect.sync(() => {
          const behind = options?.commitment === "finalized" ? FINALIZED_AFTER : 0n
          return {
            absoluteSlot: slot - behind,
            blockHeight: height - behind,
            epoch: 0n,
            slotIndex: slot,
            slotsInEpoch: 432_000n,
            transactionCount: Option.none()
          }
        }),
      isBlockhashValid: (blockhash, options) =>
        Effect.sync(() => {
          const behind = AGE[options?.commitment ?? "confirmed"]
          const last = lives.get(blockhash)
          // A bank older than the blockhash does not have it yet.
          const isKnown = last !== undefined && height - behind >= last - LIFE
          return { slot: slot - behind, value: isKnown && height - behind <= last }
        }),
      getSignatureStatuses: (signatures) =>
        Effect.sync(() => {
          const view = frozen ?? { slot, statuses: statuses() }
          return {
            slot: view.slot,
            value: signatures.map((signature) => Option.fromNullable(view.statuses.get(signature)))
          }
        }),
      getAccountInfo: (_, options) => Effect.sync(() => ({ slot: bankOf(options), value: stored(options) })),
      getMultipleAccounts: (addresses, options) =>
        Effect.sync(() => ({ slot: bankOf(options), value: addresses.map(() => stored(options)) })),
      getTransaction: () => Effect.succeed(Option.none()),
      sendTransaction: (wire, options) =>
        Effect.suspend(() => {
          const signature = FakeNode.signatureOf(wire)
          const { message } = Either.getOrThrow(Wire.decode(wire))
          const lastValid = lives.get(message.blockhash) ?? 0n
          const landing: Landing = landings.get(signature) ?? {
            lastValid,
            nonce: NonceAccount.advancedBy(message) === undefined ? undefined : message.blockhash,
            state: "unknown",
            slot: 0n,
            err: null,
            everArrived: false
          }
          landings.set(signature, landing)
          if (cluster.sending === "limits") return Effect.fail(failure({ reason: "RateLimited" }))
          if (cluster.sending === "lags") return Effect.fail(failure({ reason: "Node", code: -32016 }))
          if (options?.skipPreflight !== true && !isValid(landing)) {
            const data = { err: "BlockhashNotFound", logs: [] }
            return Effect.fail(failure({ reason: "Node", code: -32002, data }))
          }
          if (cluster.sending === "swallows") return Effect.succeed(signature)
          if (landing.state === "unknown" && isValid(landing)) {
            landing.state = "arrived"
            landing.everArrived = true
          }
          return cluster.sending === "takes" ? Effect.succeed(signature) : Effect.fail(failure({}))
        })
    }).layer
  }
  return cluster
}
