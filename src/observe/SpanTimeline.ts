/**
 * Records the span for which the process works at each moment. A profiler notes each change and looks its samples up
 * afterwards.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import * as SafeText from "../SafeText.js"

/**
 * A span's name below the path of its parent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Path {
  /** At most 100 characters. */
  readonly name: string
  /** The parent's index in `paths`; -1 for the outermost span. */
  readonly parent: number
}

/**
 * The index that stands for no span in a timeline.
 *
 * @since 0.1.0
 * @category constants
 */
export const NO_SPAN = -1

interface Known extends Path {
  readonly depth: number
  /** Indices of the child paths, by the tracer's name. */
  readonly inner: Map<string, number>
}

/** Spans below this depth count for their ancestor. */
const MAX_DEPTH = 32

/** Distinct paths that are kept. Spans of further paths count for their nearest known ancestor. */
const MAX_PATHS = 2000

/** Changes that are kept, at 12 bytes each: 96 MB. */
const MAX_CHANGES = 8_000_000

const FIRST_CAPACITY = 1024

const grown = <A extends Float64Array | Int32Array>(from: A, to: A): A => {
  to.set(from)
  return to
}

/**
 * A record of spans by time, for one thread.
 *
 * Times must not fall. Paths of names are interned, so two spans of the same name below the same parents are one path.
 * After eight million changes, further changes are only counted in `dropped`, and the last kept span stays current.
 *
 * @since 0.1.0
 * @category models
 */
export class SpanTimeline {
  readonly #paths: Array<Known> = []
  readonly #outer = new Map<string, number>()
  readonly #known = new WeakMap<object, number>()
  #times = new Float64Array(FIRST_CAPACITY)
  #spans = new Int32Array(FIRST_CAPACITY)
  #size = 0
  #dropped = 0

  /** All paths. A parent comes before its children. */
  get paths(): ReadonlyArray<Path> {
    return this.#paths
  }

  /** The number of changes that are kept. */
  get size(): number {
    return this.#size
  }

  /** The number of changes that did not fit. */
  get dropped(): number {
    return this.#dropped
  }

  /** Records that from `micros` on the process works for this span, or for none. */
  note(micros: number, span: Tracer.AnySpan | undefined): void {
    const path = span === undefined ? NO_SPAN : this.#pathOf(span)
    if (this.#size > 0 && this.#spans[this.#size - 1] === path) return
    if (this.#size === MAX_CHANGES) {
      this.#dropped++
      return
    }
    if (this.#size === this.#times.length) {
      this.#times = grown(this.#times, new Float64Array(this.#size * 2))
      this.#spans = grown(this.#spans, new Int32Array(this.#size * 2))
    }
    this.#times[this.#size] = micros
    this.#spans[this.#size] = path
    this.#size++
  }

  /** For each of these times, the index in `paths` of the span that ran, or `NO_SPAN`. The times must not fall. */
  at(times: Float64Array): Int32Array {
    let next = 0
    return Int32Array.from(times, (time) => {
      while (next < this.#size && (this.#times[next] ?? Infinity) <= time) next++
      return this.#spans[next - 1] ?? NO_SPAN
    })
  }

  /** The path of a span. It ends at a span of another process, which has no name here. */
  #pathOf(span: Tracer.AnySpan): number {
    const found = this.#known.get(span)
    if (found !== undefined) return found
    const chain: Array<Tracer.Span> = []
    let above: Tracer.AnySpan | undefined = span
    while (above !== undefined && above._tag === "Span" && !this.#known.has(above)) {
      chain.push(above)
      above = Option.getOrUndefined(above.parent)
    }
    let path = (above && this.#known.get(above)) ?? NO_SPAN
    for (const each of chain.toReversed()) {
      path = this.#intern(each.name, path)
      this.#known.set(each, path)
    }
    return path
  }

  /** The path of a name below a parent; the parent itself if there is no room. */
  #intern(name: string, parent: number): number {
    const above = this.#paths[parent]
    const siblings = above?.inner ?? this.#outer
    const found = siblings.get(name)
    if (found !== undefined) return found
    const depth = (above?.depth ?? 0) + 1
    if (this.#paths.length >= MAX_PATHS || depth > MAX_DEPTH) return parent
    siblings.set(name, this.#paths.length)
    return this.#paths.push({ name: SafeText.make(name, 100), parent, depth, inner: new Map() }) - 1
  }
}
