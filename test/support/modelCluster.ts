import type { Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { SignatureStatus } from "../../services/rpc/Reply.js"
import { RpcError } from "../../services/RpcTransport.js"
import * as Wire from "../../src/solana/Wire.js"
import * as FakeNode from "./fakeNode.js"

/** What an endpoint does with a transaction: takes it, or loses it or its answer in one of these ways. */
export type Sending = "takes" | "swallows" | "loses the answer" | "limits" | "lags"

/** A transaction as the cluster sees it. */
export interface Landing {
  readonly lastValid: bigint
  state: "unknown" | "arrived" | "processed" | "confirmed" | "finalized"
  slot: bigint
  err: unknown
  /** Whether any leader ever had it. */
  everArrived: boolean
}

const LIFE = 150n
const FINALIZED_AFTER = 32n

/** A cluster of which everything is known, behind one endpoint that hides and distorts it as the test says. */
export interface ModelCluster {
  readonly landings: Map<Signature, Landing>
  sending: Sending
  /** Makes blocks. What was arrived for too long is dropped; what was processed long ago is confirmed. */
  readonly advance: (slots: number) => void
  /** Takes what arrived into the newest block. */
  readonly land: (err: unknown) => void
  /** Leaves the fork that holds what is not confirmed. */
  readonly fork: () => void
  /** Answers look-ups from now on as it would now, or truly again. */
  readonly freeze: (frozen: boolean) => void
  readonly layer: FakeNode.FakeNode["layer"]
}

const failure = (fields: Partial<ConstructorParameters<typeof RpcError>[0]>) =>
  new RpcError({ reason: "Timeout", method: "sendTransaction", detail: "no reply", ...fields })

export const make = (): ModelCluster => {
  let [slot, height] = [1000n, 900n]
  let name = 0
  let frozen: { readonly slot: bigint; readonly statuses: ReadonlyMap<Signature, SignatureStatus> } | undefined
  const lives = new Map<string, bigint>()
  const landings = new Map<Signature, Landing>()

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
        if (landing.state === "arrived" && height > landing.lastValid) landing.state = "unknown"
        if (landing.state === "processed" && slot > landing.slot + 1n) landing.state = "confirmed"
        if (landing.state === "confirmed" && slot >= landing.slot + FINALIZED_AFTER) landing.state = "finalized"
      }
    },
    land: (err) => {
      for (const landing of landings.values()) {
        if (landing.state === "arrived" && height <= landing.lastValid) {
          Object.assign(landing, { state: "processed", slot, err })
        }
      }
    },
    fork: () => {
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
      getSignatureStatuses: (signatures) =>
        Effect.sync(() => {
          const view = frozen ?? { slot, statuses: statuses() }
          return {
            slot: view.slot,
            value: signatures.map((signature) => Option.fromNullable(view.statuses.get(signature)))
          }
        }),
      getTransaction: () => Effect.succeed(Option.none()),
      sendTransaction: (wire, options) =>
        Effect.suspend(() => {
          const signature = FakeNode.signatureOf(wire)
          const { message } = Either.getOrThrow(Wire.decode(wire))
          const lastValid = lives.get(message.blockhash) ?? 0n
          const landing: Landing = landings.get(signature) ?? {
            lastValid,
            state: "unknown",
            slot: 0n,
            err: null,
            everArrived: false
          }
          landings.set(signature, landing)
          if (cluster.sending === "limits") return Effect.fail(failure({ reason: "RateLimited" }))
          if (cluster.sending === "lags") return Effect.fail(failure({ reason: "Node", code: -32016 }))
          if (options?.skipPreflight !== true && height > lastValid) {
            const data = { err: "BlockhashNotFound", logs: [] }
            return Effect.fail(failure({ reason: "Node", code: -32002, data }))
          }
          if (cluster.sending === "swallows") return Effect.succeed(signature)
          if (landing.state === "unknown" && height <= lastValid) {
            landing.state = "arrived"
            landing.everArrived = true
          }
          return cluster.sending === "takes" ? Effect.succeed(signature) : Effect.fail(failure({}))
        })
    }).layer
  }
  return cluster
}
