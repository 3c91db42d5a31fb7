/**
 * An unordered set in an array, whose elements hold their own index. Adding, finding and deleting are O(1); deletion moves
 * the last element into the gap.
 *
 * A long-lived `Set` rehashes: its old backing table stays in old space and retains its entries until the next full
 * collection. The array does not. An element can be in one set at a time.
 */

/** An element, which stores its index. */
export interface Member {
  /** Its index, or -1 while it is in no set. */
  place: number
}

export class IndexedSet<M extends Member> {
  readonly #members: Array<M> = []

  get size(): number {
    return this.#members.length
  }

  /** A copy of the members. */
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
