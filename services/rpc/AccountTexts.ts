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

/** As `text.startsWith(part, index)`, which compares one character after another and takes ten times as long. */
const isAt = (text: string, index: number, part: string): boolean => text.slice(index, index + part.length) === part

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
    for (const middle of this.#known) if (isAt(text, index, middle.text)) return middle
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

/** An account of a list, and the text of its address if it has its own. */
interface Item {
  readonly like: Reply.AccountInfo
  readonly data: Uint8Array
  readonly address: string
}

const NULL = "null"

/** Reads at most `max` items of a list; `undefined` for another form. */
const itemsOf = (
  text: string,
  form: Form,
  decode: Decode.Decoder<Reply.AccountInfo>,
  max: number
): ReadonlyArray<Item | undefined> | undefined => {
  const { head, tail } = form
  const bytesOf = Base64.codec.decodeParts(text)
  const middles = new Middles(form, decode)
  const items: Array<Item | undefined> = []
  let at = 0
  while (items.length < max) {
    if (isAt(text, at, head)) {
      const start = at + head.length
      const quote = text.indexOf('"', start)
      const middle = middles.at(text, quote)
      const data = bytesOf(text.slice(start, quote))
      if (middle === undefined || data === undefined) return undefined
      at = quote + middle.text.length
      const end = tail === "" ? at : text.indexOf('"', at)
      if (end < at || !isAt(text, end, tail)) return undefined
      items.push({ like: middle.account, data, address: text.slice(at, end) })
      at = end + tail.length
    } else if (tail === "" && isAt(text, at, NULL)) {
      items.push(undefined)
      at += NULL.length
    } else return undefined
    if (at === text.length) return items
    if (text[at++] !== ",") return undefined
  }
  return undefined
}

/**
 * Reads `{account, pubkey}, …`. The result equals that of `decode` for the parsed list; `undefined` for any other form.
 */
export const keyed = (
  text: string,
  decode: Decode.Decoder<Reply.AccountInfo>
): ReadonlyArray<Reply.AccountInfo> | undefined => {
  const items = itemsOf(text, KEYED, decode, Infinity)
  const addresses = items && addressesOf(items.map((item) => item?.address ?? ""))
  if (items === undefined || addresses?.length !== items.length) return undefined
  const accounts: Array<Reply.AccountInfo> = []
  for (let index = 0; index < items.length; index++) {
    const address = addresses[index]
    const item = items[index]
    if (item === undefined || typeof address !== "string" || !Addresses.is(address)) return undefined
    accounts.push(withData(item.like, address, item.data))
  }
  return accounts
}

/**
 * Reads `account, null, …`, at most `max` of them. The result equals that of `decode` for each part of the parsed list that
 * is not null; `undefined` for any other form.
 */
export const bare = (
  text: string,
  decode: Decode.Decoder<Reply.AccountInfo>,
  max: number
): ReadonlyArray<Option.Option<Reply.AccountInfo>> | undefined =>
  itemsOf(text, BARE, decode, max)?.map((item) =>
    Option.map(Option.fromNullable(item), ({ data, like }) => withData(like, like.address, data))
  )
