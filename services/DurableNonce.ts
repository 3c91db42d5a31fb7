/**
 * Durable nonces: accounts whose nonce replaces a recent blockhash, so that a transaction stays valid for longer.
 *
 * A blockhash expires after about a minute. A transaction signed with a durable nonce can land days later, until the nonce
 * advances: see the option `durableNonce` of `Transactions`.
 *
 * @since 0.1.0
 */
import type { Address, Instruction } from "@solana/kit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Addresses from "../src/solana/Address.js"
import * as Lamports from "../src/solana/Lamports.js"
import * as NonceAccount from "../src/solana/NonceAccount.js"
import * as Rent from "../src/solana/Rent.js"
import * as Receipts from "./internal/receipts.js"
import * as TestLayer from "./internal/testLayer.js"
import { traced } from "./internal/traced.js"
import * as Given from "./program/givenAddresses.js"
import * as Prepare from "./program/prepare.js"
import type { AccountReceipt } from "./ProgramAccount.js"
import { RpcPool } from "./RpcPool.js"
import { RpcError } from "./RpcTransport.js"
import { type Receipt, type SendError, type SendOptions, Transactions } from "./Transactions.js"
import { generate, type Service as WalletService, Wallet } from "./Wallet.js"

/**
 * Options of `create`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateOptions extends SendOptions {
  /**
   * The key of the new account; it signs only the creation. Default: a new key per call, so two calls make two accounts.
   * With your own key and `resend: true`, a second call returns the first receipt.
   */
  readonly account?: WalletService | undefined
  /** The authority: it may advance the nonce, withdraw and name another authority. Default: the `Wallet`. */
  readonly authority?: Address | undefined
  /**
   * Lamports of the new account. Default: the cluster's rent-exempt minimum for 80 bytes, about 0.0015 SOL. Too low: the
   * cluster refuses it. Too high: the lamports are locked until `close`, which returns all of them. If an endpoint reports a minimum above 2,895,360, `create` does not trust it
   * and fails with an `RpcError` of reason `Decode`. On a cluster with such rent, set this option.
   */
  readonly lamports?: bigint | undefined
}

/**
 * Options of the writes to a nonce account.
 *
 * @since 0.1.0
 * @category models
 */
export interface WriteOptions extends SendOptions {
  /** The account's authority, which signs. Default: the `Wallet`. */
  readonly authority?: WalletService | undefined
}

/**
 * Options of `withdraw` and `close`.
 *
 * @since 0.1.0
 * @category models
 */
export interface WithdrawOptions extends WriteOptions {
  /** The address that receives the lamports. Default: the `Wallet`. */
  readonly to?: Address | undefined
}

/**
 * The operations on durable nonces. Each write accepts the options of its transaction.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Creates a nonce account. The receipt has its address; the authority and that address suffice to use it. */
  readonly create: (options?: CreateOptions) => Effect.Effect<AccountReceipt, SendError, Wallet>
  /** Reads and decodes the account; `None` if it does not exist. */
  readonly get: (
    account: Address
  ) => Effect.Effect<Option.Option<NonceAccount.NonceAccount>, InvalidInput | NonceAccount.NonceAccountError | RpcError>
  /** Replaces the nonce. A transaction that was signed with the old nonce and has not landed is then `Expired`. */
  readonly advance: (account: Address, options?: WriteOptions) => Effect.Effect<Receipt, SendError, Wallet>
  /** Withdraws lamports. The cluster refuses a partial withdrawal that leaves less than the rent exemption. */
  readonly withdraw: (
    account: Address,
    lamports: bigint,
    options?: WithdrawOptions
  ) => Effect.Effect<Receipt, SendError, Wallet>
  /**
   * Withdraws all lamports and so deletes the account. Transactions signed with its nonce can no longer land.
   * `InvalidInput` if the account holds no lamports.
   */
  readonly close: (account: Address, options?: WithdrawOptions) => Effect.Effect<Receipt, SendError, Wallet>
  /** Changes the authority and keeps the nonce. Transactions of the old authority can land only if it is restored. */
  readonly authorize: (
    account: Address,
    newAuthority: Address,
    options?: WriteOptions
  ) => Effect.Effect<Receipt, SendError, Wallet>
}

/**
 * Creates, reads, advances and closes nonce accounts, withdraws from them and changes their authority.
 *
 * @example
 * ```ts
 * import { DurableNonce, Transactions } from "@pod-protocol/effect"
 * import type { Instruction } from "@solana/kit"
 * import * as Effect from "effect/Effect"
 *
 * export const signForLater = Effect.fnUntraced(function* (instruction: Instruction) {
 *   const nonces = yield* DurableNonce.DurableNonce
 *   const transactions = yield* Transactions.Transactions
 *   const { address } = yield* nonces.create()
 *   return yield* transactions.sign([instruction], { durableNonce: { account: address } })
 * })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class DurableNonce extends Context.Tag("@pod-protocol/effect/DurableNonce")<DurableNonce, Service>() {}

/** Adds the authority to the signers, unless it is the wallet or a signer already. */
const signersOf = (wallet: WalletService, { authority, feePayer, signers = [] }: WriteOptions) =>
  authority === undefined || [wallet, feePayer, ...signers].some((signer) => signer?.address === authority.address)
    ? signers
    : [...signers, authority]

const RENT = Rent.minimum(NonceAccount.SIZE)

const MAX_RENT = 2n * RENT

const excessiveRent = (lamports: bigint): RpcError =>
  new RpcError({
    reason: "Decode",
    method: "getMinimumBalanceForRentExemption",
    detail: `the endpoint asks for ${lamports} lamports for a nonce account, whose rent is ${RENT}: set lamports to pay more, or use another endpoint`
  })

/**
 * Builds the service from the `RpcPool` and the `Transactions` in context.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service, never, RpcPool | Transactions> = Effect.gen(function* () {
  const pool = yield* RpcPool
  const transactions = yield* Transactions
  const prepare = Prepare.make(transactions)

  /** The rent of the account, within a bound: an endpoint alone does not decide the amount. */
  const rent = pool.getMinimumBalanceForRentExemption(NonceAccount.SIZE).pipe(
    Effect.catchTag("InvalidInput", Effect.die),
    Effect.filterOrFail((lamports) => lamports <= MAX_RENT, excessiveRent)
  )

  /** Sends one instruction, which the authority signs. */
  const write = (
    { authority, ...options }: WriteOptions = {},
    given: Given.Given,
    instruction: (authority: Address, wallet: Address) => Either.Either<Instruction, InvalidInput>
  ) =>
    Effect.gen(function* () {
      yield* Given.check(given)
      const wallet = yield* Wallet
      const signers = signersOf(wallet, { ...options, authority })
      const made = yield* instruction((authority ?? wallet).address, wallet.address)
      return yield* transactions.send([made], { ...options, signers })
    })

  const withdraw = (account: Address, amount: bigint, { to, ...options }: WithdrawOptions = {}) =>
    write(options, { account, to }, (authority, wallet) =>
      Either.map(Lamports.make(amount), (lamports) =>
        NonceAccount.withdraw({ account, authority, to: to ?? wallet, lamports })
      )
    )

  return DurableNonce.of({
    create: ({ account, authority, lamports, ...options } = {}) =>
      Effect.gen(function* () {
        yield* Given.check({ authority })
        const given = lamports === undefined ? undefined : yield* Lamports.make(lamports)
        const wallet = yield* Wallet
        const funded = Effect.all({
          key: account === undefined ? generate : Effect.succeed(account),
          lamports: given === undefined ? rent : Effect.succeed(given)
        })
        return yield* prepare(options, "the rent of its account was read", funded, ({ key, lamports }, timeout) => {
          const instructions = NonceAccount.create({
            payer: wallet.address,
            account: key.address,
            authority: authority ?? wallet.address,
            lamports
          })
          const signers = [key, ...(options.signers ?? [])]
          return Effect.map(
            transactions.send(instructions, { ...options, signers, creates: key.address, timeout }),
            ({ fee, signature, slot }): AccountReceipt => new Receipts.AccountReceipt(signature, slot, fee, key.address)
          )
        })
      }).pipe(traced("DurableNonce.create")),

    get: (account) =>
      Given.effect({ account }, () => pool.getAccountInfo(account)).pipe(
        Effect.flatMap(({ value }) =>
          Option.match(value, {
            onNone: () => Either.right(Option.none()),
            onSome: ({ data, owner }) =>
              owner === Addresses.SYSTEM_PROGRAM
                ? Either.map(NonceAccount.decode(data), Option.some)
                : Either.left(new NonceAccount.NonceAccountError({ reason: "Owner", detail: `it belongs to ${owner}` }))
          })
        ),
        traced("DurableNonce.get", { "solana.account": account })
      ),

    advance: (account, options) =>
      write(options, { account }, (authority) => Either.right(NonceAccount.advance({ account, authority }))).pipe(
        traced("DurableNonce.advance", { "solana.account": account })
      ),

    withdraw: (account, lamports, options) =>
      withdraw(account, lamports, options).pipe(traced("DurableNonce.withdraw", { "solana.account": account })),

    close: (account, options = {}) =>
      Given.effect({ account, to: options.to }, () =>
        prepare(options, "the balance of its account was read", pool.getBalance(account), ({ value }, timeout) =>
          value === 0n
            ? Effect.fail(new InvalidInput({ field: "account", rule: "must hold lamports; there is nothing to close" }))
            : withdraw(account, value, { ...options, timeout })
        )
      ).pipe(traced("DurableNonce.close", { "solana.account": account })),

    authorize: (account, newAuthority, options) =>
      write(options, { account, newAuthority }, (authority) =>
        Either.right(NonceAccount.authorize({ account, authority, newAuthority }))
      ).pipe(traced("DurableNonce.authorize", { "solana.account": account }))
  })
})

/**
 * {@link make} as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<DurableNonce, never, RpcPool | Transactions> = Layer.effect(DurableNonce, make)

/**
 * A test layer from stubs: a call to a missing method dies with the method's name.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerTest = (stubs: Partial<Service>): Layer.Layer<DurableNonce> => TestLayer.layer(DurableNonce, stubs)
