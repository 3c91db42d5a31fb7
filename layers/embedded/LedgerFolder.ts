/**
 * A folder that keeps a chain across restarts: an image of its state, and a log of the later inputs, which a start
 * replays.
 *
 * The file `ledger.log` begins with a magic line. Records follow: the length, the length's checksum, the checksum of
 * the bytes, and the bytes. The first record is the header: the origin of the chain, and the options that affect its
 * inputs. Then come the parts of the image, if there is one, and the inputs.
 *
 * Invariants:
 * - A record is in the file before its input is acknowledged or announced. A killed process loses no acknowledged
 *   input, because the system keeps written bytes. A power failure may lose the inputs of the last seconds.
 * - Only the last record can be incomplete, after a kill during its write. It was never acknowledged, so a start
 *   removes it. The checksum of a length distinguishes a damaged length from an incomplete record: nothing after a
 *   damaged one is removed.
 * - A long log is rewritten to a new file, with an image instead of its inputs, synced, and renamed. After a kill or a
 *   power failure, either the old log or the new one is complete. If a step fails, the old log stays in use.
 * - After a failed write (a full disk), the log accepts no more inputs, so that its inputs always belong to one chain.
 * - A start that refuses a folder does not change it: another file, another version, another genesis, a damaged record.
 * - One process has the folder at a time (`FolderLock`).
 */
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Input from "./chain/Input.js"
import { EmbeddedClusterError } from "./EmbeddedClusterError.js"
import * as FolderLock from "./FolderLock.js"
import type { Settings } from "./Options.js"

const MAGIC = Buffer.from("POD-LEDGER 1\n")
const LOG = "ledger.log"
const NEXT = "ledger.next"
const FRAME_BYTES = 12

/** Maximum bytes of a record, more than the largest input: an account of 10 MiB. */
const MAX_RECORD_BYTES = 16 * 1024 * 1024

const PART_BYTES = 8 * 1024 * 1024

const count = Schema.NonNegativeInt.pipe(Schema.lessThanOrEqualTo(Number.MAX_SAFE_INTEGER))

/** The data that determines the effects of the inputs. */
export const Header = Schema.Struct({
  runtime: Schema.String,
  /** Unix milliseconds of genesis. */
  wall: count,
  /** Length of the genesis inputs with their frames. A log without all of them counts as new. */
  genesisBytes: count,
  /** Length of the image, with its frames. Default: none. */
  imageBytes: Schema.optional(count),
  /** The machine's first blockhash, 32 bytes in base64. */
  seed: Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9+/]{43}=$/)),
  settings: Schema.Record({ key: Schema.String, value: Schema.Union(Schema.String, Schema.Number) })
})

/** The header of a ledger. */
export type Header = typeof Header.Type

const decodeHeader = Schema.decodeUnknownEither(Schema.parseJson(Header))

/** The options that affect the inputs. */
export const settingsOf = (settings: Settings): Header["settings"] => ({
  blockMode: settings.blockMode,
  blockhashLifetime: settings.blockhashLifetime,
  maxBlocks: settings.maxBlocks,
  maxTransactions: settings.maxTransactions,
  maxStatuses: settings.maxStatuses,
  maxLogBytes: settings.maxLogBytes,
  faucetLamports: String(settings.faucetLamports),
  ...(settings.transactionsPerBlock === 1 ? {} : { transactionsPerBlock: settings.transactionsPerBlock }),
  ...(settings.genesisTime === undefined ? {} : { genesisTime: String(settings.genesisTime) })
})

/** An open ledger folder. */
export interface LedgerFolder {
  /** Undefined if the folder is new. */
  readonly header: Header | undefined
  /** The state before the inputs; undefined if they begin at genesis. */
  readonly image: Uint8Array | undefined
  /** The inputs since the image, read lazily. Fails at a damaged record. */
  readonly inputs: Iterable<Input.TimedInput>
  /** Starts a new log with the first inputs, in one write. Throws an `EmbeddedClusterError` if it cannot. */
  readonly begin: (header: Origin, inputs: ReadonlyArray<Input.TimedInput>) => void
  /** Throws an `EmbeddedClusterError` if it cannot, and then always. */
  readonly append: (input: Input.TimedInput) => void
  /** Replaces the log by an image of the state after all its inputs. If this throws, the log is unchanged. */
  readonly compact: (header: Origin, image: Uint8Array) => void
}

/** The origin of a chain, and the options that affect its inputs. */
export type Origin = Omit<Header, "genesisBytes" | "imageBytes">

const fault = (detail: string, cause?: unknown) =>
  new EmbeddedClusterError(cause === undefined ? { reason: "Ledger", detail } : { reason: "Ledger", detail, cause })

/** Opens the folder until the scope closes, and creates it if it is missing. `reset` starts a new ledger. */
export const open = (
  folder: string,
  { reset = false }: { readonly reset?: boolean } = {}
): Effect.Effect<LedgerFolder, EmbeddedClusterError, Scope.Scope> =>
  Effect.gen(function* () {
    const attempt = <A>(what: string, run: () => A) =>
      Effect.try({
        try: run,
        catch: (cause) =>
          cause instanceof EmbeddedClusterError
            ? cause
            : fault(`the ledger folder ${folder} cannot be ${what}: check its permissions and the disk`, cause)
      })
    const file = path.join(folder, LOG)
    yield* attempt("made", () => fs.mkdirSync(folder, { recursive: true }))
    yield* FolderLock.acquire(folder)
    const opened = yield* Effect.acquireRelease(
      attempt("opened", (): Opened => ({ descriptor: openFile(file, fs.constants.O_RDWR | fs.constants.O_CREAT) })),
      ({ descriptor }) => Effect.sync(() => fs.closeSync(descriptor))
    )
    return yield* attempt("read", () => {
      checkMagic(opened.descriptor, file)
      const next = path.join(folder, NEXT)
      if (fs.lstatSync(next, { throwIfNoEntry: false })?.isFile() === true) fs.rmSync(next)
      if (reset) fs.ftruncateSync(opened.descriptor, 0)
      return read(opened, folder)
    })
  })

/** Opens a file, but no link, pipe, device or folder: the log is replaced under its name. */
const openFile = (file: string, flags: number): number => {
  const found = fs.lstatSync(file, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) throw fault(`${file} is no file: remove it, or name another folder`)
  return fs.openSync(file, flags, 0o600)
}

/** The log's descriptor. It changes when the log is compacted. */
interface Opened {
  descriptor: number
}

const checkMagic = (descriptor: number, file: string): void => {
  const size = fs.fstatSync(descriptor).size
  const magic = bytesAt(descriptor, 0, Math.min(size, MAGIC.length))
  if (size === 0 || magic.equals(MAGIC)) return
  if (magic.equals(MAGIC.subarray(0, magic.length))) return
  const other = magic.subarray(0, 11).equals(MAGIC.subarray(0, 11))
  throw fault(
    other
      ? `${file} is a ledger of another version: start with another folder, or with --reset of that version`
      : `${file} is not a ledger: start with another folder`
  )
}

const bytesAt = (descriptor: number, at: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  let read = 0
  while (read < length) {
    const got = fs.readSync(descriptor, bytes, read, length - read, at + read)
    if (got === 0) break
    read += got
  }
  return bytes.subarray(0, read)
}

const damaged = (file: string, at: number) =>
  fault(`${file} is damaged at byte ${at}: restore a copy, or start a new ledger with --reset`)

/** The record at the position; undefined at the end, or if the file ends within it. */
const recordAt = (descriptor: number, file: string, at: number, size: number): Buffer | undefined => {
  const frame = bytesAt(descriptor, at, FRAME_BYTES)
  if (frame.length < FRAME_BYTES) return undefined
  const length = frame.readUInt32LE(0)
  if (zlib.crc32(frame.subarray(0, 4)) !== frame.readUInt32LE(4) || length > MAX_RECORD_BYTES) throw damaged(file, at)
  if (at + FRAME_BYTES + length > size) return undefined
  const bytes = bytesAt(descriptor, at + FRAME_BYTES, length)
  if (zlib.crc32(bytes) !== frame.readUInt32LE(8)) throw damaged(file, at)
  return bytes
}

const framed = (bytes: Uint8Array): Buffer => {
  const frame = Buffer.alloc(FRAME_BYTES)
  frame.writeUInt32LE(bytes.length, 0)
  frame.writeUInt32LE(zlib.crc32(frame.subarray(0, 4)), 4)
  frame.writeUInt32LE(zlib.crc32(bytes), 8)
  return Buffer.concat([frame, bytes])
}

const read = (opened: Opened, folder: string): LedgerFolder => {
  const file = path.join(folder, LOG)
  const { descriptor } = opened
  const size = fs.fstatSync(descriptor).size
  const first = recordAt(descriptor, file, MAGIC.length, size)
  let end = MAGIC.length + FRAME_BYTES + (first?.length ?? 0)
  const found = first === undefined ? undefined : headerOf(first, file)
  // A log with an incomplete genesis has never acknowledged an input.
  const header = found !== undefined && end + found.genesisBytes <= size ? found : undefined
  const image = header?.imageBytes === undefined ? undefined : imageAt(descriptor, file, end, header.imageBytes)
  end += header?.imageBytes ?? 0
  let isWhole = true
  const write = (bytes: Buffer): void => {
    if (!isWhole)
      throw fault(`${file} could not be written before, so it accepts no more inputs: free space, and start again`)
    isWhole = false
    try {
      writeAt(opened.descriptor, bytes, end)
    } catch (cause) {
      throw fault(`${file} cannot be written: free space, and start again`, cause)
    }
    end += bytes.length
    isWhole = true
  }
  return {
    header,
    image,
    inputs: {
      *[Symbol.iterator]() {
        for (
          let record = recordAt(descriptor, file, end, size);
          record;
          record = recordAt(descriptor, file, end, size)
        ) {
          const input = Input.decode(record)
          if (input === undefined) throw damaged(file, end)
          end += FRAME_BYTES + record.length
          yield input
        }
        fs.ftruncateSync(descriptor, end)
      }
    },
    begin: (made, inputs) => {
      fs.ftruncateSync(descriptor, 0)
      end = 0
      const genesis = Buffer.concat(inputs.map((input) => framed(Input.encode(input))))
      write(Buffer.concat([headOf({ ...made, genesisBytes: genesis.length }), genesis]))
    },
    append: (input) => write(framed(Input.encode(input))),
    compact: (made, state) => {
      if (!isWhole) throw fault(`${file} could not be written before, so it is not compacted`)
      const parts = partsOf(state)
      const imageBytes = parts.reduce((sum, { length }) => sum + length, 0)
      const next = path.join(folder, NEXT)
      const replacing = openFile(next, fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL)
      let at = 0
      try {
        for (const bytes of [headOf({ ...made, genesisBytes: 0, imageBytes }), ...parts]) {
          writeAt(replacing, bytes, at)
          at += bytes.length
        }
        fs.fsyncSync(replacing)
        fs.renameSync(next, file)
      } catch (cause) {
        fs.closeSync(replacing)
        fs.rmSync(next, { force: true })
        throw cause
      }
      fs.closeSync(opened.descriptor)
      opened.descriptor = replacing
      end = at
      syncFolder(folder)
    }
  }
}

const headOf = (header: Header): Buffer => Buffer.concat([MAGIC, framed(Buffer.from(JSON.stringify(header)))])

const writeAt = (descriptor: number, bytes: Uint8Array, at: number): void => {
  let written = 0
  while (written < bytes.length) {
    written += fs.writeSync(descriptor, bytes, written, bytes.length - written, at + written)
  }
}

/**
 * Syncs the folder, so that a rename survives a power failure. Windows cannot open a folder, but keeps renames in
 * order.
 */
const syncFolder = (folder: string): void => {
  if (process.platform === "win32") return
  const descriptor = fs.openSync(folder, "r")
  fs.fsyncSync(descriptor)
  fs.closeSync(descriptor)
}

const partsOf = (image: Uint8Array): ReadonlyArray<Buffer> =>
  Array.from({ length: Math.ceil(image.length / PART_BYTES) }, (_, part) =>
    framed(image.subarray(part * PART_BYTES, (part + 1) * PART_BYTES))
  )

/** The image at the position. It was complete before the file got its name, so an incomplete one is damaged. */
const imageAt = (descriptor: number, file: string, from: number, length: number): Uint8Array => {
  const parts: Array<Buffer> = []
  let at = from
  while (at < from + length) {
    const part = recordAt(descriptor, file, at, from + length)
    if (part === undefined) throw damaged(file, at)
    parts.push(part)
    at += FRAME_BYTES + part.length
  }
  return Buffer.concat(parts)
}

const headerOf = (bytes: Uint8Array, file: string): Header => {
  const decoded = decodeHeader(Buffer.from(bytes).toString("utf8"))
  if (decoded._tag === "Left") throw damaged(file, MAGIC.length)
  return decoded.right
}

/** Refuses a header of another runtime or of other options. */
export const check = (header: Header, runtime: string, settings: Header["settings"], folder: string) => {
  if (header.runtime !== runtime) {
    return Effect.fail(
      fault(
        `the ledger in ${folder} was made by runtime ${header.runtime}, this is ${runtime}: start a new ledger with --reset`
      )
    )
  }
  const names = Object.keys({ ...header.settings, ...settings })
  const name = names.find((each) => header.settings[each] !== settings[each])
  if (name === undefined) return Effect.void
  const [was, value] = [header.settings[name] ?? "not set", settings[name] ?? "not set"]
  return Effect.fail(
    fault(
      `the ledger in ${folder} has another genesis: ${name} was ${was} and is now ${value}; start a new ledger with --reset`
    )
  )
}
