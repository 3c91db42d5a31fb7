/**
 * Closes a WebSocket when its client announces a message above the limit, before any of it is stored.
 *
 * The WebSocket library buffers a message until it is complete, up to 100 MiB. Each frame starts with its length. This
 * guard parses the frame headers of the same chunks as the library, and sums the fragments of a message.
 *
 * Race: a socket with a listener starts to flow, and bytes that arrive before the library listens would be lost. So the
 * guard listens only once the library does.
 */
import type { Duplex } from "node:stream"

/** A server's close frame with code 1009: message too big. */
const TOO_BIG = Buffer.from([0x88, 0x02, 0x03, 0xf1])

const FIN = 0x80
const MASKED = 0x80
const CONTROL = 0x08
const LENGTH = 0x7f

/** Maximum header: two bytes, up to eight of extended length, four of mask. */
const MAX_HEADER = 14

/**
 * Returns a function that parses frame headers in a stream of bytes. It returns `false` once a message exceeds the
 * limit.
 */
export const reader = (maxMessageBytes: number): ((chunk: Uint8Array) => boolean) => {
  const header = new Uint8Array(MAX_HEADER)
  const view = new DataView(header.buffer)
  let filled = 0
  let payloadLeft = 0
  let message = 0

  const needed = (): number => {
    if (filled < 2) return 2
    const [, second = 0] = header
    const length = second & LENGTH
    return 2 + (length === 126 ? 2 : length === 127 ? 8 : 0) + ((second & MASKED) === 0 ? 0 : 4)
  }

  const payloadLength = (): number => {
    const length = view.getUint8(1) & LENGTH
    if (length === 126) return view.getUint16(2)
    return length === 127 ? Number(view.getBigUint64(2)) : length
  }

  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (payloadLeft > 0) {
        const taken = Math.min(payloadLeft, chunk.length - at)
        payloadLeft -= taken
        at += taken
        continue
      }
      header[filled++] = chunk[at++] ?? 0
      if (filled < needed()) continue
      filled = 0
      payloadLeft = payloadLength()
      const first = view.getUint8(0)
      if ((first & CONTROL) !== 0) continue
      message += payloadLeft
      if (message > maxMessageBytes) return false
      if ((first & FIN) !== 0) message = 0
    }
    return true
  }
}

/** Guards a socket that is about to be upgraded. */
export const watch = (socket: Duplex, maxMessageBytes: number): void => {
  const isWithin = reader(maxMessageBytes)
  const onData = (chunk: Uint8Array) => {
    if (isWithin(chunk)) return
    socket.removeAllListeners("data")
    socket.end(TOO_BIG, () => socket.destroy())
  }
  const onListener = (event: string | symbol) => {
    if (event !== "data") return
    socket.off("newListener", onListener)
    socket.on("data", onData)
  }
  socket.on("newListener", onListener)
}
