/**
 * Searches 100,000 agents, against three libraries: capabilities and a range, the best twenty; and the same with a word
 * prefix.
 *
 * The libraries have a tenth of the agents, as their rows state: with all of them, building their indexes takes minutes
 * and gigabytes, and does not end on a small machine. So their rows look at least ten times better than they are.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as Discovery from "../../services/Discovery.js"
import { type Case, measure, type Report } from "../harness.js"
import { load } from "../hotpath/install.js"
import { discovery, type Listed, PREFIX, QUERY } from "./fixtures.js"

interface Document {
  readonly id: string
  readonly uri: string
  readonly reputation: number
  readonly bits: ReadonlyArray<string>
}

const bitsOf = (capabilities: bigint): ReadonlyArray<string> =>
  Array.from({ length: 64 }, (_, bit) => bit).flatMap((bit) =>
    (capabilities >> BigInt(bit)) & 1n ? [String(bit)] : []
  )

const documentOf = ({ account, address }: Listed): Document => ({
  id: address,
  uri: account.metadataUri,
  reputation: Number(account.reputation),
  bits: bitsOf(account.capabilities)
})

const WANTED = bitsOf(QUERY.all)
const MIN = Number(QUERY.minReputation)
const MAX = Number(QUERY.maxReputation)

const matches = ({ bits, reputation }: Document): boolean =>
  reputation >= MIN && reputation <= MAX && WANTED.every((bit) => bits.includes(bit))

const best = (found: ReadonlyArray<Document>): ReadonlyArray<string> =>
  found
    .toSorted((a, b) => b.reputation - a.reputation || (a.id < b.id ? -1 : 1))
    .slice(0, QUERY.limit)
    .map(({ id }) => id)

/** A library, with a query without words and one with a word prefix. */
interface Peer {
  readonly name: string
  readonly filter?: () => unknown
  readonly text: () => unknown
}

type Constructor = new (options: object) => { readonly [method: string]: (...args: ReadonlyArray<unknown>) => unknown }

const isConstructor = (value: unknown): value is Constructor => typeof value === "function"

const member = (module: unknown, name: string): unknown => {
  if (Predicate.hasProperty(module, name)) return module[name]
  return Predicate.hasProperty(module, "default") && Predicate.hasProperty(module.default, name)
    ? module.default[name]
    : Predicate.hasProperty(module, "default")
      ? module.default
      : undefined
}

const construct = (module: unknown, name: string, options: object): InstanceType<Constructor> => {
  const value = member(module, name)
  if (!isConstructor(value)) throw new Error(`no ${name} in its package`)
  return new value(options)
}

const call = (module: unknown, name: string, ...args: ReadonlyArray<unknown>): unknown => {
  const value = member(module, name)
  if (typeof value !== "function") throw new Error(`no ${name} in its package`)
  return Reflect.apply(value, undefined, args)
}

const isText = (value: unknown): value is string => typeof value === "string"

const miniSearch = async (documents: ReadonlyArray<Document>, byId: ReadonlyMap<string, Document>): Promise<Peer> => {
  const module = await load("search", "minisearch")
  const index = construct(module, "MiniSearch", { fields: ["uri"], storeFields: [] })
  index["addAll"]?.(documents)
  const wildcard = member(member(module, "MiniSearch"), "wildcard")
  const filter = ({ id }: { readonly id: string }): boolean => {
    const document = byId.get(id)
    return document !== undefined && matches(document)
  }
  const found = (query: unknown) => {
    const results = index["search"]?.(query, { prefix: true, filter })
    const ids = Array.isArray(results) ? results.map((result: unknown) => member(result, "id")).filter(isText) : []
    return best(ids.flatMap((id) => byId.get(id) ?? []))
  }
  return { name: "MiniSearch 7.2.0", filter: () => found(wildcard), text: () => found(PREFIX) }
}

const orama = async (documents: ReadonlyArray<Document>): Promise<Peer> => {
  const module = await load("search", "@orama/orama")
  const database = await call(module, "create", {
    schema: { id: "string", uri: "string", reputation: "number", bits: "enum[]" }
  })
  await call(module, "insertMultiple", database, documents, 5000)
  const find = (term: string) =>
    call(module, "search", database, {
      term,
      properties: ["uri"],
      where: { bits: { containsAll: WANTED }, reputation: { between: [MIN, MAX] } },
      sortBy: { property: "reputation", order: "DESC" },
      limit: QUERY.limit
    })
  return { name: "Orama 3.1", filter: () => find(""), text: () => find(PREFIX) }
}

const flexSearch = async (documents: ReadonlyArray<Document>, byId: ReadonlyMap<string, Document>): Promise<Peer> => {
  const index = construct(await load("search", "flexsearch"), "Index", { tokenize: "forward" })
  for (const { id, uri } of documents) index["add"]?.(id, uri)
  return {
    name: "FlexSearch 0.8",
    text: () => {
      const ids = index["search"]?.(PREFIX, { limit: documents.length })
      return best((Array.isArray(ids) ? ids.filter(isText) : []).flatMap((id) => byId.get(id) ?? []).filter(matches))
    }
  }
}

const casesOf = (peers: ReadonlyArray<Peer>, kind: "filter" | "text"): ReadonlyArray<Case> =>
  peers.flatMap((peer) => {
    const run = peer[kind]
    return run === undefined ? [] : [{ name: peer.name, run }]
  })

/** Each library indexes one of this many agents. */
const SHARE = 10

const FEW = { rounds: 7, warmMillis: 20 }

/** The reports of both queries. `isAlone` leaves the libraries out. */
export const searching = async (
  scope: Scope.Scope,
  agents: ReadonlyArray<Listed>,
  isAlone: boolean
): Promise<{ readonly filter: Report; readonly text: Report }> => {
  const context = await Effect.runPromise(Layer.buildWithScope(discovery(agents), scope))
  const service = Context.get(context, Discovery.Discovery)
  const documents = agents.map(documentOf)
  const byId = new Map(documents.map((document) => [document.id, document]))
  const some = documents.filter((_, index) => index % SHARE === 0)
  const peers: Array<Peer> = []
  for (const make of isAlone ? [] : [miniSearch, flexSearch, orama]) {
    const peer = await make(some, byId)
    const name = `${peer.name}, ${some.length.toLocaleString("en")} documents`
    peers.push({ ...peer, name })
    console.error(`${name} indexed`)
  }
  const filter = () => Effect.runSync(service.agents(QUERY))
  const text = () => Effect.runSync(service.agents({ ...QUERY, text: PREFIX }))
  const expected = best(documents.filter(matches))
  if (
    filter()
      .items.map(({ address }) => address)
      .join() !== expected.join()
  )
    throw new Error("a search found other agents")
  const size = agents.length.toLocaleString("en")
  return {
    filter: await measure(
      `Search of ${size}: capabilities, a range, the best 20`,
      [{ name: "Discovery", run: filter }, { name: "Discovery again", run: filter }, ...casesOf(peers, "filter")],
      FEW
    ),
    text: await measure(
      `Search of ${size}: and the beginning of a word`,
      [{ name: "Discovery", run: text }, { name: "Discovery again", run: text }, ...casesOf(peers, "text")],
      FEW
    )
  }
}
