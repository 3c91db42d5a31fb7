/**
 * What a metric is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly name: string
  /**
   * `counter` only rises, `gauge` is a value of this moment, `histogram` counts values by buckets, of which an
   * `exponential histogram` has many and chooses the bounds itself.
   */
  readonly kind: "counter" | "gauge" | "histogram" | "exponential histogram"
  /** The unit: `s`, `By`, or what is counted in braces, as `{call}`. */
  readonly unit: string
  /** What each label holds, by its name. */
  readonly labels: Readonly<Record<string, string>>
  readonly meaning: string
  /** The upper bounds of a histogram's buckets, in its unit. */
  readonly boundaries?: ReadonlyArray<number>
}
