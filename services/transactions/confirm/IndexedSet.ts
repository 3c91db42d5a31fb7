/** One of a crowd, which knows its place. */
export interface Member {
  /** Where it stands; below zero where it stands in no crowd. */
  place: number
}

/**
 * Those that are there, in no order. A Set would do, but for the garbage: it moves to a new table every so many changes,
 * and a table of a Set that lives long is in the old generation, where the one that was left keeps all that it held alive
 * until the next full collection.
 */
export class IndexedSet<M extends Member> {
  readonly #members: Array<M> = []

  get size(): number {
    return this.#members.length
  }

  /** As they are now. */
  list(): Array<M> {
    return this.#members.slice()
  }

  filter(predicate: (member: M) => boolean): Array<M> {
    return this.#members.filter(predicate)
  }

  add(member: M): void {
    member.place = this.#members.push(member) - 1
  }

  has({ place }: M): boolean {
    return place >= 0
  }

  delete(member: M): void {
    const { place } = member
    if (place < 0) return
    member.place = -1
    const last = this.#members.pop()
    if (last === undefined || last === member) return
    last.place = place
    this.#members[place] = last
  }
}
