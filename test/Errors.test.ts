import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { inspect } from "node:util"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { Cursor } from "../services/ProtocolEvents.js"
import { RpcError } from "../services/RpcTransport.js"
import { TransactionError } from "../services/Transactions.js"
import { WalletError } from "../services/Wallet.js"
import { InvalidInput } from "../src/InvalidInput.js"
import * as Addresses from "../src/solana/Address.js"
import * as Blockhash from "../src/solana/Blockhash.js"

const HUGE = 2n ** 64n - 1n

const root = path.join(import.meta.dirname, "..")

/** The modules of the package that declare an error. */
const modules = ["src", "services", "layers"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => path.join(root, folder, name))
    .filter((file) => file.endsWith(".ts") && /extends [^{]*\bTaggedError\b/.test(readFileSync(file, "utf8")))
)

type ErrorClass = Schema.Schema<Error, unknown> & (new (props: object) => Error)

const isErrorSchema = (value: unknown): value is ErrorClass =>
  typeof value === "function" && value.prototype instanceof Error && Schema.isSchema(value)

const exported: ReadonlyArray<Record<string, unknown>> = await Promise.all(modules.map((file) => import(file)))
const values = [...new Set(exported.flatMap((module) => Object.values(module)))]
const classes = values.filter(isErrorSchema)

const deep = (levels: number): unknown => {
  let value: unknown = []
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

const circular = (): object => {
  const value: Record<string, unknown> = { list: [] }
  value["self"] = value
  value["list"] = [value, value]
  return value
}

const causedByItself = (): Error => {
  const error = new Error("round")
  error.cause = new Error("and round", { cause: error })
  return error
}

const chain = (links: number): Error => {
  let error = new Error("first")
  for (let link = 0; link < links; link++) error = new Error("next", { cause: error })
  return error
}

class Throwing extends Error {
  override get message(): string {
    throw new Error("no message")
  }
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

const TEXT = "\u001b[2Jgone\u202e\r\nforged\0" + "x".repeat(100_000)

/** What a node, a store, a signer or a library may hand over. */
const hostile: Record<string, () => unknown> = {
  text: () => TEXT,
  bigint: () => 2n ** 64n,
  bigints: () => ({ rentEpoch: 2n ** 64n - 1n, list: [1n] }),
  deepArray: () => deep(5000),
  deeperArray: () => deep(100_000),
  wide: () => Array.from({ length: 100_000 }, () => ({})),
  manyTexts: () => Array.from({ length: 1000 }, () => TEXT),
  circular,
  proto: () => JSON.parse('{"__proto__":{"toJSON":1},"toString":1,"constructor":null,"_tag":"x"}'),
  functions: () => ({
    f: () => 1,
    toJSON: () => {
      throw new Error("no")
    },
    s: Symbol("s"),
    toString: 1
  }),
  throwing: () => ({
    get a() {
      throw new Error("no")
    }
  }),
  revoked,
  bytes: () => new Uint8Array(1000),
  redacted: () => Redacted.make("hidden"),
  symbol: () => Symbol("s"),
  function: () => () => 1,
  null: () => null,
  error: () => new Error(TEXT),
  causedByItself,
  chain: () => chain(5000),
  errorWithProps: () => Object.assign(new Error("x"), { request: circular(), data: TEXT, big: 1n, f: () => 1 }),
  throwingError: () => new Throwing(),
  aggregate: () => new AggregateError([new Error("one"), 2n], ""),
  domException: () => new DOMException(TEXT, "AbortError"),
  ofOurs: () => new RpcError({ reason: "Node", method: "m", detail: "d", cause: causedByItself() })
}

/** One value of a field: hostile where it comes from outside. */
const fieldOf = (ast: AST.AST, value: () => unknown): unknown => {
  if (AST.isUnion(ast)) {
    const one = ast.types.find((type) => !AST.isUndefinedKeyword(type))
    return one === undefined ? undefined : fieldOf(one, value)
  }
  if (AST.isRefinement(ast) && Option.isNone(AST.getIdentifierAnnotation(ast))) return fieldOf(ast.from, value)
  if (AST.isTupleType(ast)) return ast.rest.map(({ type }) => fieldOf(type, value))
  switch (Option.getOrUndefined(AST.getIdentifierAnnotation(ast))) {
    case "SafeText":
      return TEXT
    case "OutsideValue":
    case "OutsideCause":
      return value()
    case "Address":
      return Addresses.SYSTEM_PROGRAM
    case "@pod-protocol/effect/ProtocolEvents/Cursor":
      return new Cursor({
        program: Addresses.SYSTEM_PROGRAM,
        genesis: Blockhash.fromBytes(new Uint8Array(32)),
        slot: HUGE
      })
    case "@pod-protocol/effect/RpcError":
      return new RpcError({ reason: "Node", method: TEXT, detail: TEXT, data: value(), cause: value() })
    default:
      return AST.isLiteral(ast)
        ? ast.literal
        : AST.isNumberKeyword(ast)
          ? 7
          : AST.isBigIntKeyword(ast)
            ? HUGE
            : undefined
  }
}

const fieldsOf = (schema: Schema.Schema.All) => AST.getPropertySignatures(AST.typeAST(schema.ast))

const make = (Class: ErrorClass, value: () => unknown): Error =>
  new Class({
    ...Object.fromEntries(fieldsOf(Class).map(({ name, type }) => [name, fieldOf(type, value)])),
    ...(Class.name === "ProgramError" ? { reason: "Unknown" } : {})
  })

const logged = (cause: Cause.Cause<unknown>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const log = (logger: Logger.Logger<unknown, string>) =>
    Effect.runSync(
      Effect.all([Effect.logError(cause), Effect.logError(Cause.squash(cause)), Effect.logError("it", cause)]).pipe(
        Effect.annotateLogs("error", Cause.squash(cause)),
        Effect.provide(
          Logger.replace(
            Logger.defaultLogger,
            Logger.map(logger, (line) => lines.push(line))
          )
        )
      )
    )
  for (const logger of [Logger.stringLogger, Logger.logfmtLogger, Logger.jsonLogger]) log(logger)
  return lines
}

/** Every way in which an application prints an error. */
const shown = (error: Error): ReadonlyArray<string> => {
  const exit = Exit.fail(error)
  const cause = Cause.fail(error)
  return [
    String(error),
    error.message,
    error.stack ?? "",
    JSON.stringify(error),
    JSON.stringify(exit),
    JSON.stringify(cause),
    String(exit),
    inspect(error, { depth: Infinity, showHidden: true }),
    inspect(structuredClone(error), { depth: Infinity, showHidden: true }),
    Cause.pretty(cause),
    Cause.pretty(cause, { renderErrorCause: true }),
    ...logged(cause)
  ]
}

/** All but the line breaks of stacks. */
const TERMINAL = /(?![\n\t])[\p{Cc}\p{Cf}]/u

describe("every error of the package", () => {
  it("is found", () => {
    expect(classes.length).toBeGreaterThanOrEqual(19)
    expect(classes.map(({ name }) => name)).toEqual(expect.arrayContaining(["RpcError", "WalletError", "JsonError"]))
  })

  it("is a Schema, of which the fields can be looked at", () => {
    const errors = values.filter((value) => typeof value === "function" && value.prototype instanceof Error)
    expect(errors.filter((error) => !isErrorSchema(error))).toEqual([])
  })

  it.each(classes.map((Class) => [Class.name, Class] as const))(
    "Given %s, When its fields are read, Then each text or value from outside has been made safe",
    (_, Class) => {
      for (const { name, type } of fieldsOf(Class)) {
        const parts = AST.isUnion(type)
          ? type.types
          : AST.isTupleType(type)
            ? type.rest.map(({ type }) => type)
            : [type]
        for (const part of parts) {
          expect(AST.isStringKeyword(part) || AST.isUnknownKeyword(part) || AST.isAnyKeyword(part), String(name)).toBe(
            false
          )
        }
      }
    }
  )

  it.each(
    classes.flatMap((Class) => {
      const takesValues = fieldsOf(Class).some(({ name }) => ["cause", "data", "err", "errors"].includes(String(name)))
      return Object.entries(hostile).flatMap(([kind, value], index) =>
        takesValues || index === 0 ? [[Class.name, kind, Class, value] as const] : []
      )
    })
  )(
    "Given %s with hostile texts and %s, When it is printed, logged, written or cloned, Then its name and message are intact",
    (tag, _, Class, value) => {
      const error = make(Class, value)
      const texts = shown(error)
      expect(error).toMatchObject({ _tag: tag, name: tag })
      for (const text of texts) {
        expect(text.length).toBeLessThan(2_000_000)
        expect(text).not.toMatch(TERMINAL)
        expect(text).not.toContain("hidden")
      }
      expect(JSON.parse(JSON.stringify(error))).toMatchObject({ _tag: tag, message: error.message })
      const clone = structuredClone(error)
      expect(clone.message).toBe(error.message)
      expect(clone.stack?.startsWith(`${tag}: ${error.message}`)).toBe(true)
      const again = Schema.decodeUnknownSync(Class)(structuredClone(Schema.encodeUnknownSync(Class)(error)))
      expect(again).toMatchObject({ _tag: tag, message: error.message })
    }
  )
})

describe("errors in a log that writes JSON", () => {
  const errors = [
    new InvalidInput({ field: "amount", rule: "must be a u64", size: HUGE }),
    new RpcError({ reason: "Node", method: "sendTransaction", detail: "refused", data: { rentEpoch: HUGE } }),
    new TransactionError({ reason: "Rejected", detail: "it failed", logs: [], slot: HUGE, err: { units: HUGE } })
  ]
  for (const error of errors) {
    it(`write the bigints of ${error._tag} as decimal strings`, () => {
      // Given an error that holds an integer beyond 2^53, When it is written as JSON
      const written = JSON.stringify(error)
      // Then the integer is whole, and the error still says what it is and why
      expect(written).toContain(`${HUGE}`)
      expect(JSON.parse(written)).toMatchObject({ _tag: error._tag, message: error.message })
    })
  }
})

const causeOf = (cause: unknown) => new WalletError({ reason: "Refused", detail: "no", cause }).cause

describe("the cause of an error", () => {
  it("Given a safe cause, When an error takes it, Then the cause is the same object", () => {
    const system = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED", errno: -111 })
    const ours = new RpcError({ reason: "Node", method: "m", detail: "d" })
    for (const cause of [system, ours, new TypeError("x", { cause: system }), undefined])
      expect(causeOf(cause)).toBe(cause)
  })

  it("Given an unsafe cause, When an error takes it, Then name, message, code and frames are kept", () => {
    class Denied extends Error {
      override readonly name = "Denied"
      readonly code = 4001
      readonly request = circular()
    }
    const denied = new Denied("the user\u001b[0m said no")
    const cause = causeOf(denied)
    expect(cause).toMatchObject({ name: "Denied", message: "the user said no", code: 4001 })
    expect(cause instanceof Error ? cause.stack : "").toContain("Errors.test.ts")
    expect(causeOf({ code: 4001, message: "rejected" })).toEqual({ code: 4001, message: "rejected" })
    expect(causeOf(new AggregateError([new Error("one"), new Error("two")], ""))).toMatchObject({ message: "one; two" })
  })
})

describe("the stack of an error", () => {
  it("Given an error that comes in storms, When it is made, Then it has no frames, and the next error has its own", () => {
    const limit = Error.stackTraceLimit
    const refused = new RpcError({ reason: "RateLimited", method: "m", detail: "d" })
    expect(refused.stack).toContain(refused.message)
    expect(refused.stack).not.toContain("Errors.test.ts")
    expect(new WalletError({ reason: "Refused", detail: "no" }).stack).toContain("Errors.test.ts")
    expect(Error.stackTraceLimit).toBe(limit)
  })

  it("Given fields of another type, When an error is made, Then the check refuses them and leaves the limit", () => {
    const limit = Error.stackTraceLimit
    const fields: unknown = { reason: "none", method: 1, detail: "d" }
    expect(() => Reflect.construct(RpcError, [fields])).toThrow(/reason/)
    expect(Error.stackTraceLimit).toBe(limit)
  })
})
