/**
 * The virtual machine. Only this module uses LiteSVM, through its byte-level interface.
 *
 * Invariants: LiteSVM aborts the process on malformed transaction bytes, on writes over a program that failed to load, and
 * on transactions that name a program whose account is gone. So it gets only transactions that `Wire.decode` accepted, and
 * programs that a temporary machine has loaded; its own programs, sysvars and programs of others are never removed.
 * Machines have distinct genesis hashes.
 */
import type { Address, Blockhash } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Native from "litesvm/dist/internal.js"
import * as Hex from "../../../services/internal/hex.js"
import * as Addresses from "../../../src/solana/Address.js"
import * as Blockhashes from "../../../src/solana/Blockhash.js"
import * as Hash from "../../../src/solana/Hash.js"
import { EmbeddedClusterError } from "../EmbeddedClusterError.js"
import * as Loaders from "./Loaders.js"
import type { StoredAccount } from "./StoredAccount.js"
import * as Sysvars from "./Sysvars.js"
import * as Errors from "./TransactionErrors.js"

/** An instruction that a program invoked, at depth `stackHeight` (2 if a top-level instruction invoked it). */
export interface InnerInstruction {
  readonly programIndex: number
  readonly accountIndices: Uint8Array
  readonly data: Uint8Array
  readonly stackHeight: number
}

/** The outcome of an execution. */
export interface Outcome {
  readonly err: Errors.TransactionError | null
  readonly logs: ReadonlyArray<string>
  readonly unitsConsumed: bigint
  /** By top-level instruction. */
  readonly innerInstructions: ReadonlyArray<ReadonlyArray<InnerInstruction>>
  readonly returnData: { readonly programId: Address; readonly data: Uint8Array } | undefined
}

/** An outcome, and the accounts after it. */
export interface Simulation extends Outcome {
  readonly accounts: ReadonlyMap<Address, StoredAccount>
}

/** Corrects the name of an error to the name on a cluster. */
export type Rename = (error: Errors.TransactionError) => Errors.TransactionError

/** The chain's time. */
export interface ChainTime {
  readonly slot: number
  readonly epoch: number
  readonly unixTime: bigint
  readonly epochStart: bigint
}

/** One machine. All its functions are synchronous. */
export interface Svm {
  readonly account: (address: Address) => StoredAccount | undefined
  readonly balance: (address: Address) => bigint
  /** Writes without checks; `undefined` removes the account. Left: the runtime's reason. */
  readonly setAccount: (address: Address, account: StoredAccount | undefined) => Either.Either<void, string>
  /** Scans all accounts. */
  readonly ownedBy: (owner: Address) => ReadonlyArray<{ readonly address: Address; readonly account: StoredAccount }>
  /** Executes the bytes of a decoded transaction and keeps its writes. */
  readonly execute: (wire: Uint8Array, verify: boolean, rename: Rename) => Outcome
  /** Executes the bytes and discards the writes. */
  readonly simulate: (wire: Uint8Array, verify: boolean, rename: Rename) => Simulation
  readonly addProgram: (address: Address, elf: Uint8Array) => Either.Either<void, string>
  readonly blockhash: () => Blockhash
  /** Makes the next blockhash. */
  readonly nextBlockhash: () => Blockhash
  readonly setTime: (time: ChainTime) => void
  /** Sets the SlotHashes data. The next execution then rebuilds the machine's caches, which is slow. */
  readonly setSlotHashes: (data: Uint8Array) => void
  readonly minimumBalance: (space: number) => bigint
  readonly toBytes: () => Uint8Array
}

/** Creates machines. */
export interface SvmFactory {
  /** Makes a machine whose first blockhash is `seed`, 32 bytes. */
  readonly make: (seed: Uint8Array) => Svm
  /** Restores a machine from the bytes of `toBytes`. */
  readonly fromBytes: (bytes: Uint8Array) => Svm
}

/** The rent epoch of rent-exempt accounts. */
export const RENT_EXEMPT_EPOCH = 2n ** 64n - 1n

/** Loads LiteSVM on first use; importing this package does not load it. */
export const factory = (maxLogBytes: number): Effect.Effect<SvmFactory, EmbeddedClusterError> =>
  Effect.tryPromise({
    try: () => import("litesvm/dist/internal.js"),
    catch: (cause) =>
      new EmbeddedClusterError({
        reason: "LiteSvmMissing",
        detail: "the embedded cluster needs the package litesvm: npm install litesvm@1.5.0",
        cause
      })
  }).pipe(
    Effect.map((native) => ({
      make: (seed) => {
        const machine = native.LiteSvm.fromBytes(ofItsOwn(native, seed))
        machine.setEpochSchedule(
          new native.EpochSchedule(BigInt(Sysvars.SLOTS_PER_EPOCH), BigInt(Sysvars.SLOTS_PER_EPOCH), false, 0n, 0n)
        )
        machine.withNativeMints()
        return wrap(native, machine, maxLogBytes)
      },
      fromBytes: (bytes) => wrap(native, native.LiteSvm.fromBytes(bytes), maxLogBytes)
    }))
  )

/** The bytes of a new machine, made once per process. */
let template: { readonly bytes: Uint8Array; readonly blockhash: Uint8Array } | undefined

const templateOf = (native: typeof Native) => {
  const machine = new native.LiteSvm()
  return { bytes: machine.toBytes(), blockhash: Blockhashes.toBytes(latestBlockhash(machine)) }
}

/**
 * The bytes of a new machine with a unique first blockhash. LiteSVM starts all machines with the same one, from which
 * later ones derive. With it, bytes signed for one cluster could land on another, and the genesis hashes would be
 * equal.
 */
const ofItsOwn = (native: typeof Native, own: Uint8Array): Uint8Array => {
  template ??= templateOf(native)
  const { blockhash, bytes } = template
  const machine = Buffer.from(bytes)
  for (let at = machine.indexOf(blockhash); at !== -1; at = machine.indexOf(blockhash, at + own.length)) {
    machine.set(own, at)
  }
  return machine
}

/** SHA-256 of the programs that loaded, so that each is tried once per process. */
const loadable = new Set<string>()

/** Above this number, programs are tried again. */
const MAX_LOADABLE = 1000

/**
 * Tries to load a program on a temporary machine. A failed load would leave a machine that aborts the process later.
 */
const tryProgram = (native: typeof Native, address: Address, elf: Uint8Array): Either.Either<void, string> => {
  const hash = Hex.encode(Hash.sha256(elf))
  if (loadable.has(hash)) return Either.void
  return Either.map(
    attempt(() => new native.LiteSvm().addProgram(Addresses.toBytes(address), elf)),
    () => void (loadable.size < MAX_LOADABLE && loadable.add(hash))
  )
}

const wrap = (native: typeof Native, machine: Native.LiteSvm, maxLogBytes: number): Svm => {
  machine.setTransactionHistory(0n)
  machine.setBlockhashCheck(false)
  machine.setLogBytesLimit(BigInt(maxLogBytes))
  let shownTime: ChainTime | undefined

  /**
   * Tries to load an executable on a temporary machine. A failed load would leave a machine that aborts the process
   * later.
   */
  const tryExecutable = (address: Address, account: StoredAccount): Either.Either<void, string> => {
    if (!account.executable) return Either.void
    const programData = Loaders.programDataOf(account)
    const bytes = programData === undefined ? undefined : machine.getAccount(Addresses.toBytes(programData))
    if (bytes === null) return Either.left(`its program data account ${programData} does not exist`)
    return attempt(() => {
      const trial = new native.LiteSvm()
      if (programData !== undefined && bytes !== undefined) trial.setAccount(Addresses.toBytes(programData), bytes)
      trial.setAccount(Addresses.toBytes(address), nativeAccount(account))
    })
  }

  const nativeAccount = (account: StoredAccount) =>
    new native.Account(
      account.lamports,
      account.data,
      Addresses.toBytes(account.owner),
      account.executable,
      account.rentEpoch
    )

  /** What was an executable is cached for ever. */
  const programs = new Set<Address>()

  /** A machine aborts when a transaction names a program whose account is gone, or needs a sysvar that is. */
  const refuseLoss = (address: Address, account: StoredAccount | undefined): Either.Either<void, string> => {
    const now = machine.getAccount(Addresses.toBytes(address))
    if (now?.executable() === true || account?.executable === true) programs.add(address)
    if (now !== null && Addresses.fromBytes(now.owner()) === Loaders.NATIVE_LOADER) {
      return Either.left("it is a program of the runtime itself")
    }
    if (Sysvars.is(address) && account?.owner !== Sysvars.OWNER) return Either.left("a sysvar must stay one")
    return account === undefined && programs.has(address) ? Either.left("a program cannot be removed") : Either.void
  }

  const write = (address: Address, account: StoredAccount | undefined): Either.Either<void, string> =>
    attempt(() =>
      machine.setAccount(
        Addresses.toBytes(address),
        account === undefined
          ? new native.Account(0n, new Uint8Array(0), Addresses.toBytes(Addresses.SYSTEM_PROGRAM), false, 0n)
          : nativeAccount(account)
      )
    )

  const setAccount: Svm["setAccount"] = (address, account) =>
    Either.all([
      refuseLoss(address, account),
      account === undefined ? Either.void : tryExecutable(address, account)
    ]).pipe(Either.flatMap(() => write(address, account)))

  const minimumBalance = (space: number) => machine.minimumBalanceForRentExemption(BigInt(space))

  /** LiteSVM's sysvars hold 1 lamport; on a cluster they are rent-exempt. */
  const shown = (address: Address, account: Native.Account): StoredAccount => {
    const found = new MachineAccount(account)
    if (!Sysvars.is(address)) return found
    const { owner, executable, rentEpoch, data } = found
    return { lamports: minimumBalance(data.length), owner, executable, rentEpoch, data }
  }

  const accountOf: Svm["account"] = (address) => {
    const account = machine.getAccount(Addresses.toBytes(address))
    return account === null ? undefined : shown(address, account)
  }

  return {
    account: accountOf,
    balance: (address) =>
      Sysvars.is(address)
        ? (accountOf(address)?.lamports ?? 0n)
        : (machine.getBalance(Addresses.toBytes(address)) ?? 0n),
    setAccount,
    ownedBy: (owner) =>
      machine.getProgramAccounts(Addresses.toBytes(owner)).map((entry) => {
        const address = Addresses.fromBytes(entry.address)
        return { address, account: shown(address, entry.account()) }
      }),
    execute: (wire, verify, rename) => {
      machine.setSigverify(verify)
      const result = machine.sendVersionedTransaction(wire)
      return result instanceof native.FailedTransactionMetadata
        ? new MachineOutcome(rename(transactionError(native, result.err())), result.meta())
        : new MachineOutcome(null, result)
    },
    simulate: (wire, verify, rename) => {
      machine.setSigverify(verify)
      const result = machine.simulateVersionedTransaction(wire)
      return result instanceof native.FailedTransactionMetadata
        ? new MachineSimulation(rename(transactionError(native, result.err())), result.meta(), () => new Map())
        : new MachineSimulation(
            null,
            result.meta(),
            () =>
              new Map(
                result.postAccounts().map((entry) => {
                  const address = Addresses.fromBytes(entry.address)
                  return [address, shown(address, entry.account())]
                })
              )
          )
    },
    addProgram: (address, elf) =>
      Either.all([refuseLoss(address, programOf(elf)), tryProgram(native, address, elf)]).pipe(
        Either.flatMap(() => attempt(() => machine.addProgram(Addresses.toBytes(address), elf)))
      ),
    blockhash: () => latestBlockhash(machine),
    nextBlockhash: () => {
      machine.expireBlockhash()
      return latestBlockhash(machine)
    },
    setTime: (time) => {
      const { slot, epoch, unixTime, epochStart } = time
      if (shownTime?.slot === slot && shownTime.unixTime === unixTime && shownTime.epochStart === epochStart) return
      shownTime = time
      machine.setClock(new native.Clock(BigInt(slot), epochStart, BigInt(epoch), BigInt(epoch + 1), unixTime))
    },
    setSlotHashes: (data) => {
      write(Sysvars.SLOT_HASHES, {
        lamports: 1n,
        owner: Sysvars.OWNER,
        executable: false,
        rentEpoch: RENT_EXEMPT_EPOCH,
        data
      })
    },
    minimumBalance,
    toBytes: () => machine.toBytes()
  }
}

/** The machine's blockhash. Text that is not a blockhash is a defect. */
const latestBlockhash = (machine: Native.LiteSvm): Blockhash =>
  Either.getOrThrow(Blockhashes.parse(machine.latestBlockhash()))

/** An account in the machine's form. Its parts are converted on the first read, because most are never read. */
class MachineAccount implements StoredAccount {
  readonly #account: Native.Account
  #data: Uint8Array | undefined
  #owner: Address | undefined

  constructor(account: Native.Account) {
    this.#account = account
  }

  get lamports(): bigint {
    return this.#account.lamports()
  }

  get executable(): boolean {
    return this.#account.executable()
  }

  get rentEpoch(): bigint {
    return this.#account.rentEpoch()
  }

  get owner(): Address {
    return (this.#owner ??= Addresses.fromBytes(this.#account.owner()))
  }

  get data(): Uint8Array {
    return (this.#data ??= this.#account.data())
  }
}

const programOf = (elf: Uint8Array): StoredAccount => ({
  lamports: 1n,
  owner: Loaders.LOADER_2,
  executable: true,
  rentEpoch: RENT_EXEMPT_EPOCH,
  data: elf
})

const attempt = (write: () => void): Either.Either<void, string> =>
  Either.try({ try: write, catch: (cause) => (cause instanceof Error ? cause.message : String(cause)) })

/** An outcome in the machine's form. Its parts are converted on the first read, because most are never read. */
class MachineOutcome implements Outcome {
  readonly err: Errors.TransactionError | null
  readonly #meta: Native.TransactionMetadata
  #logs: Outcome["logs"] | undefined
  #unitsConsumed: bigint | undefined
  #innerInstructions: Outcome["innerInstructions"] | undefined

  constructor(err: Errors.TransactionError | null, meta: Native.TransactionMetadata) {
    this.err = err
    this.#meta = meta
  }

  get logs(): Outcome["logs"] {
    return (this.#logs ??= this.#meta.logs())
  }

  get unitsConsumed(): bigint {
    return (this.#unitsConsumed ??= this.#meta.computeUnitsConsumed())
  }

  get innerInstructions(): Outcome["innerInstructions"] {
    return (this.#innerInstructions ??= this.#meta.innerInstructions().map((calls) => calls.map(innerInstruction)))
  }

  get returnData(): Outcome["returnData"] {
    const returned = this.#meta.returnData()
    const data = returned.data()
    return data.length === 0 ? undefined : { programId: Addresses.fromBytes(returned.programId()), data }
  }
}

class MachineSimulation extends MachineOutcome implements Simulation {
  readonly #read: () => Simulation["accounts"]
  #accounts: Simulation["accounts"] | undefined

  constructor(
    err: Errors.TransactionError | null,
    meta: Native.TransactionMetadata,
    read: () => Simulation["accounts"]
  ) {
    super(err, meta)
    this.#read = read
  }

  get accounts(): Simulation["accounts"] {
    return (this.#accounts ??= this.#read())
  }
}

const innerInstruction = (inner: Native.InnerInstruction): InnerInstruction => {
  const instruction = inner.instruction()
  return {
    programIndex: instruction.programIdIndex(),
    accountIndices: instruction.accounts(),
    data: instruction.data(),
    stackHeight: inner.stackHeight()
  }
}

const transactionError = (
  native: typeof Native,
  error: ReturnType<Native.FailedTransactionMetadata["err"]>
): Errors.TransactionError => {
  if (typeof error === "number") return Errors.transactionError(error)
  if (error instanceof native.TransactionErrorInstructionError) {
    return { InstructionError: [error.index, instructionError(native, error.err())] }
  }
  if (error instanceof native.TransactionErrorDuplicateInstruction) return { DuplicateInstruction: error.index }
  if (error instanceof native.TransactionErrorInsufficientFundsForRent) {
    return { InsufficientFundsForRent: { account_index: error.accountIndex } }
  }
  return { ProgramExecutionTemporarilyRestricted: { account_index: error.accountIndex } }
}

const instructionError = (
  native: typeof Native,
  error: ReturnType<Native.TransactionErrorInstructionError["err"]>
): Errors.InstructionError => {
  if (typeof error === "number") return Errors.instructionError(error)
  return error instanceof native.InstructionErrorCustom ? { Custom: error.code } : { BorshIoError: error.msg }
}
