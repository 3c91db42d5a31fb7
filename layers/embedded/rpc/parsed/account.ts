/** `jsonParsed` accounts: the layouts that a node supports, by the account's owner. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../../src/solana/Address.js"
import * as Layout from "../../chain/Layout.js"
import { LOOKUP_TABLE_PROGRAM } from "../../chain/LoadedTransaction.js"
import * as Loaders from "../../chain/Loaders.js"
import type { StoredAccount } from "../../chain/StoredAccount.js"
import * as Sysvars from "../../chain/Sysvars.js"
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "../../chain/TokenAccounts.js"
import type { Parsed } from "./Parsed.js"
import * as Stake from "./stake.js"
import * as System from "./system.js"
import * as Sysvar from "./sysvar.js"
import * as Token from "./token.js"
import * as Vote from "./vote.js"

type Lookup = (address: Address) => StoredAccount | undefined

interface Parser {
  readonly program: string
  readonly parse: (account: StoredAccount, lookup: Lookup, address: Address) => Parsed | undefined
}

const PARSERS: ReadonlyMap<Address, Parser> = new Map<Address, Parser>([
  [Addresses.SYSTEM_PROGRAM, { program: "nonce", parse: System.nonce }],
  [Sysvars.OWNER, { program: "sysvar", parse: Sysvar.parse }],
  [LOOKUP_TABLE_PROGRAM, { program: "address-lookup-table", parse: System.lookupTable }],
  [Loaders.UPGRADEABLE_LOADER, { program: "bpf-upgradeable-loader", parse: System.upgradeable }],
  [TOKEN_PROGRAM, { program: "spl-token", parse: Token.parse }],
  [TOKEN_2022_PROGRAM, { program: "spl-token-2022", parse: Token.parse }],
  [Stake.STAKE_PROGRAM, { program: "stake", parse: Stake.stake }],
  [Stake.CONFIG_PROGRAM, { program: "config", parse: Stake.config }],
  [Vote.VOTE_PROGRAM, { program: "vote", parse: Vote.vote }]
])

/** The account's state as a node shows it; undefined if no parser knows the owner or the data. */
export const parse = (address: Address, account: StoredAccount, lookup: Lookup): unknown => {
  const parser = PARSERS.get(account.owner)
  if (parser === undefined) return undefined
  const parsed = Layout.attempt(() => parser.parse(account, lookup, address))
  return parsed && { program: parser.program, parsed, space: account.data.length }
}
