/**
 * Subscriptions by topic. An event's cost depends on its subscribers, not on all subscriptions: without a subscriber to
 * accounts, no account is read, and equal subscriptions share one notification.
 *
 * Invariants: the number of subscriptions never exceeds the limit; unsubscribing twice counts once; a sink may
 * subscribe or unsubscribe during a notification, because events iterate over a copy; an ended subscription is not
 * notified; a sink that throws ends only its own subscription.
 */
import type { Address, Commitment, Signature } from "@solana/kit"
import * as Either from "effect/Either"
import * as Function from "effect/Function"
import * as Addresses from "../../../src/solana/Address.js"
import type { ChainListener, SlotUpdate } from "../chain/ChainListener.js"
import type { TransactionRecord } from "../chain/Ledger.js"
import type { StoredAccount } from "../chain/StoredAccount.js"
import { RENT_EXEMPT_EPOCH } from "../chain/Svm.js"
import * as AccountView from "./AccountView.js"
import * as JsonRpcError from "./JsonRpcError.js"
import type { Read } from "./Params.js"

/** Receives the `result` of a notification. `last` is true if no other follows. */
export type Sink = (result: unknown, last: boolean) => void

/** The topic of a subscription. */
export type Topic =
  | { readonly kind: "account"; readonly address: Address; readonly view: AccountView.AccountViewOptions }
  | {
      readonly kind: "program"
      readonly program: Address
      readonly view: AccountView.AccountViewOptions
      readonly accepts: (account: StoredAccount) => boolean
    }
  | { readonly kind: "logs"; readonly mentions: Address | undefined }
  | { readonly kind: "signature"; readonly signature: Signature }
  | { readonly kind: "slot" }
  | { readonly kind: "root" }
  | { readonly kind: "slotsUpdates" }

/** The kinds of subscription. */
export type FeedKind = Topic["kind"]

/** The topics whose subscribers wait for slots to pass. */
const SLOT_TOPICS: ReadonlyArray<FeedKind> = ["slot", "root", "slotsUpdates"]

interface Subscription {
  readonly commitment: Commitment
  readonly topic: Topic
  readonly sink: Sink
  readonly close: () => void
}

/** The notified state of a closed account. */
const CLOSED: StoredAccount = {
  lamports: 0n,
  owner: Addresses.SYSTEM_PROGRAM,
  executable: false,
  rentEpoch: RENT_EXEMPT_EPOCH,
  data: new Uint8Array(0)
}

/** All subscriptions of a cluster. */
export class Feeds implements ChainListener {
  readonly #topics = new Map<string, Set<Subscription>>()
  #count = 0
  readonly #counts: Record<FeedKind, number> = {
    account: 0,
    program: 0,
    logs: 0,
    signature: 0,
    slot: 0,
    root: 0,
    slotsUpdates: 0
  }

  readonly #maxSubscriptions: number
  readonly #account: (address: Address, slot: number) => StoredAccount | undefined

  constructor(maxSubscriptions: number, account: (address: Address, slot: number) => StoredAccount | undefined) {
    this.#maxSubscriptions = maxSubscriptions
    this.#account = account
  }

  /** The number of open subscriptions. */
  get size(): number {
    return this.#count
  }

  /** Whether there is a subscription to slots. */
  get isWatched(): boolean {
    return SLOT_TOPICS.some((kind) => this.#counts[kind] > 0)
  }

  /** Called when the first subscription to slots begins, and when the last one ends. */
  onWatch: (isWatched: boolean) => void = Function.constVoid

  /** Subscribes and returns a function that unsubscribes; a second call does nothing. */
  open(topic: Topic, commitment: Commitment, sink: Sink): Read<() => void> {
    if (this.#count >= this.#maxSubscriptions) {
      return Either.left(JsonRpcError.subscriptionLimit())
    }
    const key = keyOf(topic)
    const wasWatched = this.isWatched
    const subscriptions = this.#topics.get(key) ?? new Set()
    this.#topics.set(key, subscriptions)
    const close = () => {
      if (!subscriptions.delete(subscription)) return
      const wasWatched = this.isWatched
      this.#count -= 1
      this.#counts[topic.kind] -= 1
      if (wasWatched && !this.isWatched) this.onWatch(false)
      if (subscriptions.size === 0 && this.#topics.get(key) === subscriptions) this.#topics.delete(key)
    }
    const subscription: Subscription = { topic, commitment, sink: orEnd(sink, close), close }
    subscriptions.add(subscription)
    this.#count += 1
    this.#counts[topic.kind] += 1
    if (!wasWatched && this.isWatched) this.onWatch(true)
    return Either.right(close)
  }

  slotEntered(slot: number, parent: number, root: number): void {
    this.#each("slot", ({ sink }) => sink({ slot, parent, root }, false))
  }

  rooted(slot: number): void {
    this.#each("root", ({ sink }) => sink(slot, false))
  }

  slotUpdated(update: SlotUpdate): void {
    this.#each("slotsUpdates", ({ sink }) => sink(update, false))
  }

  transactionReached(commitments: ReadonlyArray<Commitment>, record: TransactionRecord): void {
    const { signature, addresses } = record.transaction
    const { err } = record.outcome
    if (this.#counts.signature > 0) {
      this.#each(`signature ${signature}`, ({ close, commitment, sink }) => {
        if (!commitments.includes(commitment)) return
        close()
        sink(signatureResult(record.slot, err), true)
      })
    }
    if (this.#counts.logs === 0) return
    const { logs } = record.outcome
    const notification = { context: { slot: record.slot }, value: { signature, err, logs } }
    for (const key of ["logs", ...new Set(addresses.map((address) => `logs ${address}`))]) {
      this.#each(key, ({ commitment, sink }) => {
        if (commitments.includes(commitment)) sink(notification, false)
      })
    }
  }

  accountReached(commitments: ReadonlyArray<Commitment>, address: Address, slot: number): void {
    if (this.#counts.account === 0 && this.#counts.program === 0) return
    const lookup = (other: Address) => this.#account(other, slot)
    if (!this.#topics.has(`account ${address}`) && this.#counts.program === 0) return
    const account = lookup(address)
    const views = new Views((view) => AccountView.view(address, account ?? CLOSED, view, lookup))
    this.#each(`account ${address}`, ({ commitment, topic, sink }) => {
      if (topic.kind === "account" && commitments.includes(commitment)) notify(sink, slot, views.of(topic.view))
    })
    if (account === undefined || this.#counts.program === 0) return
    const keyed = new Views((view) => AccountView.viewKeyed(address, account, view, lookup))
    this.#each(`program ${account.owner}`, ({ commitment, topic, sink }) => {
      if (topic.kind !== "program" || !commitments.includes(commitment) || !topic.accepts(account)) return
      notify(sink, slot, keyed.of(topic.view))
    })
  }

  /** Calls `notify` with each present subscription, except those that end in between. */
  #each(key: string, notify: (subscription: Subscription) => void): void {
    const subscriptions = this.#topics.get(key)
    if (subscriptions === undefined) return
    for (const subscription of Array.from(subscriptions)) if (subscriptions.has(subscription)) notify(subscription)
  }
}

/** The sink, whose throw ends its subscription: the chain is in the middle of its work, and others wait for the event. */
const orEnd =
  (sink: Sink, close: () => void): Sink =>
  (result, last) => {
    try {
      sink(result, last)
    } catch {
      close()
    }
  }

/**
 * Maximum views that are kept while one account is notified. A view may have megabytes, and each subscriber may need
 * another.
 */
const MAX_VIEWS = 16

/** The views of one account for many subscribers: equal ones are made once. */
class Views {
  readonly #made = new Map<string, Read<unknown>>()
  readonly #make: (view: AccountView.AccountViewOptions) => Read<unknown>

  constructor(make: (view: AccountView.AccountViewOptions) => Read<unknown>) {
    this.#make = make
  }

  of(view: AccountView.AccountViewOptions): Read<unknown> {
    const { dataSlice, encoding } = view
    const key = `${encoding ?? ""} ${dataSlice?.offset ?? ""} ${dataSlice?.length ?? ""}`
    const known = this.#made.get(key)
    if (known !== undefined) return known
    const made = this.#make(view)
    if (this.#made.size < MAX_VIEWS) this.#made.set(key, made)
    return made
  }
}

/** The result of a signature subscription. */
export const signatureResult = (slot: number, err: unknown): unknown => ({ context: { slot }, value: { err } })

/** Notifies the sink. It skips a view that cannot be made (base58 of a long account), as a node does. */
const notify = (sink: Sink, slot: number, value: Read<unknown>): void => {
  if (Either.isRight(value)) sink({ context: { slot }, value: value.right }, false)
}

const keyOf = (topic: Topic): string => {
  switch (topic.kind) {
    case "account":
      return `account ${topic.address}`
    case "program":
      return `program ${topic.program}`
    case "logs":
      return topic.mentions === undefined ? "logs" : `logs ${topic.mentions}`
    case "signature":
      return `signature ${topic.signature}`
    case "slot":
    case "root":
    case "slotsUpdates":
      return topic.kind
  }
}
