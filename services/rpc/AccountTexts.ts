/**
 * Accounts read from the text of their list, without an object for each.
 *
 * What a node writes of accounts of one kind is, but for data and address, the same again and again: it is read once, and
 * compared from then on. Texts are taken only as Agave writes them; whatever is otherwise is left to the parser.
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

/** From the end of the data to the address: members of one word each, so that none of them is the data once more. */
const MIDDLE = /","base64"\](?:,"\w+":(?:"\w*"|\w+))+\},"pubkey":"/y

/** A list that changes more often than this is read by the parser in less time. */
const MAX_CHANGES = 8

const middleAt = (text: string, index: number): string | undefined => {
  MIDDLE.lastIndex = index
  return MIDDLE.exec(text)?.[0]
}

/** Copies of the parts, which do not hold on to the text that they were cut from. */
const addressesOf = (parts: ReadonlyArray<string>): ReadonlyArray<unknown> => {
  const copies = Either.getOrUndefined(Json.parseRounded(`["${parts.join('","')}"]`))
  return Array.isArray(copies) ? copies : []
}

/**
 * Reads `{account, pubkey}, …` if all is as usual, to just what `decode` makes of the parsed list; undefined for any other
 * text, be it right or wrong.
 */
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
