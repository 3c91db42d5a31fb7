/** A table of text. */

type Rows = ReadonlyArray<ReadonlyArray<string>>

/** Aligns columns: the first to the left, the others to the right. */
export const aligned = (rows: Rows): string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((value, column) =>
          column === 0 ? value.padEnd(widths[column] ?? 0) : value.padStart(widths[column] ?? 0)
        )
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}
