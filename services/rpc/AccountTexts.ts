/**
 * Reads a list of accounts from its JSON text, without a parsed object for each account.
 *
 * In the text of similar accounts, only the data and the address differ. The text between them is parsed once, and then
 * compared with that of each further account.
 *
 * Invariant: a list is read only if it has the exact form that Agave writes, and then with the result of the parser. Any
 * other text gives `undefined`, and the caller parses it.
 */
import type { Address } from "@solana/kit"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Base64 from "../../src/internal/base64.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Json from "../../src/solana/Json.js"
import { AccountInfo } from "./AccountInfo.js"
import type * as Decode from "./Decode.js"
import type * as Reply from "./Reply.js"

/** The texts around the data of an account, and around the address of one that has its own. */
interface Form {
  readonly head: string
  /** The text from the end of the data to the address or the end. Its values are single words, so no second `data` is among them. */
  readonly middle: RegExp
  /** The text behind the address. */
  readonly tail: string
}

/** `{account, pubkey}`, as in `getProgramAccounts`. */
const KEYED: Form = {
  head: '{"account":{"data":["',
  middle: /^","base64"\](?:,"\w+":(?:"\w*"|\w+))+\},"pubkey":"/,
  tail: '"}'
}

/** The account alone, as in `getMultipleAccounts`. */
const BARE: Form = { head: '{"data":["', middle: /^","base64"\](?:,"\w+":(?:"\w*"|\w+))+\}/, tail: "" }

/** Maximum number of different texts between data and address; with more, the parser is faster. */
const MAX_CHANGES = 8

/** Maximum characters of such a text. Agave writes about 180. */
const MAX_MIDDLE = 1024

/** A text between data and address, and an account with it. */
interface Middle {
  readonly text: string
  readonly account: Reply.AccountInfo
}

/** Reads the text behind the data, which it parses only if it differs from the earlier ones. */
class Middles {
  readonly #known: Array<Middle> = []

  constructor(
    readonly form: Form,
    readonly decode: Decode.Decoder<Reply.AccountInfo>
  ) {}

  at(text: string, index: number): Middle | undefined {
    for (const middle of this.#known) if (text.startsWith(middle.text, index)) return middle
    const middle = this.#known.length < MAX_CHANGES ? this.#parse(text, index) : undefined
    if (middle !== undefined) this.#known.push(middle)
    return middle
  }

  #parse(text: string, index: number): Middle | undefined {
    const { head, middle, tail } = this.form
    // The expression keeps a state for each member, and millions of them overflow its stack.
    const found = middle.exec(text.slice(index, index + MAX_MIDDLE))?.[0]
    if (found === undefined) return undefined
    const address = tail === "" ? "" : Addresses.SYSTEM_PROGRAM
    const account = Either.getOrUndefined(Either.flatMap(Json.parse(`${head}${found}${address}${tail}`), this.decode))
    return account === undefined ? undefined : { text: found, account }
  }
}

/** Copies of the parts. A substring would keep the whole text in memory. */
const addressesOf = (parts: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const copies = Either.getOrUndefined(Json.parseRounded(`["${parts.join('","')}"]`))
  return Array.isArray(copies) ? copies : []
}

/** The account with another address and other data. */
export const withData = (kind: Reply.AccountInfo, address: Address, data: Uint8Array): Reply.AccountInfo =>
  new AccountInfo(address, data, kind.lamports, kind.owner, kind.executable, kind.space)

/**
 * Reads `{account, pubkey}, …`. The result equals that of `decode` for the parsed list; `undefined` for any other form.
 */
export const keyed = (
  text: string,
  decode: Decode.Decoder<Reply.AccountInfo>
): ReadonlyArray<Reply.AccountInfo> | undefined => {
  const { head, tail } = KEYED
  const next = `${tail},${head}`
  if (!text.startsWith(head)) return undefined
  const bytesOf = Base64.codec.decodeParts(text)
  const middles = new Middles(KEYED, decode)
  const datas: Array<Uint8Array> = []
  const kinds: Array<Reply.AccountInfo> = []
  const parts: Array<string> = []
  let at = head.length
  while (at > 0) {
    const quote = text.indexOf('"', at)
    const middle = middles.at(text, quote)
    const data = bytesOf(text.slice(at, quote))
    if (middle === undefined || data === undefined) return undefined
    const address = quote + middle.text.length
    const end = text.indexOf('"', address)
    datas.push(data)
    kinds.push(middle.account)
    parts.push(text.slice(address, end))
    if (text.slice(end, end + next.length) === next) at = end + next.length
    else if (text.slice(end) === tail) at = 0
    else return undefined
  }
  const addresses = addressesOf(parts)
  if (addresses.length !== parts.length) return undefined
  const accounts: Array<Reply.AccountInfo> = []
  for (let index = 0; index < parts.length; index++) {
    const address = addresses[index]
    const kind = kinds[index]
    const data = datas[index]
    if (typeof address !== "string" || !Addresses.is(address) || kind === undefined || data === undefined)
      return undefined
    accounts.push(withData(kind, address, data))
  }
  return accounts
}

const NULL = "null"

/**
 * Reads `account, null, …`, at most `max` of them. The result equals that of `decode` for each part of the parsed list that is not null;
 * `undefined` for any other form.
 */
export const bare = (
  text: string,
  decode: Decode.Decoder<Reply.AccountInfo>,
  max: number
): ReadonlyArray<Option.Option<Reply.AccountInfo>> | undefined => {
  const { head } = BARE
  const bytesOf = Base64.codec.decodeParts(text)
  const middles = new Middles(BARE, decode)
  const accounts: Array<Option.Option<Reply.AccountInfo>> = []
  let at = 0
  while (accounts.length < max) {
    if (text.startsWith(head, at)) {
      const start = at + head.length
      const quote = text.indexOf('"', start)
      const middle = middles.at(text, quote)
      const data = bytesOf(text.slice(start, quote))
      if (middle === undefined || data === undefined) return undefined
      accounts.push(Option.some(withData(middle.account, middle.account.address, data)))
      at = quote + middle.text.length
    } else if (text.startsWith(NULL, at)) {
      accounts.push(Option.none())
      at += NULL.length
    } else return undefined
    if (at === text.length) return accounts
    if (text[at++] !== ",") return undefined
  }
  return undefined
}
