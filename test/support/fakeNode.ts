import { type Address, type Blockhash as KitBlockhash, type Commitment, lamports, type Signature } from "@solana/kit"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { AccountInfo, ConfirmedTransaction, SignatureInfo, SignatureStatus } from "../../services/rpc/Reply.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Signatures from "../../src/solana/Signature.js"

/** A node whose answers the test sets, and which records its calls. */
export interface FakeNode {
  slot: bigint
  blockHeight: bigint
  /** The number of the newest blockhash, which lives for 150 blocks from now. */
  blockhash: number
  /** The genesis hash of its cluster. */
  genesis: KitBlockhash
  /** The first slot of its ledger. */
  firstSlot: bigint
  /** Called with each received transaction. Default: nothing. */
  onSend: (signature: Signature) => void
  readonly sent: Array<{ readonly wire: Uint8Array; readonly options: RpcPool.SendOptions | undefined }>
  readonly statusCalls: Array<{ readonly signatures: ReadonlyArray<Signature>; readonly history: boolean }>
  /** Statuses that only a look-up with history finds. */
  readonly archived: Map<Signature, SignatureStatus>
  readonly land: (signature: Signature, level?: Commitment, err?: unknown) => void
  readonly forget: (signature: Signature) => void
  readonly layer: Layer.Layer<RpcPool.RpcPool>
}

export const blockhashOf = (name: number) => Blockhash.fromBytes(new Uint8Array(32).fill(name))

export const signatureOf = (wire: Uint8Array): Signature => Signatures.fromBytes(wire, 1)

export const statusOf = (slot: bigint, level: Commitment, err: unknown = null): SignatureStatus => ({
  slot,
  err,
  confirmations: level === "finalized" ? Option.none() : Option.some(1n),
  confirmationStatus: Option.some(level)
})

/** The result of `getTransaction` for a landed and failed transaction. */
export const confirmedOf = (wire: Uint8Array, err: unknown, logs: ReadonlyArray<string>): ConfirmedTransaction => ({
  wire,
  version: 0,
  slot: 100n,
  blockTime: Option.some(1_700_000_000n),
  meta: Option.some({
    err,
    logs,
    fee: lamports(5000n),
    preBalances: [],
    postBalances: [],
    innerInstructions: [],
    computeUnitsConsumed: Option.some(150n),
    returnData: Option.none(),
    loadedAddresses: { writable: [], readonly: [] }
  })
})

export const accountOf = (address: Address, owner: Address, space: bigint): AccountInfo => ({
  address,
  owner,
  space,
  data: new Uint8Array(),
  lamports: lamports(1n),
  executable: false
})

/** The item of `getSignaturesForAddress` for a successful transaction. */
export const historyOf = (signature: Signature): SignatureInfo => ({
  signature,
  slot: 100n,
  err: null,
  memo: Option.none(),
  blockTime: Option.none(),
  confirmationStatus: Option.none()
})

export const make = (overrides: Partial<RpcPool.Service> = {}): FakeNode => {
  const statuses = new Map<Signature, SignatureStatus>()
  /** The lifetimes of the returned blockhashes. */
  const lives = new Map<string, bigint>()
  const getEpochInfo: RpcPool.Service["getEpochInfo"] =
    overrides.getEpochInfo ??
    (() =>
      Effect.sync(() => ({
        absoluteSlot: node.slot,
        blockHeight: node.blockHeight,
        epoch: 0n,
        slotIndex: node.slot,
        slotsInEpoch: 432_000n,
        transactionCount: Option.none()
      })))
  const getSignatureStatuses: RpcPool.Service["getSignatureStatuses"] = (signatures, options) =>
    Effect.sync(() => {
      const history = options?.searchTransactionHistory === true
      node.statusCalls.push({ signatures, history })
      return {
        slot: node.slot,
        value: signatures.map((signature) =>
          Option.fromNullable(statuses.get(signature) ?? (history ? node.archived.get(signature) : undefined))
        )
      }
    })
  const node: FakeNode = {
    slot: 100n,
    blockHeight: 90n,
    blockhash: 1,
    genesis: blockhashOf(200),
    firstSlot: 0n,
    onSend: () => {},
    sent: [],
    statusCalls: [],
    archived: new Map(),
    land: (signature, level = "confirmed", err = null) => statuses.set(signature, statusOf(node.slot, level, err)),
    forget: (signature) => statuses.delete(signature),
    layer: RpcPool.layerTest({
      getGenesisHash: Effect.sync(() => node.genesis),
      getLatestBlockhash: () =>
        Effect.sync(() => {
          const value = { blockhash: blockhashOf(node.blockhash), lastValidBlockHeight: node.blockHeight + 150n }
          lives.set(value.blockhash, value.lastValidBlockHeight)
          return { slot: node.slot, value }
        }),
      getEpochInfo,
      isBlockhashValid: (blockhash, options) =>
        Effect.map(getEpochInfo(options), ({ absoluteSlot, blockHeight }) => ({
          slot: absoluteSlot,
          value: blockHeight <= (lives.get(blockhash) ?? -1n)
        })),
      getSignatureStatuses,
      getTransaction: () => Effect.succeed(Option.none()),
      getLedgerStatuses: (signatures) =>
        Effect.map(
          (overrides.getSignatureStatuses ?? getSignatureStatuses)(signatures, { searchTransactionHistory: true }),
          (statuses) => ({ ...statuses, firstSlot: node.firstSlot })
        ),
      sendTransaction: (wire, options) =>
        Effect.sync(() => {
          const signature = signatureOf(wire)
          node.sent.push({ wire, options })
          node.onSend(signature)
          return signature
        }),
      ...overrides
    })
  }
  return node
}
