/**
 * The description of a metric.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row {
  readonly name: string
  /**
   * A `counter` only rises, a `gauge` is a current value, and a `histogram` counts values by buckets. An `exponential
   * histogram` has many buckets and chooses their bounds itself.
   */
  readonly kind: "counter" | "gauge" | "histogram" | "exponential histogram"
  /** The unit: `s`, `By`, or the counted thing in braces, such as `{call}`. */
  readonly unit: string
  /** The meaning of each label, by the label's name. */
  readonly labels: Readonly<Record<string, string>>
  readonly meaning: string
  /** The upper bounds of a histogram's buckets, in its unit. */
  readonly boundaries?: ReadonlyArray<number>
}
