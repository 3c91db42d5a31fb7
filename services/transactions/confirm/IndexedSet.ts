/** An element of an IndexedSet, which holds its own index. */
export interface Member {
  /** Its index, or -1 while it is in no set. */
  place: number
}

/**
 * An unordered set in an array; deletion swaps the last element in. A long-lived Set rehashes: its old backing table
 * stays in old space and retains its entries until the next full collection.
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
