/** A headless Chromium over its debugging socket, for pages that people view. */
import { type ChildProcess, spawn } from "node:child_process"
import { EventEmitter, once } from "node:events"
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import * as Predicate from "effect/Predicate"
import { WebSocket } from "ws"

const isExecutable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"]

/** The browser on the PATH, if there is one. */
export const executable: string | undefined = (process.env["PATH"] ?? "")
  .split(path.delimiter)
  .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
  .find(isExecutable)

export interface Page {
  /** The value of an expression in the page, which must be representable in JSON. */
  readonly evaluate: (expression: string) => Promise<unknown>
  /** Requested addresses, except the page's own. */
  readonly requests: ReadonlyArray<string>
  /** Writes a picture of the page to a file. */
  readonly picture: (file: string, scheme: "light" | "dark") => Promise<void>
  /** Exceptions, and errors in the console, such as violations of the content policy. */
  readonly errors: ReadonlyArray<string>
}

const at = (value: unknown, ...names: ReadonlyArray<string>): unknown =>
  names.reduce<unknown>((found, name) => (Predicate.hasProperty(found, name) ? found[name] : undefined), value)

const address = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    let text = ""
    child.stderr?.on("data", (chunk) => {
      text += String(chunk)
      const found = /ws:\/\/\S+/.exec(text)
      if (found !== null) resolve(found[0])
    })
    child.once("exit", () => reject(new Error(`the browser ended: ${text.slice(-500)}`)))
  })

/** Commands and events of one connection. */
const session = (socket: WebSocket, onEvent: (method: string, params: unknown) => void) => {
  const waiting = new Map<number, (result: unknown) => void>()
  let next = 0
  socket.on("message", (data) => {
    const message: unknown = JSON.parse(String(data))
    const [id, method] = [at(message, "id"), at(message, "method")]
    if (typeof id === "number") waiting.get(id)?.(at(message, "result") ?? at(message, "error"))
    if (typeof method === "string") onEvent(method, at(message, "params"))
  })
  return (method: string, params: object = {}, sessionId?: string): Promise<unknown> =>
    new Promise((resolve) => {
      waiting.set(++next, resolve)
      socket.send(JSON.stringify({ id: next, method, params, sessionId }))
    })
}

/** Opens a file or an address, and closes the browser after `use`. */
export const withPage = async <A>(target: string, use: (page: Page) => Promise<A>): Promise<A> => {
  const profile = mkdtempSync(path.join(tmpdir(), "pod-chromium-"))
  const child = spawn(
    executable ?? "chromium",
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-extensions",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "--window-size=1200,900",
      "about:blank"
    ],
    // Its own process group, so that the browser's children end with it.
    { stdio: ["ignore", "ignore", "pipe"], detached: true }
  )
  try {
    const socket = new WebSocket(await address(child))
    await once(socket, "open")
    const requests: Array<string> = []
    const errors: Array<string> = []
    const url = URL.canParse(target) ? target : pathToFileURL(target).href
    const loads = new EventEmitter()
    const isLoaded = once(loads, "load")
    const send = session(socket, (method, params) => {
      if (method === "Page.loadEventFired") loads.emit("load")
      if (method === "Runtime.exceptionThrown") errors.push(JSON.stringify(at(params, "exceptionDetails")))
      if (method === "Log.entryAdded" && at(params, "entry", "level") === "error") errors.push(JSON.stringify(params))
      if (method === "Network.requestWillBeSent") {
        const asked = String(at(params, "request", "url"))
        if (asked !== url) requests.push(asked)
      }
    })
    const targetId = at(await send("Target.createTarget", { url: "about:blank" }), "targetId")
    const sessionId = String(at(await send("Target.attachToTarget", { targetId, flatten: true }), "sessionId"))
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await send(`${domain}.enable`, {}, sessionId)
    await send("Page.navigate", { url }, sessionId)
    await isLoaded
    return await use({
      requests,
      errors,
      picture: async (file, scheme) => {
        const features = [{ name: "prefers-color-scheme", value: scheme }]
        await send("Emulation.setEmulatedMedia", { features }, sessionId)
        const taken = await send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true }, sessionId)
        writeFileSync(file, Buffer.from(String(at(taken, "data")), "base64"))
      },
      evaluate: async (expression) =>
        at(await send("Runtime.evaluate", { expression, returnByValue: true }, sessionId), "result", "value")
    })
  } finally {
    const hasEnded = once(child, "exit")
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    await hasEnded
    rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 })
  }
}
