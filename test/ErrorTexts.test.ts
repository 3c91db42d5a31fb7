/** The message of each error, for each of its reasons: what happened, to what it happened, and what to do. */
import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import * as Embedded from "../layers/EmbeddedCluster.js"
import * as Causes from "../layers/internal/Causes.js"
import * as Handshake from "../layers/internal/Handshake.js"
import * as PayloadServer from "../layers/PayloadServer.js"
import { PayloadStoreS3Error } from "../layers/PayloadStoreS3.js"
import { PrometheusServerError } from "../layers/PrometheusServerNode.js"
import { CacheError } from "../services/CacheStore.js"
import { EndpointsError } from "../services/EndpointsError.js"
import * as Closing from "../services/internal/closing.js"
import { notSent } from "../services/internal/endBy.js"
import { JournalError } from "../services/Journal.js"
import { MemoryMonitorError } from "../services/MemoryMonitor.js"
import { PayloadNotFound } from "../services/Message.js"
import { PayloadStoreError } from "../services/PayloadStore.js"
import { ProfilerError } from "../services/Profiler.js"
import { AccountNotFound } from "../services/ProgramAccount.js"
import { Cursor, HistoryLost, Overflow } from "../services/ProtocolEvents.js"
import { RpcError, SubscriptionError } from "../services/RpcTransport.js"
import { SealedError } from "../services/Sealing.js"
import { SignedTransaction } from "../services/SignedTransaction.js"
import { TaskPoolError } from "../services/TaskPool.js"
import { TransactionError } from "../services/Transactions.js"
import * as Outcomes from "../services/transactions/confirm/outcomes.js"
import * as Failure from "../services/transactions/Failure.js"
import { WalletError } from "../services/Wallet.js"
import { WorkerError } from "../services/WorkerPool.js"
import { MalformedProfile } from "../src/observe/CpuProfile.js"
import { AccountDecodeError } from "../src/protocol/Account.js"
import { EnvelopeDecodeError } from "../src/protocol/Envelope.js"
import { EventDecodeError } from "../src/protocol/Event.js"
import { InstructionDecodeError } from "../src/protocol/Instruction.js"
import { details } from "../src/protocol/internal/errorReasons.js"
import * as ProgramError from "../src/protocol/ProgramError.js"
import { UnreadableTransaction } from "../src/protocol/ProtocolEvent.js"
import * as Addresses from "../src/solana/Address.js"
import * as Blockhashes from "../src/solana/Blockhash.js"
import { JsonError } from "../src/solana/Json.js"
import { NonceAccountError } from "../src/solana/NonceAccount.js"
import * as Signatures from "../src/solana/Signature.js"
import { WireError } from "../src/solana/WireError.js"

const ADDRESS = Addresses.fromBytes(new Uint8Array(32).fill(7))
const HASH = "ab".repeat(32)
const GENESIS = Blockhashes.fromBytes(new Uint8Array(32).fill(9))
const SIGNATURE = Signatures.fromBytes(new Uint8Array(64).fill(4))
const full = Object.assign(new Error("write"), { code: "ENOSPC", path: "/data/a" })
const signed = SignedTransaction.make({
  signature: SIGNATURE,
  wire: new Uint8Array(0),
  lifetime: { blockhash: GENESIS, lastValidBlockHeight: 321n },
  fee: 5000n
})

const call = (reason: RpcError["reason"], detail: string, rest: object = {}) =>
  new RpcError({ reason, method: "getSlot", host: "node.example", detail, ...rest })
const subscription = (reason: SubscriptionError["reason"], detail: string, rest: object = {}) =>
  new SubscriptionError({ reason, method: "logsSubscribe", host: "node.example", detail, ...rest })
const failed = (err: unknown, rest: Partial<Failure.Failed> = {}) =>
  Failure.reporter(ADDRESS)({ reason: "Simulation", err, logs: [], wire: new Uint8Array(0), ...rest })

/** One error for each reason at least, with what its message must show. */
const table: ReadonlyArray<readonly [error: Error & { readonly reason?: string }, shown: ReadonlyArray<string>]> = [
  [
    call("Transport", Causes.explain(Object.assign(new Error(""), { code: "ECONNREFUSED" }))),
    ["getSlot", "node.example"]
  ],
  [call("Transport", "not sent, the endpoint has failed several times in a row"), ["node.example"]],
  [call("Timeout", "no answer within the 250 ms that were left"), ["250 ms"]],
  [notSent("a blockhash"), ["sendTransaction", "a blockhash"]],
  [call("RateLimited", "HTTP status 429", { status: 429, retryAfter: Duration.seconds(2) }), ["429", "2000 ms"]],
  [call("RateLimited", "not sent, 5 calls are waiting already"), ["5 calls"]],
  [call("HttpStatus", "HTTP status 401: no key", { status: 401 }), ["401", "no key", "headers"]],
  [call("HttpStatus", "HTTP status 503: busy", { status: 503 }), ["503"]],
  [call("HttpStatus", "HTTP status 404", { status: 404 }), ["404", "URL"]],
  [call("HttpStatus", "HTTP status 413", { status: 413 }), ["413"]],
  [call("Decode", "expected a u64 at result.value"), ["result.value"]],
  [call("Node", "Node is behind by 42 slots", { code: -32005 }), ["42 slots", "-32005"]],
  [call("Node", "Invalid params: x", { code: -32602 }), ["-32602", "parameters"]],
  [call("Node", "Transaction simulation failed", { code: -32002 }), ["-32002"]],
  [Closing.call("getSlot", "node.example"), ["closed"]],
  [subscription("Connect", Handshake.failed({ status: 403 }).detail), ["403"]],
  [subscription("Connect", "the WebSocket could not be created"), ["wsUrl"]],
  [subscription("Timeout", "the node did not answer in time"), ["logsSubscribe"]],
  [subscription("Closed", "the WebSocket was closed (1006)"), ["1006"]],
  [subscription("Refused", "Invalid params: x", { code: -32602 }), ["-32602"]],
  [subscription("Refused", "subscription limit reached", { code: -32603 }), ["limit"]],
  [subscription("Decode", "expected a u64 at result"), ["result"]],
  [
    subscription("Overflow", "the subscriber left 9 notifications unread, more than its buffer holds"),
    ["9 notifications"]
  ],
  [Closing.subscription("logs", "node.example"), ["closed"]],
  [
    new EndpointsError({
      reason: "WrongGenesis",
      host: "b",
      detail: `it belongs to the cluster with genesis ${GENESIS}, not x`
    }),
    [GENESIS]
  ],
  [new EndpointsError({ reason: "NoProgram", host: "b", detail: `it has no program ${ADDRESS}` }), [ADDRESS]],
  [
    new EndpointsError({
      reason: "Unreachable",
      host: "b",
      detail: "no endpoint has returned the genesis hash of its cluster"
    }),
    ["b"]
  ],
  [failed("BlockhashNotFound"), ["BlockhashNotFound"]],
  [failed("AccountInUse", { signed }), [SIGNATURE, "resume"]],
  [failed("AccountInUse", { reason: "Rejected", signature: SIGNATURE }), [SIGNATURE, "AccountInUse"]],
  [Outcomes.expired(signed, undefined), [SIGNATURE, "321"]],
  [Outcomes.unconfirmed(signed, undefined), [SIGNATURE]],
  [Outcomes.contradicted(signed), [SIGNATURE]],
  [Outcomes.forgotten(signed, 77n), ["slot 77"]],
  [Outcomes.closed({ mayHaveArrived: false, signed }), [SIGNATURE, "not sent"]],
  [Outcomes.closed({ mayHaveArrived: true, signed }), [SIGNATURE, "unknown", "resume"]],
  [Failure.refused(signed, call("Node", "no", { code: -32003 })), [SIGNATURE]],
  [
    new TransactionError({
      reason: "Unrecorded",
      detail: `it was not sent, because the journal could not be written: ${new JournalError({ reason: "Full" }).message}`,
      logs: []
    }),
    ["not sent"]
  ],
  [
    new WalletError({ reason: "Refused", detail: "the signer did not sign; ask its owner to accept, and try again" }),
    []
  ],
  [
    new WalletError({
      reason: "Modified",
      address: ADDRESS,
      detail: "the signer changed the transaction before it signed it; use one that signs without changes"
    }),
    [ADDRESS]
  ],
  [
    new WalletError({
      reason: "InvalidSignature",
      detail: "the wallet did not return a signature of 64 bytes; check that it has the key of this address"
    }),
    []
  ],
  [
    new WalletError({
      reason: "Unsupported",
      detail: "this signer can only sign and send in one step; use one that signs without sending"
    }),
    []
  ],
  [new WalletError({ reason: "KeyFile", detail: "keypair file a.json is a folder: name the file in it" }), ["a.json"]],
  [new JournalError({ reason: "Foreign" }), []],
  [new JournalError({ reason: "Full", detail: "9 entries are pending" }), ["9 entries"]],
  [new JournalError({ reason: "Unavailable", cause: full }), ["ENOSPC", "/data/a"]],
  [new CacheError({ reason: "Corrupt" }), []],
  [new CacheError({ reason: "Full" }), []],
  [new CacheError({ reason: "Busy" }), []],
  [new CacheError({ reason: "MissingPackage" }), []],
  [new CacheError({ reason: "Unavailable", cause: full }), ["ENOSPC"]],
  [new PayloadStoreError({ reason: "NotFound", hash: HASH }), [HASH]],
  [new PayloadStoreError({ reason: "HashMismatch", hash: HASH }), [HASH]],
  [new PayloadStoreError({ reason: "TooLarge", hash: HASH, size: 9 }), ["9 bytes"]],
  [new PayloadStoreError({ reason: "Full", hash: HASH, host: "s" }), [HASH, "s"]],
  [new PayloadStoreError({ reason: "Refused", hash: HASH }), [HASH]],
  [new PayloadStoreError({ reason: "Unavailable", hash: HASH, cause: full }), [HASH, "ENOSPC"]],
  [
    new PayloadNotFound({
      account: ADDRESS,
      hash: HASH,
      sender: ADDRESS,
      recipient: ADDRESS,
      createdAt: 1n,
      expiresAt: 2n,
      waited: 30
    }),
    [HASH, "30 ms"]
  ],
  [PayloadServer.storageFailed(full), ["ENOSPC"]],
  [new SealedError({ reason: "Malformed" }), []],
  [new SealedError({ reason: "Unsupported" }), []],
  [new SealedError({ reason: "NoWallet", recipient: ADDRESS }), [ADDRESS]],
  [new SealedError({ reason: "NotRecipient", recipient: ADDRESS }), [ADDRESS]],
  [new SealedError({ reason: "CannotUnseal", recipient: ADDRESS }), [ADDRESS]],
  [new SealedError({ reason: "Rejected" }), []],
  [new SealedError({ reason: "CannotDerive" }), []],
  [new SealedError({ reason: "MissingPackage", detail: "x 1.0.0" }), ["x 1.0.0"]],
  [new SealedError({ reason: "NoSealing" }), []],
  [new SealedError({ reason: "NoSealingKey", recipient: ADDRESS }), [ADDRESS]],
  [new SealedError({ reason: "NoPublishedKey", recipient: ADDRESS }), [ADDRESS]],
  [new SealedError({ reason: "KeyUnavailable", recipient: ADDRESS }), [ADDRESS]],
  [new SealedError({ reason: "BadPublishedKey", recipient: ADDRESS }), [ADDRESS]],
  [new PayloadStoreS3Error({ reason: "MissingPackage" }), []],
  [new MemoryMonitorError({ reason: "NotAvailable" }), []],
  [new MemoryMonitorError({ reason: "TooOften" }), []],
  [new TaskPoolError({ reason: "Timeout", limit: 50 }), ["50 ms"]],
  [new TaskPoolError({ reason: "Full", limit: 8 }), ["8 tasks"]],
  ...(["Timeout", "Crashed", "Full", "NotFound", "Encode", "Decode", "Task", "Closed"] as const).map(
    (reason) => [new WorkerError({ reason, task: "hash", detail: "it ended" }), ["hash"]] as const
  ),
  ...(["AlreadyRunning", "NotAvailable", "NoRoom", "Write", "Malformed"] as const).map(
    (reason) => [new ProfilerError({ reason, detail: "The file a.json" }), ["a.json"]] as const
  ),
  ...(["NotJson", "Malformed", "TooLarge"] as const).map(
    (reason) => [new MalformedProfile({ reason, detail: "it is cut" }), ["it is cut"]] as const
  ),
  [new HistoryLost({ from: 5n, to: 9n }), ["5", "9"]],
  [new Overflow({ cursor: new Cursor({ program: ADDRESS, genesis: GENESIS, slot: 44n }) }), ["44"]],
  [new AccountNotFound({ account: "AgentAccount", address: ADDRESS }), ["AgentAccount", ADDRESS]],
  ...(["Discriminator", "Layout"] as const).flatMap((reason) => {
    const fields = { reason, field: "name", offset: 8, rule: "must have 9 bytes" }
    return [
      [new AccountDecodeError({ ...fields, account: "AgentAccount" }), ["AgentAccount", "9 bytes"]] as const,
      [new EventDecodeError({ ...fields, event: "MessageSent" }), ["MessageSent.name", "byte 8"]] as const,
      [new InstructionDecodeError({ ...fields, instruction: "SendMessage" }), ["SendMessage.name", "byte 8"]] as const
    ]
  }),
  [new EventDecodeError({ reason: "Base64", field: "data", offset: 0, rule: "must be base64" }), ["event.data"]],
  ...(["TooShort", "Magic", "Version", "Text"] as const).map(
    (reason) => [new EnvelopeDecodeError({ reason, size: 3 }), []] as const
  ),
  ...(["Meta", "Signature"] as const).map(
    (reason) => [new UnreadableTransaction({ reason, signature: SIGNATURE }), [SIGNATURE]] as const
  ),
  [new JsonError({ detail: "Unexpected end", size: 9 }), ["9 characters", "Unexpected end"]],
  ...(["Size", "Version", "State", "Owner"] as const).map(
    (reason) => [new NonceAccountError({ reason, detail: "it has 79 bytes instead of 80" }), ["79 bytes"]] as const
  ),
  ...(
    [
      "Truncated",
      "TrailingBytes",
      "NonCanonicalLength",
      "UnsupportedVersion",
      "InvalidHeader",
      "IndexOutOfRange",
      "InvalidLookup",
      "SignatureCount",
      "TooLarge"
    ] as const
  ).map((reason) => [new WireError({ reason, offset: 12, detail: "it ends there" }), ["byte 12"]] as const)
]

/** Its detail is the whole message, and is checked where it is made. */
const WHOLE: ReadonlyArray<readonly [Error & { readonly reason: string }, []]> = [
  ...(["PortTaken", "Listen"] as const).flatMap((reason) => [
    [new PrometheusServerError({ reason, detail: "port 1 of a is taken: choose another" }), []] as const,
    [new PayloadServer.PayloadServerError({ reason, detail: "port 1 of a is taken: choose another" }), []] as const
  ]),
  ...(["LiteSvmMissing", "ProgramMissing", "ProgramInvalid", "PortTaken", "Ledger", "Listen"] as const).map(
    (reason) =>
      [new Embedded.EmbeddedClusterError({ reason, detail: "port 1 of a is taken: choose another" }), []] as const
  )
].map(([error]) => [error, []])

const entries = [...table, ...WHOLE]

/** What a sentence that says what to do begins with, after what happened. */
const ADVICE =
  /[:;.,] (?:Then |or |and |if .{1,40}, )?(?:activate|add|allow|ask|build|call|change|check|choose|close|create|do not|free|fund|give|install|leave|let|look|lower|make|name|open|pay|provide|put|raise|read|record|recover|register|renew|resume|run|see|send|set|sign|start|stop|subscribe|try|update|use|wait|deposit|join|mount|free|fewer|the URL may)\b/i

/** Words that come again: three of them in a row, twice. */
const twice = (text: string): string | undefined => {
  const words = text.toLowerCase().split(/[^a-z0-9]+/)
  const seen = new Set<string>()
  for (let at = 0; at + 3 < words.length; at++) {
    const some = words.slice(at, at + 4).join(" ")
    if (seen.has(some)) return some
    seen.add(some)
  }
  return undefined
}

const reasonsOf = (error: Error): ReadonlyArray<unknown> => {
  const { constructor } = error
  if (!Schema.isSchema(constructor)) return []
  const reason = AST.getPropertySignatures(AST.typeAST(constructor.ast)).find(({ name }) => name === "reason")?.type
  const types = reason === undefined ? [] : AST.isUnion(reason) ? reason.types : [reason]
  return types.flatMap((type) => (AST.isLiteral(type) ? [type.literal] : []))
}

describe("the message of an error", () => {
  it("Given each class, When its reasons are counted, Then the table has an error for each", () => {
    for (const [error] of entries) {
      const present = entries.flatMap(([other]) => (other.name === error.name ? [other.reason] : []))
      expect(
        reasonsOf(error).filter((reason) => !present.some((one) => one === reason)),
        error.name
      ).toEqual([])
    }
  })

  it.each(entries.map(([error, shown]) => [`${error.name} ${error.reason ?? ""}`, error, shown] as const))(
    "Given %s, When it is read, Then it says what happened and what to do, and nothing twice",
    (_, { message }, shown) => {
      for (const fact of shown) expect(message).toContain(fact)
      expect(message).toMatch(ADVICE)
      expect(twice(message), message).toBeUndefined()
      expect(message.length).toBeLessThan(420)
    }
  )

  it("Given each refusal of the program and its framework, When it is read, Then it says what to do", () => {
    for (const [reason, detail] of details) {
      const error = new ProgramError.ProgramError({
        reason: Schema.decodeUnknownSync(ProgramError.ProgramError.fields.reason)(reason),
        program: ADDRESS,
        detail,
        logs: []
      })
      expect(error.message, reason).toMatch(ADVICE)
      expect(twice(error.message), reason).toBeUndefined()
      expect(error.message.split(reason), reason).toHaveLength(2)
    }
  })

  it("Given each failure of a connection, When it is explained, Then the text says what to do", () => {
    for (const code of Causes.codes) {
      const text = Causes.explain(Object.assign(new Error("x"), { code }))
      expect(text, code).toMatch(ADVICE)
      expect(text).toContain(code)
    }
  })
})
