import { expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Decoders from "../../../services/rpc/Decoders.js"

const decoded = (err: unknown) => Decoders.signatureResult({ err })

it.each([
  ["no failure", null],
  ["a name", "AccountInUse"],
  ["a name with details", { InstructionError: [0, { Custom: 6000 }] }],
  ["a name that is not known", { Martian: true }]
])("Given the error of a transaction, %s, When it is decoded, Then it stands", (_, err) =>
  expect(decoded(err)).toEqual(Either.right({ err }))
)

it.each([
  ["absent", undefined],
  ["false", false],
  ["zero", 0],
  ["an empty text", ""],
  ["a list", ["AccountInUse"]],
  ["no name", {}],
  ["two names", { AccountInUse: null, AccountNotFound: null }]
])("Given no error of a transaction, %s, When it is decoded, Then the reply is refused", (_, err) =>
  expect(Either.isLeft(decoded(err))).toBe(true)
)
