/**
 * The messages of OpenTelemetry's protocol in its JSON form: 64-bit integers are decimal texts, ids are hexadecimal.
 * Times of spans stay bigints until they are written, because there are many.
 */

export type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: string }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: ReadonlyArray<AnyValue> } }

export interface KeyValue {
  readonly key: string
  readonly value: AnyValue
}

export type Attributes = ReadonlyArray<KeyValue>

export interface Resource {
  readonly attributes: Attributes
}

export interface InstrumentationScope {
  readonly name: string
}

export interface SpanEvent {
  readonly timeUnixNano: bigint
  readonly name: string
  readonly attributes: Attributes
}

export interface SpanLink {
  readonly traceId: string
  readonly spanId: string
  readonly attributes: Attributes
}

export interface SpanStatus {
  readonly message?: string
  readonly code: number
}

export interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string | undefined
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: bigint
  readonly endTimeUnixNano: bigint
  readonly attributes: Attributes
  readonly droppedAttributesCount: number
  readonly events: ReadonlyArray<SpanEvent>
  readonly droppedEventsCount: number
  readonly links: ReadonlyArray<SpanLink>
  readonly droppedLinksCount: number
  readonly status: SpanStatus
  readonly flags: number
}

export interface LogRecord {
  readonly timeUnixNano: string
  readonly observedTimeUnixNano: string
  readonly severityNumber: number
  readonly severityText: string
  readonly body: AnyValue
  readonly attributes: Attributes
  readonly traceId?: string
  readonly spanId?: string
}

interface DataPoint {
  readonly attributes: Attributes
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

export interface NumberDataPoint extends DataPoint {
  readonly asDouble?: number
  readonly asInt?: string
}

export interface HistogramDataPoint extends DataPoint {
  readonly count: string
  readonly sum: number
  readonly bucketCounts: ReadonlyArray<string>
  readonly explicitBounds: ReadonlyArray<number>
  readonly min?: number
  readonly max?: number
}

export interface ExponentialHistogramDataPoint extends DataPoint {
  readonly count: string
  readonly sum: number
  readonly scale: number
  readonly zeroCount: string
  readonly positive: { readonly offset: number; readonly bucketCounts: ReadonlyArray<string> }
  readonly min?: number
  readonly max?: number
}

/** OpenTelemetry's number for values since the start of the process. */
export const CUMULATIVE = 2

export interface Metric {
  readonly name: string
  readonly description: string
  readonly unit: string
  readonly gauge?: { readonly dataPoints: ReadonlyArray<NumberDataPoint> }
  readonly sum?: {
    readonly dataPoints: ReadonlyArray<NumberDataPoint>
    readonly aggregationTemporality: number
    readonly isMonotonic: boolean
  }
  readonly histogram?: {
    readonly dataPoints: ReadonlyArray<HistogramDataPoint>
    readonly aggregationTemporality: number
  }
  readonly exponentialHistogram?: {
    readonly dataPoints: ReadonlyArray<ExponentialHistogramDataPoint>
    readonly aggregationTemporality: number
  }
}

/** The item of each signal. */
export interface Signals {
  readonly traces: Span
  readonly metrics: Metric
  readonly logs: LogRecord
}

export type Signal = keyof Signals
