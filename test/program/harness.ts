/** A chain with nothing but the program on it, and what a transaction did to it. */
import { readFileSync } from "node:fs"
import { expect } from "@effect/vitest"
import { address as kitAddress, getTransactionDecoder, lamports, type Address, type Instruction } from "@solana/kit"
import * as Either from "effect/Either"
import { Clock, FailedTransactionMetadata, LiteSVM } from "litesvm"
import type { InvalidInput } from "../../src/InvalidInput.js"
import * as Program from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import * as Blockhash from "../../src/solana/Blockhash.js"
import * as Message from "../../src/solana/Message.js"
import * as Wire from "../../src/solana/Wire.js"

const PROGRAM = readFileSync(new URL("../../program/pod_com.so", import.meta.url))
const SYSTEM_LOADER = kitAddress("NativeLoader1111111111111111111111111111111")

/** Where every chain's clock begins. */
export const START = 1_700_000_000n

/** What an address holds. */
export interface Held {
  readonly lamports: bigint
  readonly data: Uint8Array
  readonly owner: Address
}

/** What became of a transaction. */
export interface Outcome {
  readonly succeeded: boolean
  readonly logs: ReadonlyArray<string>
  readonly computeUnits: bigint
  readonly returnData: Uint8Array
  /** Payloads of the `Program data:` lines. */
  readonly events: ReadonlyArray<Uint8Array>
  /** The number of the failed instruction's custom error. */
  readonly code: number | undefined
  /** The failure as litesvm prints it, empty on success. */
  readonly failure: string
}

/** A builder's answer, or an instruction made by hand. */
export type Step = Instruction | Either.Either<Instruction, InvalidInput>

const instructionOf = (step: Step): Instruction => ("_tag" in step ? Either.getOrThrow(step) : step)

export interface Chain {
  /** A wallet that owns 100 SOL. */
  readonly wallet: (seed: number) => Address
  /** Sends instructions in one transaction that the payer and every signer among the accounts signs. */
  readonly send: (payer: Address, ...steps: ReadonlyArray<Step>) => Outcome
  readonly held: (address: Address) => Held | undefined
  /** The data of an account that must exist. */
  readonly data: (address: Address) => Uint8Array
  readonly balance: (address: Address) => bigint
  readonly put: (address: Address, account: Partial<Held> & { readonly executable?: boolean }) => void
  /** Rewrites the data of an account that must exist. */
  readonly edit: (address: Address, edit: (data: Uint8Array) => Uint8Array | void) => void
  readonly now: () => bigint
  readonly advance: (seconds: bigint) => void
}

/** Starts a chain with the program at its address, and the compression program's address executable. */
export const start = (programId: Address = Program.PROGRAM_ID): Chain => {
  const svm = new LiteSVM().withSigverify(false).withTransactionHistory(0n).withLogBytesLimit(100_000n)
  svm.addProgram(programId, PROGRAM)
  let sent = 0

  const put: Chain["put"] = (address, account) => {
    const data = account.data ?? new Uint8Array()
    svm.setAccount({
      address,
      data,
      executable: account.executable ?? false,
      lamports: lamports(account.lamports ?? svm.minimumBalanceForRentExemption(BigInt(data.length))),
      programAddress: account.owner ?? programId,
      space: BigInt(data.length)
    })
  }

  const held = (address: Address): Held | undefined => {
    const account = svm.getAccount(address)
    return account.exists
      ? { lamports: account.lamports, data: Uint8Array.from(account.data), owner: account.programAddress }
      : undefined
  }

  const data = (address: Address): Uint8Array => {
    const account = held(address)
    if (account === undefined) return expect.fail(`${address} does not exist`)
    return account.data
  }

  const setTime = (unixTimestamp: bigint): void => {
    const clock = svm.getClock()
    svm.setClock(
      new Clock(clock.slot, clock.epochStartTimestamp, clock.epoch, clock.leaderScheduleEpoch, unixTimestamp)
    )
  }

  setTime(START)
  put(Program.COMPRESSION_PROGRAM, { executable: true, owner: SYSTEM_LOADER, lamports: 1n })

  return {
    wallet: (seed) => {
      const address = Addresses.fromBytes(new Uint8Array(32).fill(seed))
      svm.airdrop(address, lamports(100_000_000_000n))
      return address
    },
    send: (payer, ...steps) => {
      const message = Either.getOrThrow(
        Message.compile({
          version: "legacy",
          feePayer: payer,
          blockhash: Either.getOrThrow(Blockhash.parse(svm.latestBlockhash())),
          instructions: steps.map(instructionOf)
        })
      )
      // Signatures are not verified, but they tell transactions apart.
      const signature = new Uint8Array(64)
      new DataView(signature.buffer).setUint32(0, ++sent)
      const signatures = Array.from({ length: message[0] ?? 0 }, () => signature)
      const result = svm.sendTransaction(getTransactionDecoder().decode(Wire.encode(signatures, message)))
      const failed = result instanceof FailedTransactionMetadata
      const meta = failed ? result.meta() : result
      const logs = meta.logs()
      const failure = failed ? result.toString() : ""
      const code = /Custom\((\d+)\)/.exec(failure)?.[1]
      return {
        succeeded: !failed,
        logs,
        computeUnits: meta.computeUnitsConsumed(),
        returnData: Uint8Array.from(meta.returnData().data()),
        events: logs
          .filter((line) => line.startsWith("Program data: "))
          .map((line) => Uint8Array.from(Buffer.from(line.slice("Program data: ".length), "base64"))),
        code: code === undefined ? undefined : Number(code),
        failure
      }
    },
    held,
    data,
    balance: (address) => held(address)?.lamports ?? 0n,
    put,
    edit: (address, edit) => {
      const account = held(address)
      const bytes = data(address)
      put(address, { ...account, data: edit(bytes) ?? bytes })
    },
    now: () => svm.getClock().unixTimestamp,
    advance: (seconds) => setTime(svm.getClock().unixTimestamp + seconds)
  }
}
