/**
 * Compares addresses in the order that Kit uses inside a message: that of an English `Intl.Collator` with lower case
 * first.
 *
 * For the base58 alphabet, the order ignores case. If two texts differ only in case, the first difference decides,
 * lower before upper. Setting bit 5 folds the case of a letter and keeps a digit unchanged.
 */
export const compare = (left: string, right: string): number => {
  const length = Math.min(left.length, right.length)
  let byCase = 0
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i)
    const b = right.charCodeAt(i)
    if (a === b) continue
    const folded = (a | 32) - (b | 32)
    if (folded !== 0) return folded
    if (byCase === 0) byCase = b - a
  }
  return left.length - right.length || byCase
}
