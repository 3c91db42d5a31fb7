/** `jsonParsed` instructions: the programs that a node supports. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../../src/solana/Address.js"
import * as Base64 from "../../../../src/solana/Base64.js"
import * as Layout from "../../chain/Layout.js"
import { LOOKUP_TABLE_PROGRAM } from "../../chain/LoadedTransaction.js"
import * as Loaders from "../../chain/Loaders.js"
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from "../../chain/TokenAccounts.js"
import { type Call, byNumber, spec } from "./Instruction.js"
import { map, u64 } from "./Parsed.js"
import { STAKE_PROGRAM } from "./stake.js"
import * as StakeInstructions from "./stakeInstructions.js"
import * as TokenInstructions from "./tokenInstructions.js"
import { VOTE_PROGRAM } from "./vote.js"

const { address, string, u32, u8 } = Layout

const seed = string(Layout.u64)
const blob = map(Layout.list(Layout.u64, u8), (bytes) => Base64.encode(Uint8Array.from(bytes)))

/** The programs whose data is a memo. */
export const MEMO_PROGRAMS: ReadonlySet<Address> = new Set([
  Addresses.known("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo"),
  Addresses.known("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
])

const SYSTEM = byNumber(u32, {
  0: spec("createAccount", "source newAccount", { lamports: u64, space: u64, owner: address }),
  1: spec("assign", "account", { owner: address }),
  2: spec("transfer", "source destination", { lamports: u64 }),
  3: spec("createAccountWithSeed", "source newAccount", {
    base: address,
    seed,
    lamports: u64,
    space: u64,
    owner: address
  }),
  4: spec("advanceNonce", "nonceAccount recentBlockhashesSysvar nonceAuthority"),
  5: spec("withdrawFromNonce", "nonceAccount destination recentBlockhashesSysvar rentSysvar nonceAuthority", {
    lamports: u64
  }),
  6: spec("initializeNonce", "nonceAccount recentBlockhashesSysvar rentSysvar", { nonceAuthority: address }),
  7: spec("authorizeNonce", "nonceAccount nonceAuthority", { newAuthorized: address }),
  8: spec("allocate", "account", { space: u64 }),
  9: spec("allocateWithSeed", "account", { base: address, seed, space: u64, owner: address }),
  10: spec("assignWithSeed", "account", { base: address, seed, owner: address }),
  11: spec("transferWithSeed", "source sourceBase destination", {
    lamports: u64,
    sourceSeed: seed,
    sourceOwner: address
  }),
  12: spec("upgradeNonce", "nonceAccount")
})

const LOOKUP_TABLE = byNumber(u32, {
  0: spec("createLookupTable", "lookupTableAccount lookupTableAuthority payerAccount systemProgram", {
    recentSlot: u64,
    bumpSeed: u8
  }),
  1: spec("freezeLookupTable", "lookupTableAccount lookupTableAuthority"),
  2: spec("extendLookupTable", "lookupTableAccount lookupTableAuthority payerAccount? systemProgram?", {
    newAddresses: Layout.list(Layout.u64, address)
  }),
  3: spec("deactivateLookupTable", "lookupTableAccount lookupTableAuthority"),
  4: spec("closeLookupTable", "lookupTableAccount lookupTableAuthority recipient")
})

const OLD_LOADER = byNumber(u32, {
  0: spec("write", "account", { offset: u32, bytes: blob }),
  1: spec("finalize", "account")
})

const UPGRADEABLE_LOADER = byNumber(u32, {
  0: spec("initializeBuffer", "account authority?"),
  1: spec("write", "account authority", { offset: u32, bytes: blob }),
  2: spec(
    "deployWithMaxDataLen",
    "payerAccount programDataAccount programAccount bufferAccount rentSysvar clockSysvar systemProgram authority",
    { maxDataLen: u64 }
  ),
  3: spec("upgrade", "programDataAccount programAccount bufferAccount spillAccount rentSysvar clockSysvar authority"),
  4: spec("setAuthority", "account authority newAuthority?"),
  5: spec("close", "account recipient authority? programAccount?"),
  6: spec("extendProgram", "programDataAccount programAccount systemProgram? payerAccount?", { additionalBytes: u32 }),
  7: spec("setAuthorityChecked", "account authority newAuthority"),
  9: spec("extendProgramChecked", "programDataAccount programAccount authority systemProgram? payerAccount?", {
    additionalBytes: u32
  })
})

const ASSOCIATED = "account wallet mint systemProgram tokenProgram"

const associatedToken = ({ accounts, data }: Call) => {
  const specs = {
    0: spec("create", `source ${ASSOCIATED}`),
    1: spec("createIdempotent", `source ${ASSOCIATED}`),
    2: spec("recoverNested", "nestedSource nestedMint destination nestedOwner ownerMint wallet tokenProgram")
  }
  // The first version of the program has one instruction, without data.
  return byNumber(u8, specs)({ accounts, data: data.length === 0 ? new Uint8Array(1) : data })
}

interface Parser {
  readonly program: string
  readonly parse: (call: Call) => unknown
}

const memo: Parser = { program: "spl-memo", parse: ({ data }) => Layout.text(data) }

const PARSERS: ReadonlyMap<Address, Parser> = new Map<Address, Parser>([
  [Addresses.SYSTEM_PROGRAM, { program: "system", parse: SYSTEM }],
  [LOOKUP_TABLE_PROGRAM, { program: "address-lookup-table", parse: LOOKUP_TABLE }],
  [
    Addresses.known("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL"),
    { program: "spl-associated-token-account", parse: associatedToken }
  ],
  ...Array.from(MEMO_PROGRAMS, (program) => [program, memo] as const),
  [TOKEN_PROGRAM, { program: "spl-token", parse: TokenInstructions.parse }],
  [TOKEN_2022_PROGRAM, { program: "spl-token", parse: TokenInstructions.parse }],
  [Loaders.LOADER_1, { program: "bpf-loader", parse: OLD_LOADER }],
  [Loaders.LOADER_2, { program: "bpf-loader", parse: OLD_LOADER }],
  [Loaders.UPGRADEABLE_LOADER, { program: "bpf-upgradeable-loader", parse: UPGRADEABLE_LOADER }],
  [STAKE_PROGRAM, { program: "stake", parse: StakeInstructions.stake }],
  [VOTE_PROGRAM, { program: "vote", parse: StakeInstructions.vote }]
])

/** The instruction in the form of a node; undefined if no parser supports the program or the data. */
export const parse = (
  programId: Address,
  call: Call
): { readonly program: string; readonly programId: Address; readonly parsed: unknown } | undefined => {
  const parser = PARSERS.get(programId)
  if (parser === undefined) return undefined
  const parsed = Layout.attempt(() => parser.parse(call))
  return parsed === undefined ? undefined : { program: parser.program, programId, parsed }
}

const UNPARSABLE = "(unparseable)"

/** The memos of a transaction's instructions, in the form of signature lists; null if there are none. */
export const memosOf = (
  calls: ReadonlyArray<{ readonly programId: Address | undefined; readonly data: Uint8Array }>
) => {
  const memos = calls.flatMap(({ programId, data }) =>
    programId !== undefined && MEMO_PROGRAMS.has(programId)
      ? [`[${data.length}] ${Layout.attempt(() => Layout.text(data)) ?? UNPARSABLE}`]
      : []
  )
  return memos.length === 0 ? null : memos.join("; ")
}
