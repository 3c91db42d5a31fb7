/**
 * The order in which Kit sorts addresses inside a message: that of an English `Intl.Collator` with lower case first.
 * On the base58 alphabet this is the order without regard to case and then, at the first letter that differs in case,
 * lower before upper. Setting bit 5 folds the case of a letter and leaves a digit as it is.
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
