/** Methods that read accounts. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { MAX_ACCOUNT_BYTES, MAX_MULTIPLE_ACCOUNTS } from "../../../../src/solana/Limits.js"
import type { Chain } from "../../chain/Chain.js"
import type { Bank } from "../../chain/ChainState.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import * as AccountView from "../AccountView.js"
import * as Filters from "../Filters.js"
import * as JsonInteger from "../JsonInteger.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { contextual, type Method, method } from "../Node.js"
import * as Params from "../Params.js"

/** Reads accounts as of the bank. */
const lookupAt =
  (chain: Chain, { slot }: Bank): AccountView.Lookup =>
  (address) =>
    chain.account(address, slot)

/** Reads each account once: a client may name a large one a hundred times. */
const once = (lookup: AccountView.Lookup): AccountView.Lookup => {
  const read = new Map<Address, StoredAccount | undefined>()
  return (address) => {
    if (!read.has(address)) read.set(address, lookup(address))
    return read.get(address)
  }
}

const getBalance = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(Params.BankConfig)), 1, 2),
  ({ chain }, [text, config]) =>
    Either.gen(function* () {
      const address = yield* Params.address(text)
      const bank = yield* Params.bank(chain, config)
      return contextual(bank, JsonInteger.fromBigInt(chain.balance(address, bank.slot)))
    })
)

const getAccountInfo = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(Params.AccountConfig)), 1, 2),
  ({ chain }, [text, config]) =>
    Either.gen(function* () {
      const address = yield* Params.address(text)
      const bank = yield* Params.bank(chain, config)
      const lookup = lookupAt(chain, bank)
      return contextual(bank, yield* AccountView.viewMaybe(address, lookup(address), config ?? {}, lookup))
    })
)

const getMultipleAccounts = method(
  Params.decode(Schema.Tuple(Schema.Array(Schema.String), Params.optional(Params.AccountConfig)), 1, 2),
  ({ chain }, [texts, config]) =>
    Either.gen(function* () {
      if (texts.length > MAX_MULTIPLE_ACCOUNTS) {
        return yield* Either.left(JsonRpcError.params(`Too many inputs provided; max ${MAX_MULTIPLE_ACCOUNTS}`))
      }
      const addresses = yield* Either.all(texts.map(Params.address))
      const bank = yield* Params.bank(chain, config)
      const options = { ...config, encoding: config?.encoding ?? ("base64" as const) }
      const lookup = once(lookupAt(chain, bank))
      const found = addresses.map(lookup)
      yield* AccountView.checkSize(found, options)
      const views = addresses.map((address, index) => AccountView.viewMaybe(address, found[index], options, lookup))
      return contextual(bank, yield* Either.all(views))
    })
)

const ProgramAccountsConfig = Schema.Struct({
  ...Params.accountFields,
  filters: Params.maybe(Schema.Array(Filters.Filter)),
  withContext: Params.maybe(Schema.Boolean)
})

const getProgramAccounts = method(
  Params.decode(Schema.Tuple(Schema.String, Params.optional(ProgramAccountsConfig)), 1, 2),
  ({ chain }, [text, config]) =>
    Either.gen(function* () {
      const program = yield* Params.address(text)
      const accepts = yield* Filters.compile(config?.filters)
      const bank = yield* Params.bank(chain, config)
      const lookup = lookupAt(chain, bank)
      const options = config ?? {}
      const found = chain.ownedBy(program, bank.slot).filter(({ account }) => accepts(account))
      yield* AccountView.checkSize(
        found.map(({ account }) => account),
        options
      )
      const views = found.map(({ address, account }) => AccountView.viewKeyed(address, account, options, lookup))
      const accounts = yield* Either.all(views)
      return config?.withContext === true ? contextual(bank, accounts) : accounts
    })
)

const getMinimumBalanceForRentExemption = method(
  Params.decode(Schema.Tuple(Params.U64, Params.optional(Params.BankConfig)), 1, 2),
  ({ chain }, [space]) =>
    space > MAX_ACCOUNT_BYTES
      ? Either.left(JsonRpcError.params(`Invalid params: no account is larger than ${MAX_ACCOUNT_BYTES} bytes`))
      : Either.right(JsonInteger.fromBigInt(chain.minimumBalance(Number(space))))
)

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  getBalance,
  getAccountInfo,
  getMultipleAccounts,
  getProgramAccounts,
  getMinimumBalanceForRentExemption
}
