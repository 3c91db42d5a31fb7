/**
 * Decodes the content-encoding of a reply, if the HTTP client has not.
 *
 * Fetch decodes it and keeps the header; other clients do not decode. So the bytes decide: a reply in UTF-8 text is
 * decoded already. Compressed bytes begin with a magic number (gzip, zlib) or are not UTF-8.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** The encodings that fetch may have decoded, and those that this file decodes. The empty text means none. */
const KNOWN: ReadonlySet<string> = new Set(["", "identity", "gzip", "x-gzip", "deflate", "br", "zstd"])

export const isKnown = (encoding: string): boolean => KNOWN.has(encoding)

type Format = "gzip" | "deflate" | "deflate-raw" | "br"

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    return true
  } catch {
    return false
  }
}

const isGzip = ([first, second]: Uint8Array): boolean => first === 0x1f && second === 0x8b

/** The header of zlib: its method, and a checksum over two bytes. */
const isZlib = ([first = 0, second = 0]: Uint8Array): boolean =>
  (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0

/**
 * The format of bytes that are still encoded, or undefined. Gzip is recognised without a header, because browsers may
 * hide headers from a page.
 */
export const formatOf = (encoding: string, bytes: Uint8Array): Format | undefined => {
  if (bytes.length === 0) return undefined
  if (isGzip(bytes)) return "gzip"
  if (encoding === "deflate") return isZlib(bytes) ? "deflate" : isUtf8(bytes) ? undefined : "deflate-raw"
  return encoding === "br" && !isUtf8(bytes) ? "br" : undefined
}

const MAX_CAUSES = 8

/** Whether the client failed to decode: the cause is an error of zlib or brotli. */
export const isError = (cause: unknown): boolean => {
  let error = cause
  for (let nth = 0; nth < MAX_CAUSES && error instanceof Error; nth++) {
    if ("code" in error && typeof error.code === "string" && /^(?:Z_|ERR__ERROR_|ERR_PADDING)/.test(error.code))
      return true
    error = error.cause
  }
  return false
}

/** The decoded bytes, as a stream. `failed` makes the error. */
export const undo = <E>(
  format: Format,
  bytes: Uint8Array<ArrayBuffer>,
  maxBytes: number,
  failed: (detail: string) => (cause?: unknown) => E
): Stream.Stream<Uint8Array, E> =>
  format === "br"
    ? Stream.fromEffect(undoBrotli(bytes, maxBytes, failed))
    : Stream.fromReadableStream(
        () => new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format)),
        failed(`the reply is not ${format === "gzip" ? "gzip" : "deflate"}, as its content-encoding says`)
      )

/**
 * Decodes brotli by `node:zlib`, because web streams of some Node releases lack brotli. Browsers decode it themselves.
 */
const undoBrotli = <E>(
  bytes: Uint8Array,
  maxBytes: number,
  failed: (detail: string) => (cause?: unknown) => E
): Effect.Effect<Uint8Array, E> =>
  Effect.async((resume) => {
    const zlib = typeof process === "undefined" ? undefined : process.getBuiltinModule("node:zlib")
    if (zlib === undefined) return resume(Effect.fail(failed("this platform cannot decode br")()))
    zlib.brotliDecompress(bytes, { maxOutputLength: maxBytes }, (error, undone) => {
      const detail =
        error instanceof RangeError
          ? `the reply is longer than ${maxBytes} bytes: ask for less, or raise maxReplyBytes and maxSmallReplyBytes`
          : "the reply is not br, as its content-encoding says"
      resume(error === null ? Effect.succeed(undone) : Effect.fail(failed(detail)()))
    })
  })
