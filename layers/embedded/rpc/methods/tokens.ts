/** Methods about tokens. */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { Chain } from "../../chain/Chain.js"
import type { Bank } from "../../chain/ChainState.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import * as Tokens from "../../chain/TokenAccounts.js"
import * as AccountView from "../AccountView.js"
import * as JsonRpcError from "../JsonRpcError.js"
import { contextual, type Method, method } from "../Node.js"
import * as Params from "../Params.js"
import * as UiAmount from "../parsed/UiAmount.js"

const MAX_LARGEST = 20

const CommitmentConfig = Schema.Struct({ commitment: Params.maybe(Params.Commitment) })

const oneAddress = Params.decode(Schema.Tuple(Schema.String, Params.optional(CommitmentConfig)), 1, 2)

const refuse = (reason: string) => Either.left(JsonRpcError.params(`Invalid param: ${reason}`))

/** The mint at the address; `missing` is the error if the account does not exist. */
const mintAt = (chain: Chain, bank: Bank, address: Address, missing: string): Params.Read<Tokens.Mint & Owned> => {
  const account = chain.account(address, bank.slot)
  if (account === undefined) return refuse(missing)
  if (!Tokens.isTokenProgram(account.owner)) return refuse("not a Token mint")
  const mint = Tokens.mint(account)
  const show = UiAmount.of(account, (other) => chain.account(other, bank.slot))
  return mint === undefined || show === undefined
    ? refuse("mint could not be unpacked")
    : Either.right({ ...mint, program: account.owner, show })
}

interface Owned {
  /** The token program that owns the mint. */
  readonly program: Address
  readonly show: UiAmount.Show
}

const getTokenAccountBalance = method(oneAddress, ({ chain }, [text, config]) =>
  Either.gen(function* () {
    const address = yield* Params.address(text)
    const bank = yield* Params.bank(chain, config)
    const account = chain.account(address, bank.slot)
    if (account === undefined) return yield* refuse("could not find account")
    const token = Tokens.account(account)
    if (token === undefined) return yield* refuse("not a Token account")
    const { show } = yield* mintAt(chain, bank, token.mint, "could not find mint")
    return contextual(bank, show(token.amount))
  })
)

const getTokenSupply = method(oneAddress, ({ chain }, [text, config]) =>
  Either.gen(function* () {
    const address = yield* Params.address(text)
    const bank = yield* Params.bank(chain, config)
    const { show, supply } = yield* mintAt(chain, bank, address, "could not find account")
    return contextual(bank, show(supply))
  })
)

interface Holding {
  readonly address: Address
  readonly account: StoredAccount
  readonly token: Tokens.TokenAccount
}

const holdings = (
  chain: Chain,
  bank: Bank,
  program: Address,
  accepts: (token: Tokens.TokenAccount) => boolean
): ReadonlyArray<Holding> =>
  chain.ownedBy(program, bank.slot).flatMap(({ address, account }) => {
    const token = Tokens.account(account)
    return token !== undefined && accepts(token) ? [{ address, account, token }] : []
  })

const byAmount = ({ token: left }: Holding, { token: right }: Holding): number =>
  left.amount === right.amount ? 0 : left.amount < right.amount ? 1 : -1

const getTokenLargestAccounts = method(oneAddress, ({ chain }, [text, config]) =>
  Either.gen(function* () {
    const mint = yield* Params.address(text)
    const bank = yield* Params.bank(chain, config)
    const { program, show } = yield* mintAt(chain, bank, mint, "could not find mint")
    const largest = holdings(chain, bank, program, (token) => token.mint === mint)
      .toSorted(byAmount)
      .slice(0, MAX_LARGEST)
    return contextual(
      bank,
      largest.map(({ address, token }) => ({ address, ...show(token.amount) }))
    )
  })
)

const accountsParams = Params.decode(
  Schema.Tuple(
    Schema.String,
    Schema.Union(Schema.Struct({ mint: Schema.String }), Schema.Struct({ programId: Schema.String })),
    Params.optional(Params.AccountConfig)
  ),
  2,
  3
)

/** The token accounts with the address in this field, of one mint or of one token program. */
const accountsBy = (field: "owner" | "delegate"): Method =>
  method(accountsParams, ({ chain }, [text, filter, config]) =>
    Either.gen(function* () {
      const wanted = yield* Params.address(text)
      const mint = "mint" in filter ? yield* Params.address(filter.mint) : undefined
      const named = "programId" in filter ? yield* Params.address(filter.programId) : undefined
      if (named !== undefined && !Tokens.isTokenProgram(named)) return yield* refuse("unrecognized Token program id")
      const bank = yield* Params.bank(chain, config)
      const minted = mint === undefined ? undefined : yield* mintAt(chain, bank, mint, "could not find mint")
      const program = minted?.program ?? named ?? Tokens.TOKEN_PROGRAM
      const lookup = (address: Address) => chain.account(address, bank.slot)
      const found = holdings(
        chain,
        bank,
        program,
        (token) => token[field] === wanted && (mint === undefined || token.mint === mint)
      )
      const options = config ?? {}
      yield* AccountView.checkSize(
        found.map(({ account }) => account),
        options
      )
      const views = found.map(({ address, account }) => AccountView.viewKeyed(address, account, options, lookup))
      return contextual(bank, yield* Either.all(views))
    })
  )

/** The methods by name. */
export const methods: Readonly<Record<string, Method>> = {
  getTokenAccountBalance,
  getTokenSupply,
  getTokenLargestAccounts,
  getTokenAccountsByOwner: accountsBy("owner"),
  getTokenAccountsByDelegate: accountsBy("delegate")
}
