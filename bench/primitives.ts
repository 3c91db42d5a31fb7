/**
 * Compares the Solana primitives with Kit, noble and the platform.
 *
 *     npm run -s bench -- primitives [--json] [name…]
 *
 * Names select the groups whose title contains one of them; the default is all.
 */
import { createHash, randomBytes } from "node:crypto"
import { ed25519 } from "@noble/curves/ed25519.js"
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js"
import * as Kit from "@solana/kit"
import * as Either from "effect/Either"
import * as Base64Codecs from "../src/internal/base64.js"
import * as Address from "../src/solana/Address.js"
import * as Base58 from "../src/solana/Base58.js"
import * as Base64 from "../src/solana/Base64.js"
import * as Blockhash from "../src/solana/Blockhash.js"
import * as Curve from "../src/solana/Curve.js"
import * as Hash from "../src/solana/Hash.js"
import { bytes32, bytes64 } from "../src/solana/internal/base58Fixed.js"
import { portable } from "../src/solana/internal/kernelPortable.js"
import * as Json from "../src/solana/Json.js"
import * as Message from "../src/solana/Message.js"
import * as ProgramAddress from "../src/solana/ProgramAddress.js"
import type { Case } from "./harness.js"
import { measure } from "./harness.js"
import { finish, flagsOf } from "./report.js"

const SAMPLES = 512

/** Distinct inputs, so that no case profits from a repeated input. */
const samples = <A>(make: (index: number) => A): ((iteration: number) => A) => {
  const all = Array.from({ length: SAMPLES }, (_, index) => make(index))
  return (iteration) => all[iteration % SAMPLES] ?? make(iteration)
}

const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

const keys = samples(() => random(32))
const signatures = samples(() => random(64))
const addresses = samples(() => Address.fromBytes(random(32)))
const signatureTexts = samples(() => Base58.encode(random(64)))
const kitAddress = Kit.getAddressCodec()
const kitBase58 = Kit.getBase58Codec()

const program = Address.known("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps")
const label = new TextEncoder().encode("message")
const seeds = samples(() => [label, random(32), random(32), random(32), Uint8Array.of(0)])

const feePayer = Address.fromBytes(random(32))
const lifetime = { blockhash: Blockhash.fromBytes(random(32)), lastValidBlockHeight: 0n }
const instructions = samples(() => [
  {
    programAddress: program,
    accounts: [
      { address: Address.fromBytes(random(32)), role: Kit.AccountRole.WRITABLE },
      { address: feePayer, role: Kit.AccountRole.READONLY },
      { address: Address.fromBytes(random(32)), role: Kit.AccountRole.READONLY },
      { address: feePayer, role: Kit.AccountRole.WRITABLE_SIGNER },
      { address: Address.SYSTEM_PROGRAM, role: Kit.AccountRole.READONLY }
    ],
    data: random(80)
  }
])
const kitMessage = (iteration: number) =>
  Kit.pipe(
    Kit.createTransactionMessage({ version: 0 }),
    (message) => Kit.setTransactionMessageFeePayer(feePayer, message),
    (message) => Kit.setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
    (message) => Kit.appendTransactionMessageInstructions(instructions(iteration), message)
  )
const compiled = samples((index) =>
  Either.getOrThrow(Message.compile({ feePayer, blockhash: lifetime.blockhash, instructions: instructions(index) }))
)
const kitDecoder = Kit.getCompiledTransactionMessageDecoder()

const account = (size: number): object => ({
  pubkey: Address.fromBytes(random(32)),
  account: {
    data: [Base64.encode(random(size)), "base64"],
    executable: false,
    lamports: 2_978_880,
    owner: program,
    rentEpoch: "RENT",
    space: size
  }
})
const reply = (count: number): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, result: Array.from({ length: count }, () => account(300)) }).replaceAll(
    '"RENT"',
    "18446744073709551615"
  )
const accounts100 = reply(100)
const accounts10000 = reply(10_000)
const status = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  result: { context: { slot: 348_900_121 }, value: [{ slot: 348_900_120, confirmations: 3, err: null }] }
})
const quoted = (text: string): unknown => JSON.parse(text.replaceAll(/(?<=[:,[])-?\d{16,}(?=[,}\]])/g, '"$&"'))

const block = random(158)
const account300 = samples(() => random(300))
const base64Texts = samples(() => Base64.encode(random(300)))

const groups: ReadonlyArray<readonly [title: string, cases: ReadonlyArray<Case>, rounds?: number]> = [
  [
    "base58 encode, 32 bytes",
    [
      { name: "ours", run: (i) => bytes32.encode(keys(i), 0) },
      { name: "kit", run: (i) => kitAddress.decode(keys(i)) }
    ]
  ],
  [
    "base58 decode, 32 bytes",
    [
      { name: "ours", run: (i) => bytes32.decode(addresses(i)) },
      { name: "ours, cached", run: (i) => Address.toBytes(addresses(i)) },
      { name: "kit", run: (i) => kitAddress.encode(addresses(i)) }
    ]
  ],
  [
    "base58 encode, 64 bytes",
    [
      { name: "ours", run: (i) => bytes64.encode(signatures(i), 0) },
      { name: "kit", run: (i) => kitBase58.decode(signatures(i)) }
    ]
  ],
  [
    "base58 decode, 64 bytes",
    [
      { name: "ours", run: (i) => bytes64.decode(signatureTexts(i)) },
      { name: "kit", run: (i) => kitBase58.encode(signatureTexts(i)) }
    ]
  ],
  [
    "base64 of 300 bytes, encode",
    [
      { name: "ours", run: (i) => Base64.encode(account300(i)) },
      { name: "ours, portable", run: (i) => Base64Codecs.portable.encode(account300(i)) },
      { name: "kit", run: (i) => Kit.getBase64Decoder().decode(account300(i)) }
    ]
  ],
  [
    "base64 of 300 bytes, decode",
    [
      { name: "ours", run: (i) => Base64.decode(base64Texts(i)) },
      { name: "ours, portable", run: (i) => Base64Codecs.portable.decode(base64Texts(i)) },
      { name: "kit", run: (i) => Kit.getBase64Encoder().encode(base64Texts(i)) }
    ]
  ],
  [
    "sha256 of 158 bytes",
    [
      { name: "ours", run: () => Hash.sha256(block) },
      { name: "noble", run: () => nobleSha256(block) },
      { name: "node", run: () => createHash("sha256").update(block).digest() }
    ]
  ],
  [
    "on-curve test",
    [
      { name: "ours", run: (i) => Curve.isOnCurve(keys(i)) },
      { name: "ours, portable", run: (i) => portable.isOnCurve(keys(i)) },
      { name: "noble", run: (i) => ed25519.utils.isValidPublicKey(keys(i)) },
      { name: "kit", run: (i) => Kit.isOffCurveAddress(addresses(i)) }
    ]
  ],
  [
    "program address of a message",
    [
      { name: "ours", run: (i) => ProgramAddress.find(seeds(i), program) },
      { name: "ours, portable", run: (i) => portable.findBump(seeds(i), Address.toBytes(program)) },
      { name: "kit", run: (i) => Kit.getProgramDerivedAddress({ programAddress: program, seeds: seeds(i) }) }
    ]
  ],
  [
    "compile a message",
    [
      {
        name: "ours",
        run: (i) => Message.compile({ feePayer, blockhash: lifetime.blockhash, instructions: instructions(i) })
      },
      { name: "kit", run: (i) => Kit.compileTransaction(kitMessage(i)) }
    ]
  ],
  [
    "decode a message",
    [
      { name: "ours", run: (i) => Message.decode(compiled(i)) },
      { name: "kit", run: (i) => kitDecoder.decode(compiled(i)) }
    ]
  ],
  [
    "parse JSON, signature status",
    [
      { name: "JSON.parse", run: () => JSON.parse(status) },
      { name: "ours", run: () => Json.parse(status) }
    ]
  ],
  [
    "parse JSON, 100 accounts of 300 bytes",
    [
      { name: "JSON.parse", run: () => JSON.parse(accounts100) },
      { name: "ours", run: () => Json.parse(accounts100) },
      { name: "quoting regexp, blind to strings", run: () => quoted(accounts100) }
    ]
  ],
  [
    "parse JSON, 10,000 accounts of 300 bytes",
    [
      { name: "JSON.parse", run: () => JSON.parse(accounts10000) },
      { name: "ours", run: () => Json.parse(accounts10000) }
    ],
    9
  ]
]

export const run = async (args: ReadonlyArray<string>): Promise<void> => {
  const flags = flagsOf(args)
  const { names } = flags
  const reports = []
  for (const [title, cases, rounds] of groups) {
    if (names.length > 0 && !names.some((name) => title.includes(name))) continue
    reports.push(await measure(title, cases, rounds === undefined ? {} : { rounds }))
  }
  await finish(reports, flags)
}
