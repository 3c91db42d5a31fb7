/**
 * Reads a list of accounts from its JSON text, without a parsed object for each account.
 *
 * In the text of similar accounts, only the data and the address differ. The text between them is parsed once, and then
 * compared with that of each further account.
 *
 * Invariant: a list is read only if it has the exact form that Agave writes, and then with the result of the parser. Any
 * other text gives `undefined`, and the caller parses it.
 */
import * as Either from "effect/Either"
import * as Base64 from "../../src/internal/base64.js"
import * as Address from "../../src/solana/Address.js"
import * as Json from "../../src/solana/Json.js"
import { AccountInfo } from "./AccountInfo.js"
import type * as Decode from "./Decode.js"
import type * as Reply from "./Reply.js"

const HEAD = '{"account":{"data":["'
const TAIL = '"}'
const NEXT = `${TAIL},${HEAD}`

/** The text from the end of the data to the address. Its values are single words, so no second `data` is among them. */
const MIDDLE = /","base64"\](?:,"\w+":(?:"\w*"|\w+))+\},"pubkey":"/y

/** Maximum number of different texts between data and address; with more, the parser is faster. */
const MAX_CHANGES = 8

const middleAt = (text: string, index: number): string | undefined => {
  MIDDLE.lastIndex = index
  return MIDDLE.exec(text)?.[0]
}

/** Copies of the parts. A substring would keep the whole text in memory. */
const addressesOf = (parts: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const copies = Either.getOrUndefined(Json.parseRounded(`["${parts.join('","')}"]`))
  return Array.isArray(copies) ? copies : []
}

/** Reads `{account, pubkey}, …`. The result equals that of `decode` for the parsed list; `undefined` for any other form. */
export const read = (
  text: string,
  decode: Decode.Decoder<Reply.AccountInfo>
): ReadonlyArray<Reply.AccountInfo> | undefined => {
  if (!text.startsWith(HEAD)) return undefined
  const bytesOf = Base64.codec.decodeParts(text)
  const datas: Array<Uint8Array> = []
  const kinds: Array<Reply.AccountInfo> = []
  const parts: Array<string> = []
  let middle = ""
  let kind: Reply.AccountInfo | undefined
  let changes = 0
  let at = HEAD.length
  while (at > 0) {
    const quote = text.indexOf('"', at)
    if (kind === undefined || text.slice(quote, quote + middle.length) !== middle) {
      const other = changes++ < MAX_CHANGES ? middleAt(text, quote) : undefined
      if (other === undefined) return undefined
      middle = other
      kind = Either.getOrUndefined(
        Either.flatMap(Json.parse(`${HEAD}${middle}${Address.SYSTEM_PROGRAM}${TAIL}`), decode)
      )
    }
    const data = bytesOf(text.slice(at, quote))
    if (kind === undefined || data === undefined) return undefined
    const address = quote + middle.length
    const end = text.indexOf('"', address)
    datas.push(data)
    kinds.push(kind)
    parts.push(text.slice(address, end))
    if (text.slice(end, end + NEXT.length) === NEXT) at = end + NEXT.length
    else if (text.slice(end) === TAIL) at = 0
    else return undefined
  }
  const addresses = addressesOf(parts)
  if (addresses.length !== parts.length) return undefined
  const accounts: Array<Reply.AccountInfo> = []
  for (let index = 0; index < parts.length; index++) {
    const address = addresses[index]
    const kind = kinds[index]
    const data = datas[index]
    if (typeof address !== "string" || !Address.is(address) || kind === undefined || data === undefined)
      return undefined
    const { executable, lamports, owner, space } = kind
    accounts.push(new AccountInfo(address, data, lamports, owner, executable, space))
  }
  return accounts
}
