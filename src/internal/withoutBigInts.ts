/** A JSON value like the given one, its bigints as decimal strings: what an error gives a log that writes JSON. */
export const withoutBigInts = (value: unknown): unknown =>
  value === undefined
    ? undefined
    : JSON.parse(JSON.stringify(value, (_, member: unknown) => (typeof member === "bigint" ? `${member}` : member)))
