import { describe, expect, it } from "@effect/vitest"
import * as Kit from "@solana/kit"
import {
  NonceAccount as Web3NonceAccount,
  PublicKey,
  SystemProgram,
  type TransactionInstruction
} from "@solana/web3.js"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Address from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Message from "../../src/solana/Message.js"
import * as NonceAccount from "../../src/solana/NonceAccount.js"
import * as Nonces from "../support/nonces.js"
import { runs } from "../support/runs.js"

const address = Arbitrary.make(Address.Schema)
const u64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(Kit.lamports)
/** web3.js version 1 counts lamports in a `number`. */
const exact = fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) }).map(Kit.lamports)

const isSigner = (role: Kit.AccountRole) => role >= Kit.AccountRole.READONLY_SIGNER
const isWritable = (role: Kit.AccountRole) => (role & Kit.AccountRole.WRITABLE) !== 0

const ofKit = ({ accounts = [], data = new Uint8Array(), programAddress }: Kit.Instruction) => ({
  programAddress,
  accounts: accounts.map(({ address, role }) => [address, isSigner(role), isWritable(role)]),
  data: [...data]
})

const ofWeb3 = ({ data, keys, programId }: TransactionInstruction) => ({
  programAddress: programId.toBase58(),
  accounts: keys.map(({ isSigner, isWritable, pubkey }) => [pubkey.toBase58(), isSigner, isWritable]),
  data: [...data]
})

const key = (address: string) => new PublicKey(address)

const check = <A>(arbitrary: fc.Arbitrary<A>, holds: (value: A) => void, cases = 200) =>
  fc.assert(fc.property(arbitrary, holds), { numRuns: runs(cases) })

const stored = fc.record({ authority: address, nonce: Arbitrary.make(Blockhash.Schema), lamportsPerSignature: u64 })

describe("NonceAccount: instructions", () => {
  it("Given any account and authority, When each instruction is made, Then web3.js makes the same", () => {
    check(
      fc.record({ account: address, authority: address, other: address, lamports: exact }),
      ({ account, authority, lamports, other }) => {
        const web3 = { noncePubkey: key(account), authorizedPubkey: key(authority) }
        expect(NonceAccount.create({ payer: other, account, authority, lamports }).map(ofKit)).toStrictEqual(
          SystemProgram.createNonceAccount({
            ...web3,
            fromPubkey: key(other),
            lamports: Number(lamports)
          }).instructions.map(ofWeb3)
        )
        expect(ofKit(NonceAccount.advance({ account, authority }))).toStrictEqual(
          ofWeb3(SystemProgram.nonceAdvance(web3))
        )
        expect(ofKit(NonceAccount.withdraw({ account, authority, to: other, lamports }))).toStrictEqual(
          ofWeb3(SystemProgram.nonceWithdraw({ ...web3, toPubkey: key(other), lamports: Number(lamports) }))
        )
        expect(ofKit(NonceAccount.authorize({ account, authority, newAuthority: other }))).toStrictEqual(
          ofWeb3(SystemProgram.nonceAuthorize({ ...web3, newAuthorizedPubkey: key(other) }))
        )
      }
    )
  })

  it("Given any account and authority, When Kit reads the advance, Then it recognises it as its own first instruction", () => {
    check(fc.record({ account: address, authority: address, payer: address, nonce: address }), (input) => {
      const advance = NonceAccount.advance(input)
      expect(Kit.isAdvanceNonceAccountInstruction(advance)).toBe(true)
      const message = Kit.pipe(
        Kit.createTransactionMessage({ version: 0 }),
        (message) => Kit.setTransactionMessageFeePayer(input.payer, message),
        (message) =>
          Kit.setTransactionMessageLifetimeUsingDurableNonce(
            {
              // Kit has no constructor for its brand.
              nonce: input.nonce as string as Kit.Nonce,
              nonceAccountAddress: input.account,
              nonceAuthorityAddress: input.authority
            },
            message
          )
      )
      expect(ofKit(advance)).toStrictEqual(ofKit(message.instructions[0]))
      const compiled = Kit.getCompiledTransactionMessageEncoder().encode(Kit.compileTransactionMessage(message))
      expect(NonceAccount.advancedBy(Either.getOrThrow(Message.decode(Uint8Array.from(compiled))))).toBe(input.account)
    })
  })

  it("Given messages that begin with something else, When it is looked for, Then no nonce is advanced", () => {
    const [payer, account, authority] = fc.sample(address, 3)
    if (payer === undefined || account === undefined || authority === undefined) return expect.fail()
    const advance = NonceAccount.advance({ account, authority })
    const other: Kit.Instruction = { programAddress: authority, data: Uint8Array.of(4, 0, 0, 0) }
    const [first, ...accounts] = advance.accounts ?? []
    if (first === undefined) return expect.fail()
    const cases: ReadonlyArray<ReadonlyArray<Kit.Instruction>> = [
      [other],
      [NonceAccount.authorize({ account, authority, newAuthority: payer }), advance],
      [{ ...advance, data: Uint8Array.of(4, 0, 0) }],
      [{ ...advance, accounts: [] }],
      [{ ...advance, accounts: [{ ...first, role: Kit.AccountRole.READONLY }, ...accounts] }]
    ]
    for (const instructions of cases) {
      const bytes = Message.compile({
        feePayer: payer,
        blockhash: Blockhash.fromBytes(new Uint8Array(32)),
        instructions
      })
      const message = Either.getOrThrow(Either.flatMap(bytes, Message.decode))
      expect(NonceAccount.advancedBy(message)).toBeUndefined()
    }
  })
})

describe("NonceAccount: decode", () => {
  it("Given a nonce account that the runtime stored, When it is decoded, Then web3.js reads the same", () => {
    check(stored, (stored) => {
      const bytes = Nonces.dataOf(stored)
      const decoded = Either.getOrThrow(NonceAccount.decode(bytes))
      if (decoded._tag === "Uninitialized") return expect.fail()
      const web3 = Web3NonceAccount.fromAccountData(bytes)
      expect(decoded).toMatchObject({ authority: web3.authorizedPubkey.toBase58(), nonce: web3.nonce })
      expect(Number(decoded.lamportsPerSignature)).toBe(web3.feeCalculator.lamportsPerSignature)
      expect(decoded).toStrictEqual({
        _tag: "Initialized",
        version: "current",
        ...stored
      })
      const schema = Schema.parseJson(NonceAccount.NonceAccount)
      expect(Schema.decodeSync(schema)(Schema.encodeSync(schema)(decoded))).toStrictEqual(decoded)
    })
  })

  it("Given each version and state, When it is decoded, Then it is recognised, or refused with its reason", () => {
    check(stored, (stored) => {
      const decode = (version: number, state: number) =>
        NonceAccount.decode(Nonces.dataOf({ ...stored, version, state }))
      expect(decode(0, 1)).toMatchObject(Either.right({ _tag: "Initialized", version: "legacy" }))
      expect(decode(0, 0)).toStrictEqual(Either.right({ _tag: "Uninitialized", version: "legacy" }))
      expect(decode(1, 0)).toStrictEqual(Either.right({ _tag: "Uninitialized", version: "current" }))
      expect(decode(2, 1)).toMatchObject(Either.left({ reason: "Version" }))
      expect(decode(0xffff_ffff, 1)).toMatchObject(Either.left({ reason: "Version" }))
      expect(decode(1, 2)).toMatchObject(Either.left({ reason: "State" }))
    })
  })

  it("Given any bytes anywhere in a buffer, When they are decoded, Then they decode or fail with the typed error", () => {
    const sizes = fc.oneof(fc.constant(NonceAccount.SIZE), fc.nat(200))
    const bytes = sizes.chain((size) => fc.uint8Array({ minLength: size, maxLength: size }))
    check(fc.tuple(fc.nat(9), bytes), ([offset, bytes]) => {
      const buffer = new Uint8Array(offset + bytes.length)
      buffer.set(bytes, offset)
      const decoded = NonceAccount.decode(buffer.subarray(offset))
      expect(decoded).toStrictEqual(NonceAccount.decode(bytes))
      if (Either.isLeft(decoded)) expect(decoded.left).toBeInstanceOf(NonceAccount.NonceAccountError)
      if (bytes.length !== NonceAccount.SIZE) expect(decoded).toMatchObject(Either.left({ reason: "Size" }))
    })
  })
})
