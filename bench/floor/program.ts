/**
 * The constants of the protocol that a client needs to send a direct message.
 */
import { decode32 } from "./base58.js"

export const program = decode32("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")
export const SYSTEM_PROGRAM = new Uint8Array(32)
export const SEND_MESSAGE = Uint8Array.of(0x39, 0x28, 0x22, 0xb2, 0xbd, 0x0a, 0x41, 0x1a)
export const utf8 = new TextEncoder()
