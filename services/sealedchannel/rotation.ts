/** The next epoch of a channel: its participants, and the wrapped key of each. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as AccountType from "../../src/protocol/AccountType.js"
import * as SealedBroadcast from "../../src/protocol/SealedBroadcast.js"
import * as Curve from "../../src/solana/Curve.js"
import * as Random from "../internal/random.js"
import type { Accounts } from "../program/accounts.js"
import * as Keys from "../program/sealingKeys.js"
import type { RpcError } from "../RpcTransport.js"
import type { Service as Sealing } from "../Sealing.js"
import type { Owned } from "./epochs.js"

const AT_A_TIME = 16

/** A participant, and its wallet if that can be read. */
export interface Member {
  readonly agent: Address
  readonly wallet: Address | undefined
}

/** The wallets of agents. The wallet is `undefined` if the agent cannot be decoded or the endpoint hides it. */
export const members = (
  accounts: Accounts,
  agents: ReadonlyArray<Address>
): Effect.Effect<ReadonlyArray<Member>, InvalidInput | RpcError> =>
  Effect.forEach(
    agents,
    (agent) =>
      accounts.fetch(AccountType.agent, agent).pipe(
        Effect.map(({ account }): Member => ({ agent, wallet: account.wallet })),
        Effect.catchTags({
          AccountNotFound: () => Effect.succeed<Member>({ agent, wallet: undefined }),
          AccountDecodeError: () => Effect.succeed<Member>({ agent, wallet: undefined })
        })
      ),
    { concurrency: AT_A_TIME }
  )

/** Whether the holders of the epoch's key are exactly the participants that can hold a key. */
export const fits = (holders: ReadonlyArray<Address>, members: ReadonlyArray<Member>): boolean => {
  const held = new Set(holders)
  const present = new Set(members.map(({ wallet }) => wallet))
  return (
    holders.every((wallet) => present.has(wallet)) &&
    members.every(({ wallet }) => wallet === undefined || held.has(wallet) || Curve.toX25519(wallet) === undefined)
  )
}

/** The key of a participant: a published one, else its wallet's. A failed look-up does not stop the rotation. */
const keyOf = (wallet: Address) =>
  Effect.orElse(Keys.of(wallet, undefined), () => Effect.orDie(Keys.of(wallet, "wallet")))

export interface Made {
  readonly key: Redacted.Redacted<Uint8Array>
  readonly wraps: SealedBroadcast.Package
}

/** A new key, wrapped to each member that can hold a key. */
export const wrap = (
  sealing: Sealing,
  { channel, creator }: Owned,
  programId: Address,
  epoch: number,
  members: ReadonlyArray<Member>
): Effect.Effect<Made> =>
  Effect.gen(function* () {
    const secret = Random.unsafeBytes(SealedBroadcast.KEY_SIZE)
    const wraps = yield* Effect.forEach(
      members,
      ({ wallet: participant }) => {
        if (participant === undefined) return Effect.succeedNone
        const info = SealedBroadcast.wrapInfo({ programId, channel, epoch, creator, participant })
        return Effect.flatMap(keyOf(participant), ({ key, keyKind }) =>
          Effect.map(sealing.seal(key, info, secret), (sealed): SealedBroadcast.Wrap => ({
            ...sealed,
            participant,
            keyKind
          }))
        ).pipe(Effect.option)
      },
      { concurrency: AT_A_TIME }
    )
    return { key: Redacted.make(secret), wraps: { epoch, wraps: wraps.flatMap(Option.toArray) } }
  })
