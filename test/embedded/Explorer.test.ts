/** The page of a served cluster: what it says, and that nothing it shows can do more than be read. */
import { createHash } from "node:crypto"
import * as path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Keypair, PublicKey, TransactionInstruction } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as Server from "../../layers/EmbeddedServer.js"
import * as Pod from "../../layers/Pod.js"
import * as TestWallets from "../../layers/TestWallets.js"
import * as Agent from "../../services/Agent.js"
import * as Channel from "../../services/Channel.js"
import * as Escrow from "../../services/Escrow.js"
import * as Message from "../../services/Message.js"
import * as Wallet from "../../services/Wallet.js"
import * as Account from "../../src/protocol/Account.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Base64 from "../../src/solana/Base64.js"
import * as Chromium from "../support/chromium.js"
import { call, field, payer, sent, wire } from "./agave/support.js"
import { addressOf, transfer } from "./support.js"

/** Markup, a change of the writing direction, a control character. */
const HOSTILE = `<img src=x onerror="broken=1">\u202egnp.\u0007`
const SHOWN = `<img src=x onerror="broken=1">U+202Egnp.U+0007`

const cluster = TestWallets.layer.pipe(Layer.provideMerge(Pod.layerEmbedded))

/** An agent, a channel with a hostile name, a message, an escrow, and a transaction that the program refused. */
const story = Effect.gen(function* () {
  const [agents, channels, escrows, messages] = [
    yield* Agent.Agent,
    yield* Channel.Channel,
    yield* Escrow.Escrow,
    yield* Message.Message
  ]
  const { address: agent } = yield* agents.register({ metadataUri: "https://example.com/agent.json", capabilities: 3n })
  const { address: channel } = yield* channels.create({ name: "orders", description: "Orders of the day" })
  yield* escrows.deposit(channel, 50_000_000n)
  const receipts = yield* Effect.forEach(Array.from({ length: 24 }), (_, index) =>
    messages.send({ recipient: addressOf(Keypair.generate()), payload: `order ${index}` })
  )
  const embedded = yield* EmbeddedCluster.EmbeddedCluster
  const stored = yield* call("getAccountInfo", channel, { encoding: "base64" })
  const account = yield* Account.decodeChannel(yield* Base64.decode(String(field(stored, "value", "data", 0))))
  yield* embedded.setAccount({
    address: channel,
    lamports: 5_000_000n,
    owner: PROGRAM_ID,
    data: yield* Account.encode(new Account.ChannelAccount({ ...account, name: HOSTILE, description: HOSTILE }))
  })
  const key = yield* payer
  const unknown = new TransactionInstruction({
    programId: new PublicKey(PROGRAM_ID),
    keys: [],
    data: Buffer.alloc(8, 7)
  })
  const signed = yield* wire([key], unknown)
  const failed = String(yield* call("sendTransaction", signed, { encoding: "base64", skipPreflight: true }))
  return { agent, channel, failed, message: receipts[0]?.address ?? "", signature: receipts[0]?.signature ?? "" }
}).pipe(Effect.provide(Layer.effect(Wallet.Wallet, TestWallets.funded)))

/** Until the expression holds in the page. */
const until = (page: Chromium.Page, expression: string) =>
  Effect.repeat(
    Effect.promise(() => page.evaluate(expression)),
    { until: (value) => value === true, schedule: Schedule.spaced("50 millis") }
  )

/** An expression: whether the page shows the text. */
const text = (part: string) => `document.body.innerText.includes(${JSON.stringify(part)})`

/** Pictures for a person: `PICTURES=folder` writes them. */
const pictures = (page: Chromium.Page, name: string) =>
  Effect.promise(async () => {
    const folder = process.env["PICTURES"]
    if (folder === undefined) return
    for (const scheme of ["light", "dark"] as const) {
      await page.picture(path.join(folder, `explorer-${name}-${scheme}.png`), scheme)
    }
  })

describe
  .skipIf(Chromium.executable === undefined)
  .sequential(
    `the explorer in a browser${Chromium.executable === undefined ? " (SKIPPED: there is no Chromium on the PATH)" : ""}`,
    () => {
      it.scopedLive(
        "Given hostile names on the chain, When each page is opened, Then it is live, and shows them as text",
        () =>
          Effect.gen(function* () {
            const { url } = yield* Server.serve()
            const { agent, channel, failed, message, signature } = yield* story
            const context = yield* Effect.runtime<EmbeddedCluster.EmbeddedCluster>()
            yield* Effect.promise(() =>
              Chromium.withPage(`${url}/`, (page) =>
                Runtime.runPromise(context)(
                  Effect.gen(function* () {
                    const go = (hash: string, shown: string) =>
                      Effect.gen(function* () {
                        yield* Effect.promise(() => page.evaluate(`location.hash = ${JSON.stringify(hash)}`))
                        yield* until(page, `document.documentElement.dataset.shown === location.hash && ${text(shown)}`)
                      })
                    yield* until(page, text("https://example.com/agent.json"))
                    yield* until(page, `document.getElementById("live").className === "live on"`)
                    yield* until(page, text("SendMessage"))
                    yield* pictures(page, "home")

                    // When a transaction lands, Then it appears without a reload
                    const key = yield* payer
                    const landed = yield* sent([key], transfer(key, Keypair.generate().publicKey, 1_000_000_000n))
                    yield* until(page, text(landed.slice(0, 8)))

                    yield* Effect.promise(() =>
                      page.evaluate(
                        `[...document.querySelectorAll(".tabs a")].find((tab) => tab.textContent.startsWith("Channels")).click()`
                      )
                    )
                    yield* until(page, text(SHOWN))
                    yield* go(`#/account/${channel}`, "ChannelAccount")
                    yield* until(page, text(SHOWN))
                    yield* pictures(page, "account")
                    yield* go(`#/account/${agent}`, "AgentAccount")
                    yield* go(`#/account/${message}`, "DirectMessage")
                    yield* go(`#/tx/${signature}`, "MessageSent")
                    yield* pictures(page, "transaction")
                    yield* go(`#/tx/${failed}`, "InstructionFallbackNotFound")
                    yield* go(`#/account/${HOSTILE}`, "Not shown")
                    yield* go("#/slot/999999", "Not shown")

                    assert.strictEqual(yield* Effect.promise(() => page.evaluate("typeof broken")), "undefined")
                    assert.strictEqual(
                      yield* Effect.promise(() =>
                        page.evaluate(`document.querySelectorAll("img, iframe, main script").length`)
                      ),
                      0
                    )
                    const host = new URL(url).host
                    assert.deepStrictEqual(
                      page.requests.filter((asked) => new URL(asked).host !== host && !asked.startsWith("data:")),
                      []
                    )
                    // The browser itself reports the two refused requests.
                    assert.deepStrictEqual(
                      page.errors.filter((error) => !/status of 40[04]/.test(error)),
                      []
                    )
                  })
                )
              )
            )
          }).pipe(Effect.provide(cluster))
      )
    }
  )

it.scopedLive(
  "Given the page, When a client asks for it, Then its policy names all that may run, and where it may connect",
  () =>
    Effect.gen(function* () {
      const { port, url } = yield* Server.serve()
      const get = (path: string, host?: string) =>
        Effect.promise(() => fetch(`${url}${path}`, host === undefined ? {} : { headers: { origin: host } }))
      const reply = yield* get("/")
      const policy = reply.headers.get("content-security-policy") ?? ""
      const html = yield* Effect.promise(() => reply.text())
      for (const [tag, part] of [
        ["script", /<script>(.*)<\/script>/s],
        ["style", /<style>(.*)<\/style>/s]
      ] as const) {
        const hash = createHash("sha256")
          .update(part.exec(html)?.[1] ?? "")
          .digest("base64")
        assert.include(policy, `${tag}-src 'sha256-${hash}'`)
      }
      assert.match(policy, /^default-src 'none'; /)
      assert.include(policy, `connect-src 'self' ws://127.0.0.1:${port + 1}`)
      assert.notInclude(policy, "unsafe")
      assert.notMatch(html, /https?:\/\/(?!www\.w3\.org)/)
      assert.strictEqual((yield* get("/", "https://evil.example")).status, 403)
      for (const [path, status] of [
        ["/explorer/overview", 200],
        ["/explorer/accounts?type=AgentAccount", 200],
        ["/explorer/accounts?type=__proto__", 404],
        ["/explorer/slot?slot=-1", 404],
        ["/explorer/slot?slot=99", 400],
        ["/explorer/account?address=%3Cimg%3E", 400],
        ["/explorer/transaction?signature=", 400],
        ["/explorer/other", 405],
        ["/explorer", 405]
      ] as const) {
        const answered = yield* get(path)
        assert.deepStrictEqual([path, answered.status], [path, status])
      }
    }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false })))
)

it.scopedLive("Given a cluster in instant mode, When its explorer is read, Then no slot passes", () =>
  Effect.gen(function* () {
    const cluster = yield* EmbeddedCluster.EmbeddedCluster
    const { url } = yield* Server.serve()
    for (let read = 0; read < 3; read++) {
      yield* Effect.promise(() => fetch(`${url}/explorer/overview`).then((reply) => reply.text()))
      yield* Effect.sleep("5 millis")
    }
    assert.strictEqual((yield* cluster.activity).slot, 0n)
  }).pipe(Effect.provide(EmbeddedCluster.layer({ podProgram: false, slotDuration: "1 millis" })))
)
