/** The text of a page cursor: its list and order, the key of the last item, and the item's address. */
import * as Either from "effect/Either"
import { InvalidInput } from "../../src/InvalidInput.js"
import * as Addresses from "../../src/solana/Address.js"
import type { Place } from "./SearchIndex.js"

/** A 64-bit integer, signed or not, and an address. */
const PLACE = /^(-?\d{1,20})\/([1-9A-HJ-NP-Za-km-z]{32,44})$/

export const format = (list: string, { address, key }: Place): string => `${list}/${key}/${address}`

export const parse = (list: string, cursor: string): Either.Either<Place, InvalidInput> => {
  const text = String(cursor)
  const [, key, address] = (text.startsWith(`${list}/`) ? PLACE.exec(text.slice(list.length + 1)) : null) ?? []
  return key !== undefined && address !== undefined && Addresses.is(address)
    ? Either.right({ key: BigInt(key), address })
    : Either.left(new InvalidInput({ field: "cursor", rule: `must be the "next" cursor of a page of ${list}` }))
}
