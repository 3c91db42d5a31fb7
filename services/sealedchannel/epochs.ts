/**
 * The epochs of sealed channels: finds the latest, reads the holders of its key, and opens the key.
 *
 * - Epochs are numbered from 1 without gaps, and the announcement of each has an address that only the creator's wallet
 *   can create. So a search over addresses finds the latest epoch without reading broadcasts of other participants.
 * - A package counts only if it has the hash of its announcement. A wrap is bound to channel, epoch, creator and
 *   wallet.
 * - Packages and keys never change, so bounded caches keep them.
 */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { BoundedCache } from "../../src/internal/BoundedCache.js"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import * as Pda from "../../src/protocol/Pda.js"
import * as SealedBroadcast from "../../src/protocol/SealedBroadcast.js"
import type { PayloadStoreError, Service as PayloadStore } from "../PayloadStore.js"
import type { Accounts } from "../program/accounts.js"
import * as Keys from "../program/sealingKeys.js"
import type { ReadError } from "../ProgramAccount.js"
import type { RpcError } from "../RpcTransport.js"
import type { SealedError } from "../Sealing.js"
import type { Service as Wallet } from "../Wallet.js"
import { SealedChannelError } from "./SealedChannelError.js"

/** Packages in one generation of the cache: each has up to 113 KB. */
const KEPT_PACKAGES = 16
const KEPT_KEYS = 512
const KEPT_CHANNELS = 1024

/** A channel, and the wallet of its creator. */
export interface Owned {
  readonly channel: Address
  readonly creator: Address
}

export type KeyError = PayloadStoreError | ReadError | SealedChannelError | SealedError

export interface Epochs {
  readonly owned: (channel: Address) => Effect.Effect<Owned, ReadError>
  /** The number of the latest epoch; 0 if there is none. */
  readonly latest: (owned: Owned) => Effect.Effect<number, InvalidInput | RpcError>
  readonly wraps: (
    owned: Owned,
    epoch: number
  ) => Effect.Effect<SealedBroadcast.Package, PayloadStoreError | ReadError | SealedChannelError>
  /** The key of an epoch, opened by the wallet. */
  readonly key: (owned: Owned, epoch: number, wallet: Wallet) => Effect.Effect<Redacted.Redacted<Uint8Array>, KeyError>
  /** Caches a new epoch, so that it need not be read. */
  readonly remember: (
    owned: Owned,
    wraps: SealedBroadcast.Package,
    key: Redacted.Redacted<Uint8Array>
  ) => Effect.Effect<void>
}

const nameOf = ({ channel }: Owned, epoch: number): string => `${channel} ${epoch}`

const keyName = (owned: Owned, epoch: number, wallet: Address): string => `${nameOf(owned, epoch)} ${wallet}`

export const make = (accounts: Accounts, payloads: PayloadStore): Epochs => {
  const { programId } = accounts
  const creators = new BoundedCache<Address, Address>(KEPT_CHANNELS)
  const latests = new BoundedCache<Address, number>(KEPT_CHANNELS)
  const packages = new BoundedCache<string, SealedBroadcast.Package>(KEPT_PACKAGES)
  const keys = new BoundedCache<string, Redacted.Redacted<Uint8Array>>(KEPT_KEYS)

  const announcementAt = ({ channel, creator }: Owned, epoch: number) =>
    SealedBroadcast.announcementAddress(channel, creator, epoch, programId)

  const exists = (owned: Owned, epoch: number): Effect.Effect<boolean, InvalidInput | RpcError> =>
    epoch > SealedBroadcast.MAX_EPOCH
      ? Effect.succeed(false)
      : Effect.flatMap(announcementAt(owned, epoch), (address) =>
          accounts.fresh.exists(AccountType.channelMessage, address)
        )

  const announced = (owned: Owned, epoch: number) =>
    Effect.gen(function* () {
      const malformed = new SealedChannelError({ reason: "Malformed", channel: owned.channel, epoch })
      const { account } = yield* accounts.fresh
        .fetch(AccountType.channelMessage, yield* announcementAt(owned, epoch))
        .pipe(
          Effect.tapErrorTag("AccountNotFound", () => {
            // An endpoint reported the epoch falsely: the search begins again.
            if (latests.get(owned.channel) === epoch) latests.set(owned.channel, 0)
            return Effect.void
          })
        )
      const content = SealedBroadcast.decode(account.content)
      const isOwn = account.channel === owned.channel && account.sender === Pda.agent(owned.creator, programId).address
      return isOwn && content._tag === "Announcement" ? content.hash : yield* malformed
    })

  const wraps: Epochs["wraps"] = (owned, epoch) =>
    Effect.gen(function* () {
      const name = nameOf(owned, epoch)
      const known = packages.get(name)
      if (known !== undefined) return known
      const bytes = yield* payloads.get(yield* announced(owned, epoch))
      const read = SealedBroadcast.decodePackage(bytes, epoch)
      if (read === undefined) {
        return yield* new SealedChannelError({ reason: "Malformed", channel: owned.channel, epoch })
      }
      packages.set(name, read)
      return read
    })

  return {
    wraps,
    owned: (channel) =>
      Effect.gen(function* () {
        const known = creators.get(channel)
        if (known !== undefined) return { channel, creator: known }
        const { creator } = (yield* accounts.fetch(AccountType.channel, channel)).account
        creators.set(channel, creator)
        return { channel, creator }
      }),
    latest: (owned) =>
      Effect.gen(function* () {
        let low = latests.get(owned.channel) ?? 0
        let step = 1
        for (; yield* exists(owned, low + step); step *= 2) low += step
        for (let high = low + step; high - low > 1;) {
          const middle = Math.floor((low + high) / 2)
          if (yield* exists(owned, middle)) low = middle
          else high = middle
        }
        latests.set(owned.channel, low)
        return low
      }),
    key: (owned, epoch, wallet) =>
      Effect.gen(function* () {
        const { channel, creator } = owned
        const name = keyName(owned, epoch, wallet.address)
        const known = keys.get(name)
        if (known !== undefined) return known
        const wrap = (yield* wraps(owned, epoch)).wraps.find(({ participant }) => participant === wallet.address)
        if (wrap === undefined) return yield* new SealedChannelError({ reason: "NotHolder", channel, epoch })
        const binding = { programId, channel, epoch, creator, participant: wallet.address }
        const key = Redacted.make(yield* Keys.open(wallet, wrap, SealedBroadcast.wrapInfo(binding)))
        keys.set(name, key)
        return key
      }),
    remember: (owned, made, key) =>
      Effect.sync(() => {
        packages.set(nameOf(owned, made.epoch), made)
        keys.set(keyName(owned, made.epoch, owned.creator), key)
        latests.set(owned.channel, Math.max(made.epoch, latests.get(owned.channel) ?? 0))
      })
  }
}
