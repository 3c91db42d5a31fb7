/** Tokens: balances, accounts and supplies, as clients ask for them. */
import { assert, layer } from "@effect/vitest"
import {
  findAssociatedTokenPda,
  getCreateAssociatedTokenIdempotentInstruction,
  getInitializeMint2Instruction,
  getInitializeMultisig2Instruction,
  getMintToInstruction,
  getApproveInstruction,
  getSyncNativeInstruction,
  getTransferCheckedInstruction,
  TOKEN_PROGRAM_ADDRESS
} from "@solana-program/token"
import { type Address, createNoopSigner } from "@solana/kit"
import { Keypair, SystemProgram } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import { addressOf } from "../support.js"
import { call, field, keyOf, payer, refusalOf, sent, value, web3 } from "./support.js"

const INVALID_PARAMS = -32602
const NATIVE_MINT = "So11111111111111111111111111111111111111112" as Address
const DECIMALS = 2

const allocate = (from: Keypair, account: Keypair, space: number) =>
  SystemProgram.createAccount({
    fromPubkey: from.publicKey,
    newAccountPubkey: account.publicKey,
    lamports: 10_000_000,
    space,
    programId: keyOf(TOKEN_PROGRAM_ADDRESS)
  })

const associated = (owner: Address, mint: Address) =>
  Effect.map(
    Effect.promise(() => findAssociatedTokenPda({ owner, mint, tokenProgram: TOKEN_PROGRAM_ADDRESS })),
    ([address]) => address
  )

/** A mint with 2 decimals, and 1,234 units of it in the payer's token account. */
const minted = Effect.gen(function* () {
  const key = yield* payer
  const [owner, mintKey] = [addressOf(key), Keypair.generate()]
  const mint = addressOf(mintKey)
  const account = yield* associated(owner, mint)
  const signature = yield* sent(
    [key, mintKey],
    allocate(key, mintKey, 82),
    web3(getInitializeMint2Instruction({ mint, decimals: DECIMALS, mintAuthority: owner })),
    web3(getCreateAssociatedTokenIdempotentInstruction({ payer: createNoopSigner(owner), ata: account, owner, mint })),
    web3(getMintToInstruction({ mint, token: account, mintAuthority: createNoopSigner(owner), amount: 1234n }))
  )
  return { key, owner, mint, account, signature }
})

const byIndex = (left: unknown, right: unknown) =>
  Number(field(left, "accountIndex")) - Number(field(right, "accountIndex"))

const AMOUNT = { amount: "1234", decimals: DECIMALS, uiAmount: 12.34, uiAmountString: "12.34" }

layer(EmbeddedCluster.layer(), { excludeTestServices: true })("tokens", (it) => {
  it.effect("getTokenAccountBalance: the amount in units of the mint's decimals", () =>
    Effect.gen(function* () {
      const { account, mint, owner } = yield* minted
      assert.deepStrictEqual(yield* value("getTokenAccountBalance", account), AMOUNT)
      const messages = yield* Effect.forEach([mint, owner, addressOf(Keypair.generate())], (address) =>
        refusalOf("getTokenAccountBalance", address)
      )
      assert.deepStrictEqual(
        messages.map(({ code, message }) => [code, message]),
        [
          [INVALID_PARAMS, "Invalid param: not a Token account"],
          [INVALID_PARAMS, "Invalid param: not a Token account"],
          [INVALID_PARAMS, "Invalid param: could not find account"]
        ]
      )
    })
  )

  it.effect("getTokenSupply: the supply, and why there is none", () =>
    Effect.gen(function* () {
      const { account, mint, owner } = yield* minted
      assert.deepStrictEqual(yield* value("getTokenSupply", mint), AMOUNT)
      assert.strictEqual((yield* refusalOf("getTokenSupply", owner)).message, "Invalid param: not a Token mint")
      assert.strictEqual((yield* refusalOf("getTokenSupply", account)).code, INVALID_PARAMS)
    })
  )

  it.effect("getTokenAccountsByOwner and ByDelegate: by mint and by program, with the errors of a node", () =>
    Effect.gen(function* () {
      const { account, key, mint, owner } = yield* minted
      const delegate = addressOf(Keypair.generate())
      yield* sent(
        [key],
        web3(getApproveInstruction({ source: account, delegate, owner: createNoopSigner(owner), amount: 5n }))
      )
      const options = { encoding: "jsonParsed" }
      for (const filter of [{ mint }, { programId: TOKEN_PROGRAM_ADDRESS }]) {
        const owned = yield* value("getTokenAccountsByOwner", owner, filter, options)
        assert.strictEqual(field(owned, 0, "pubkey"), account)
        const info = field(owned, 0, "account", "data", "parsed", "info")
        assert.deepInclude(info, { mint, owner, tokenAmount: AMOUNT, delegate, state: "initialized", isNative: false })
        assert.strictEqual(field(info, "delegatedAmount", "uiAmountString"), "0.05")
        assert.deepStrictEqual(yield* value("getTokenAccountsByDelegate", delegate, filter, options), owned)
      }
      assert.deepStrictEqual(yield* value("getTokenAccountsByOwner", delegate, { mint }, options), [])
      const stranger = addressOf(Keypair.generate())
      for (const [filter, message] of [
        [{ programId: stranger }, "Invalid param: unrecognized Token program id"],
        [{ mint: stranger }, "Invalid param: could not find mint"],
        [{ mint: "x" }, "Invalid param: WrongSize"]
      ] as const) {
        const refused = yield* refusalOf("getTokenAccountsByOwner", owner, filter)
        assert.strictEqual(refused.code, INVALID_PARAMS)
        assert.match(refused.message, new RegExp(`^(${message}|Invalid param: Invalid)$`))
      }
      const late = yield* refusalOf("getTokenAccountsByOwner", owner, { mint }, { minContextSlot: 1e9 })
      assert.strictEqual(late.code, -32016)
      assert.strictEqual((yield* refusalOf("getTokenAccountsByOwner", owner, {})).code, INVALID_PARAMS)
      assert.strictEqual((yield* refusalOf("getTokenAccountsByOwner", owner)).code, INVALID_PARAMS)
    })
  )

  it.effect("getTokenLargestAccounts: the largest first", () =>
    Effect.gen(function* () {
      const { account, key, mint, owner } = yield* minted
      const other = addressOf(Keypair.generate())
      const ata = yield* associated(other, mint)
      const signer = createNoopSigner(owner)
      yield* sent(
        [key],
        web3(getCreateAssociatedTokenIdempotentInstruction({ payer: signer, ata, owner: other, mint })),
        web3(getMintToInstruction({ mint, token: ata, mintAuthority: signer, amount: 2000n }))
      )
      assert.deepStrictEqual(yield* value("getTokenLargestAccounts", mint), [
        { address: ata, amount: "2000", decimals: DECIMALS, uiAmount: 20, uiAmountString: "20" },
        { address: account, ...AMOUNT }
      ])
      assert.strictEqual(
        (yield* refusalOf("getTokenLargestAccounts", other)).message,
        "Invalid param: could not find mint"
      )
    })
  )

  it.effect("preTokenBalances and postTokenBalances: before and after a transfer", () =>
    Effect.gen(function* () {
      const { account, key, mint, owner } = yield* minted
      const other = addressOf(Keypair.generate())
      const ata = yield* associated(other, mint)
      const signer = createNoopSigner(owner)
      const signature = yield* sent(
        [key],
        web3(getCreateAssociatedTokenIdempotentInstruction({ payer: signer, ata, owner: other, mint })),
        web3(
          getTransferCheckedInstruction({
            source: account,
            mint,
            destination: ata,
            authority: signer,
            amount: 34n,
            decimals: DECIMALS
          })
        )
      )
      const transaction = yield* call("getTransaction", signature, { encoding: "jsonParsed" })
      const keys = [field(transaction, "transaction", "message", "accountKeys")].flat()
      const indexOf = (address: Address) => keys.findIndex((key) => field(key, "pubkey") === address)
      const balance = (address: Address, holder: Address, amount: string, text: string) => ({
        accountIndex: indexOf(address),
        mint,
        owner: holder,
        programId: TOKEN_PROGRAM_ADDRESS,
        uiTokenAmount: { amount, decimals: DECIMALS, uiAmount: Number(text), uiAmountString: text }
      })
      assert.deepStrictEqual(field(transaction, "meta", "preTokenBalances"), [balance(account, owner, "1234", "12.34")])
      assert.deepStrictEqual(
        field(transaction, "meta", "postTokenBalances"),
        [balance(account, owner, "1200", "12"), balance(ata, other, "34", "0.34")].toSorted(byIndex)
      )
      const parsed = field(transaction, "transaction", "message", "instructions", 1)
      assert.deepStrictEqual(parsed, {
        program: "spl-token",
        programId: TOKEN_PROGRAM_ADDRESS,
        parsed: {
          type: "transferChecked",
          info: {
            source: account,
            mint,
            destination: ata,
            tokenAmount: { amount: "34", decimals: DECIMALS, uiAmount: 0.34, uiAmountString: "0.34" },
            authority: owner
          }
        },
        stackHeight: 1
      })
      const created = field(transaction, "transaction", "message", "instructions", 0, "parsed")
      assert.strictEqual(field(created, "type"), "createIdempotent")
      assert.deepInclude(field(created, "info"), { source: owner, account: ata, wallet: other, mint })
      const inner = [field(transaction, "meta", "innerInstructions", 0, "instructions")].flat()
      assert.includeMembers(
        inner.map((instruction) => field(instruction, "parsed", "type")),
        ["getAccountDataSize", "createAccount", "initializeImmutableOwner", "initializeAccount3"]
      )
    })
  )

  it.effect("the wrapped-SOL mint exists, and wrapped SOL can be used", () =>
    Effect.gen(function* () {
      const mint = yield* value("getAccountInfo", NATIVE_MINT, { encoding: "jsonParsed" })
      assert.deepInclude(mint, { owner: TOKEN_PROGRAM_ADDRESS, space: 82 })
      const key = yield* payer
      const owner = addressOf(key)
      const ata = yield* associated(owner, NATIVE_MINT)
      yield* sent(
        [key],
        web3(
          getCreateAssociatedTokenIdempotentInstruction({
            payer: createNoopSigner(owner),
            ata,
            owner,
            mint: NATIVE_MINT
          })
        ),
        SystemProgram.transfer({ fromPubkey: key.publicKey, toPubkey: keyOf(ata), lamports: 1_000_000_000 }),
        web3(getSyncNativeInstruction({ account: ata }))
      )
      assert.strictEqual(field(yield* value("getTokenAccountBalance", ata), "uiAmountString"), "1")
      const parsed = yield* value("getAccountInfo", ata, { encoding: "jsonParsed" })
      assert.deepInclude(field(parsed, "data", "parsed", "info"), { isNative: true })
    })
  )

  it.effect("jsonParsed of mints and multisigs", () =>
    Effect.gen(function* () {
      const { key, mint, owner } = yield* minted
      const multisig = Keypair.generate()
      const signers = [addressOf(Keypair.generate()), addressOf(Keypair.generate())]
      yield* sent(
        [key, multisig],
        allocate(key, multisig, 355),
        web3(getInitializeMultisig2Instruction({ multisig: addressOf(multisig), signers, m: 1 }))
      )
      const [shownMint, shownMultisig] = [
        yield* value("getMultipleAccounts", [mint, addressOf(multisig)], { encoding: "jsonParsed" })
      ].flat()
      assert.deepStrictEqual(field(shownMint, "data"), {
        program: "spl-token",
        parsed: {
          type: "mint",
          info: { mintAuthority: owner, supply: "1234", decimals: DECIMALS, isInitialized: true, freezeAuthority: null }
        },
        space: 82
      })
      assert.deepStrictEqual(field(shownMultisig, "data", "parsed"), {
        type: "multisig",
        info: { numRequiredSigners: 1, numValidSigners: 2, isInitialized: true, signers }
      })
    })
  )
})
