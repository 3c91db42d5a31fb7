/**
 * Checks ids of traces and spans. An external parent may have any text, for example from a header of a request. One
 * invalid id in a request makes a collector refuse all of its items.
 */

const TRACE = /^(?!0+$)[\da-f]{32}$/i
const SPAN = /^(?!0+$)[\da-f]{16}$/i

/** The trace id in W3C's form; undefined if the text is none. B3 also has ids of 64 bits. */
export const traceOf = (id: string): string | undefined =>
  TRACE.test(id) ? id : SPAN.test(id) ? id.padStart(32, "0") : undefined

/** The span id; undefined if the text is none. */
export const spanOf = (id: string): string | undefined => (SPAN.test(id) ? id : undefined)
