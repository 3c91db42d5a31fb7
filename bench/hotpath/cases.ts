/**
 * The cases to compare: the same work by every contender that supports it.
 */
import * as Kit from "@solana/kit"
import type * as Web3 from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as ProgramAccount from "../../services/ProgramAccount.js"
import * as RpcPool from "../../services/RpcPool.js"
import * as Wallet from "../../services/Wallet.js"
import * as HttpStatus from "../../services/wire/HttpStatus.js"
import * as JsonRpc from "../../services/wire/JsonRpc.js"
import * as Account from "../../src/protocol/Account.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import { Text } from "../../src/protocol/MessageType.js"
import * as Pda from "../../src/protocol/Pda.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as SafeText from "../../src/SafeText.js"
import * as Address from "../../src/solana/Address.js"
import { bytes32 } from "../../src/solana/internal/base58Fixed.js"
import * as Json from "../../src/solana/Json.js"
import * as Message from "../../src/solana/Message.js"
import * as PreparedMessage from "../../src/solana/PreparedMessage.js"
import * as FloorAccount from "../floor/account.js"
import * as FloorBase58 from "../floor/base58.js"
import * as FloorCompile from "../floor/generic.js"
import * as FloorAddress from "../floor/programAddress.js"
import * as FloorSend from "../floor/send.js"
import type { Options, Work } from "../harness.js"
import * as EndToEnd from "./endToEnd.js"
import * as Fixtures from "./fixtures.js"
import { load } from "./install.js"
import * as Ours from "./ours.js"
import * as Peers from "./peers.js"
import * as Rust from "./rust.js"

/** The names of the contenders. */
export type Contender =
  | "floor"
  | "ours"
  | "oursTraced"
  | "sodium"
  | "sodiumTraced"
  | "rust"
  | "kit"
  | "web3js"
  | "anchor"
  | "pod"

type MaybePromise<A> = A | Promise<A>

/** Makes the work of each contender from the result of `start`; `undefined` if the contender is not available. */
export type Contenders = { readonly [_ in Contender]?: (started: string) => MaybePromise<Work | undefined> }

/** One row of the table. */
export interface Group {
  readonly title: string
  readonly options?: Options
  /** Whether to report the longest turn of the event loop too. */
  readonly turns?: boolean
  /** Whether each contender has its own process, so that none collects the garbage of another. */
  readonly isApart?: boolean
  /** Makes the shared resources of all contenders, such as a node. */
  readonly start?: () => Promise<string>
  readonly contenders: Contenders
}

/** The titles of the cases with a goal. */
export const titles = {
  buildAndSign: "build and sign one message",
  packed: "build and sign a message of eight packed in a transaction",
  multiple: "getMultipleAccounts of 100 accounts of 300 bytes, floor is JSON.parse alone",
  program: "getProgramAccounts of 10,000, floor is JSON.parse alone",
  refused: "the typed error of a call refused with 429, floor is an Error",
  undecodable: "the typed error of an account that cannot be decoded, floor is an Error",
  endToEnd: "end to end over loopback, 20 in flight; ours waits for its confirmation too"
} as const

const utf8 = new TextEncoder()
const MESSAGE = utf8.encode("message")
const TEXT = Uint8Array.of(0)

const hashes = Array.from({ length: 256 }, () => crypto.getRandomValues(new Uint8Array(32)))
const hash = (index: number): Uint8Array => hashes[index % 256] ?? TEXT

const keyTexts = hashes.map((bytes) => Address.fromBytes(bytes))
const keyText = (index: number) => keyTexts[index % 256] ?? Address.SYSTEM_PROGRAM

const compiledCase = (index: number) =>
  Fixtures.sure(
    Instruction.sendMessage({
      wallet: Fixtures.wallet,
      agent: Fixtures.agent,
      recipient: Fixtures.recipient(index),
      payloadHash: hash(index),
      type: Text,
      message: keyText(index)
    })
  )

const instructions = Array.from({ length: 256 }, (_, index) => [compiledCase(index)])
const instructionsOf = (index: number) => instructions[index % 256] ?? []

/** Different accounts of direct messages. */
const accountsData = Array.from({ length: 100 }, (_, index) =>
  Fixtures.sure(
    Account.encode(
      new Account.DirectMessage({
        sender: keyText(index),
        recipient: keyText(index + 1),
        payloadHash: hash(index),
        createdAt: 1_700_000_000n + BigInt(index),
        expiresAt: 1_700_604_800n,
        type: Text,
        status: "Pending",
        bump: 255
      })
    )
  )
)

const kitDirectMessage = Kit.getStructDecoder([
  ["discriminator", Kit.fixDecoderSize(Kit.getBytesDecoder(), 8)],
  ["sender", Kit.getAddressDecoder()],
  ["recipient", Kit.getAddressDecoder()],
  ["payloadHash", Kit.fixDecoderSize(Kit.getBytesDecoder(), 32)],
  ["createdAt", Kit.getI64Decoder()],
  ["expiresAt", Kit.getI64Decoder()],
  ["type", Kit.getU8Decoder()],
  ["status", Kit.getU8Decoder()],
  ["bump", Kit.getU8Decoder()]
])

const kitAddresses = Kit.getAddressEncoder()

const kitCompile = (index: number) =>
  Kit.compileTransaction(
    Kit.pipe(
      Kit.createTransactionMessage({ version: 0 }),
      (message) => Kit.setTransactionMessageFeePayer(Fixtures.wallet, message),
      (message) =>
        Kit.setTransactionMessageLifetimeUsingBlockhash(
          { blockhash: Fixtures.blockhash, lastValidBlockHeight: 0n },
          message
        ),
      (message) => Kit.appendTransactionMessageInstructions(instructionsOf(index), message)
    )
  )

const slow: Options = { warmMillis: 1500, rounds: 31, roundMillis: 100 }

/** One fiber handles all messages of a call. */
const many = (run: (iteration: number) => unknown): Work => ({ run, operations: Ours.MESSAGES })

const buildAndSign: Group = {
  title: titles.buildAndSign,
  options: slow,
  isApart: true,
  contenders: {
    floor: () => {
      const send = FloorSend.sender(Fixtures.sender, Fixtures.blockhashBytes, FloorSend.nodeSign(Fixtures.key))
      return { run: (i) => send(Fixtures.recipientBytes(i), Fixtures.payload()) }
    },
    ours: () => many(Ours.builder().untraced),
    oursTraced: () => many(Ours.builder().traced),
    sodium: () => many(Ours.builder(Ours.sodiumWallet).untraced),
    sodiumTraced: () => many(Ours.builder(Ours.sodiumWallet).traced),
    rust: async () => {
      const rust = await Rust.checked()
      return rust && { time: rust.alone }
    },
    kit: async () => ({ run: await Peers.kit((wire) => Promise.resolve(wire)) }),
    web3js: async () => ({ run: await Peers.web3js() }),
    anchor: async () => ({ run: await Peers.anchor() }),
    pod: async () => ({ run: await Peers.podSdk() })
  }
}

const PACK = 8

const buildAndSignPacked: Group = {
  title: titles.packed,
  options: slow,
  isApart: true,
  contenders: {
    floor: () => {
      const send = FloorSend.packer(Fixtures.sender, Fixtures.blockhashBytes, FloorSend.nodeSign(Fixtures.key))
      const pack = (i: number) =>
        Array.from({ length: PACK }, (_, at) => [Fixtures.recipientBytes(i * PACK + at), Fixtures.payload()] as const)
      return { run: (i) => send(pack(i)), operations: PACK }
    },
    ours: () => many(Ours.packer().untraced),
    oursTraced: () => many(Ours.packer().traced),
    sodium: () => many(Ours.packer(Ours.sodiumWallet).untraced),
    sodiumTraced: () => many(Ours.packer(Ours.sodiumWallet).traced),
    rust: async () => {
      const rust = await Rust.checked()
      return rust && { time: (calls) => rust.packed(calls * PACK), operations: PACK }
    }
  }
}

/** The size of the message of a transaction that sends one direct message. */
const MESSAGE_BYTES = 286

const toSign = crypto.getRandomValues(new Uint8Array(MESSAGE_BYTES))

const signer = async (wallet: typeof Ours.sodiumWallet): Promise<Work> => {
  const sign = await Effect.runPromise(
    Effect.map(Effect.provide(Wallet.Wallet, wallet), (wallet) => wallet.sign([toSign]))
  )
  return { run: () => Effect.runSync(sign) }
}

const signing: Group = {
  title: "sign a message of 286 bytes",
  contenders: {
    floor: () => {
      const sign = FloorSend.nodeSign(Fixtures.key)
      return { run: () => sign(toSign) }
    },
    ours: () => signer(Ours.nodeWallet),
    sodium: () => signer(Ours.sodiumWallet)
  }
}

const loadWeb3 = async () => (await load("npm", "@solana/web3.js")) as typeof Web3

const agentBytes = Address.toBytes(Fixtures.agent)
const seeds = (i: number) => [MESSAGE, agentBytes, Fixtures.recipientBytes(i), hash(i), TEXT]

const programAddress: Group = {
  title: "message PDA",
  contenders: {
    floor: () => ({ run: (i) => FloorBase58.encode32(FloorAddress.find(seeds(i))) }),
    ours: () => ({
      run: (i) =>
        Pda.message({ sender: Fixtures.agent, recipient: Fixtures.recipient(i), payloadHash: hash(i), type: Text })
    }),
    kit: () => ({ run: (i) => Kit.getProgramDerivedAddress({ programAddress: PROGRAM_ID, seeds: seeds(i) }) }),
    web3js: async () => {
      const { PublicKey } = await loadWeb3()
      const programId = new PublicKey(PROGRAM_ID)
      return { run: (i) => PublicKey.findProgramAddressSync(seeds(i), programId)[0].toBase58() }
    }
  }
}

const base58Encode: Group = {
  title: "base58 of 32 bytes, encode",
  contenders: {
    floor: () => ({ run: (i) => FloorBase58.encode32(hash(i)) }),
    ours: () => ({ run: (i) => Address.fromBytes(hash(i)) }),
    kit: () => {
      const decoder = Kit.getAddressDecoder()
      return { run: (i) => decoder.decode(hash(i)) }
    },
    web3js: async () => {
      const { PublicKey } = await loadWeb3()
      return { run: (i) => new PublicKey(hash(i)).toBase58() }
    }
  }
}

const base58Decode: Group = {
  title: "base58 of 32 bytes, decode",
  contenders: {
    floor: () => ({ run: (i) => FloorBase58.decode32(keyText(i)) }),
    // Without the cache of `Address.toBytes`, which takes a thirtieth of the time.
    ours: () => ({ run: (i) => bytes32.decode(keyText(i)) }),
    kit: () => ({ run: (i) => kitAddresses.encode(keyText(i)) }),
    web3js: async () => {
      const { PublicKey } = await loadWeb3()
      return { run: (i) => new PublicKey(keyText(i)).toBytes() }
    }
  }
}

const compileFloor = (): Work => ({
  run: (i) => FloorCompile.compile(Fixtures.wallet, Fixtures.blockhash, instructionsOf(i))
})

const compile: Group = {
  title: "compile a message",
  contenders: {
    floor: compileFloor,
    ours: () => ({
      run: (i) =>
        Either.map(
          PreparedMessage.prepare({ version: 0, feePayer: Fixtures.wallet, instructions: instructionsOf(i) }),
          (prepared) => PreparedMessage.withBlockhash(prepared, Fixtures.blockhash)
        )
    }),
    kit: () => ({ run: kitCompile })
  }
}

const compileAnew: Group = {
  title: "compile a message anew, without a template",
  contenders: {
    floor: compileFloor,
    ours: () => ({
      run: (i) =>
        Message.compile({
          feePayer: Fixtures.wallet,
          blockhash: Fixtures.blockhash,
          instructions: instructionsOf(i)
        })
    }),
    kit: () => ({ run: kitCompile })
  }
}

const decodeAccounts: Group = {
  title: "decode 100 message accounts",
  contenders: {
    floor: () => ({ run: () => accountsData.map(FloorAccount.decodeMessage) }),
    ours: () => ({ run: () => accountsData.map((bytes) => Account.decodeDirectMessage(bytes)) }),
    kit: () => ({ run: () => accountsData.map((bytes) => kitDirectMessage.decode(bytes)) })
  }
}

const packed: Group = {
  title: "100 messages: packed (ours) against one by one (floor column), node in process",
  options: slow,
  contenders: {
    floor: () => ({ run: Ours.hundred().oneByOne.untraced, operations: 100 }),
    ours: () => ({ run: Ours.hundred().packed.untraced, operations: 100 }),
    oursTraced: () => ({ run: Ours.hundred().packed.traced, operations: 100 })
  }
}

/** An inbox: one recipient, 256 senders, each account with another address and another hash. */
const inbox = (size: number) =>
  Array.from({ length: size }, (_, index) => ({
    account: {
      data: [
        Buffer.from(
          Fixtures.sure(
            Account.encode(
              new Account.DirectMessage({
                sender: keyText(index),
                recipient: Fixtures.wallet,
                payloadHash: crypto.getRandomValues(new Uint8Array(32)),
                createdAt: 1_700_000_000n + BigInt(index),
                expiresAt: 1_700_604_800n,
                type: Text,
                status: "Pending",
                bump: 255
              })
            )
          )
        ).toString("base64"),
        "base64"
      ],
      executable: false,
      lamports: 1_781_760,
      owner: PROGRAM_ID,
      rentEpoch: 18_446_744_073_709_551_615n,
      space: 128
    },
    pubkey: Address.fromBytes(crypto.getRandomValues(new Uint8Array(32)))
  }))

const reply = (): string =>
  Json.stringify({ jsonrpc: "2.0", result: { context: { slot: 1 }, value: inbox(10_000) }, id: 1 })

const ACCOUNTS = 100

const ACCOUNT_BYTES = 300

const multiple = (): string => {
  const value = Array.from({ length: ACCOUNTS }, () => ({
    data: [Buffer.from(crypto.getRandomValues(new Uint8Array(ACCOUNT_BYTES))).toString("base64"), "base64"],
    executable: false,
    lamports: 2_978_880,
    owner: PROGRAM_ID,
    rentEpoch: 18_446_744_073_709_551_615n,
    space: ACCOUNT_BYTES
  }))
  return Json.stringify({ jsonrpc: "2.0", result: { context: { slot: 1 }, value }, id: 1 })
}

/** A pool whose node answers every call with this text. */
const answering = (text: string) =>
  RpcPool.make({
    host: "bench",
    request: (method) => JsonRpc.reply(text, 1, method, "bench"),
    batch: () => Effect.succeed([]),
    subscribe: () => Stream.empty
  })

const multipleAccounts: Group = {
  title: titles.multiple,
  start: () => Promise.resolve(multiple()),
  contenders: {
    floor: (text) => ({ run: () => JSON.parse(text) }),
    ours: (text) => {
      const read = answering(text).getMultipleAccounts(keyTexts.slice(0, ACCOUNTS))
      return { run: () => Effect.runSync(read) }
    }
  }
}

/** What JavaScript charges for an error: an object and its stack. */
const plainError = (): Work => ({ run: (i) => new Error(`refused ${i}`) })

const refusedCall: Group = {
  title: titles.refused,
  contenders: {
    floor: plainError,
    ours: () => {
      const fiber = Effect.runSync(Effect.withFiberRuntime<Fiber.RuntimeFiber<unknown, unknown>>(Effect.succeed))
      const { one } = HttpStatus.reader("bench", SafeText.redactor(["secret-key"]))
      const reply = { status: 429, retryAfter: "1", text: "too many requests" }
      return { run: (i) => one(fiber, reply, i, "sendTransaction") }
    }
  }
}

const undecodableAccount: Group = {
  title: titles.undecodable,
  contenders: {
    floor: plainError,
    ours: () => {
      const [bytes = TEXT] = accountsData
      const half = bytes.slice(0, bytes.length / 2)
      return { run: () => Account.decodeDirectMessage(half) }
    }
  }
}

/** Readers of a reply of 10,000 accounts. The floor is `JSON.parse` alone. */
const programAccounts: Group = {
  title: titles.program,
  options: { warmMillis: 1500, rounds: 21, roundMillis: 50 },
  turns: true,
  start: () => Promise.resolve(reply()),
  contenders: {
    floor: (text) => ({ run: () => JSON.parse(text) }),
    ours: (text) => {
      const read = Effect.flatMap(answering(text).getProgramAccounts(PROGRAM_ID), ({ value }) =>
        ProgramAccount.decodeMany(value, Account.decodeDirectMessage)
      )
      return { run: () => Effect.runPromise(read) }
    },
    kit: (text) => {
      const base64 = Kit.getBase64Encoder()
      return {
        run: () => {
          const reply: { readonly result: { readonly value: ReturnType<typeof inbox> } } = JSON.parse(text)
          return reply.result.value.map(({ account, pubkey }) => ({
            address: Kit.address(pubkey),
            account: kitDirectMessage.decode(base64.encode(account.data[0] ?? ""))
          }))
        }
      }
    }
  }
}

/** Options for calls of milliseconds, which need a longer warm-up and longer rounds. */
const long: Options = { warmMillis: 5000, rounds: 11, roundMillis: 200 }

const endToEnd: Group = {
  title: titles.endToEnd,
  options: long,
  isApart: true,
  start: EndToEnd.startNode,
  contenders: EndToEnd.contenders(1)
}

const endToEndInArrays: Group = {
  ...endToEnd,
  title: "the same, where ours sends JSON-RPC arrays of up to 20 calls",
  contenders: EndToEnd.contenders(20)
}

/** All groups, in the order of the table. */
export const groups: ReadonlyArray<Group> = [
  buildAndSign,
  buildAndSignPacked,
  signing,
  programAddress,
  base58Encode,
  base58Decode,
  compile,
  compileAnew,
  packed,
  decodeAccounts,
  multipleAccounts,
  programAccounts,
  refusedCall,
  undecodableAccount,
  endToEnd,
  endToEndInArrays
]
