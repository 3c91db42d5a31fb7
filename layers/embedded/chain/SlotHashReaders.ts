/**
 * The programs that can read the sysvar SlotHashes. A chain writes the sysvar to the machine only before one of them
 * runs: each write costs as much as a simple transaction.
 *
 * A program reads it as an account of the transaction, by the syscall `sol_get_sysvar`, or within the runtime. A
 * transaction's accounts include every program that it invokes at any depth, so they show whether a reader can run.
 *
 * Invariant: every program of the machine that can read the sysvar is a reader. An ELF without `sol_get_sysvar` cannot
 * read it: up to version 2, the loader finds syscalls by their names. A program that a transaction deployed counts as a
 * reader.
 */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import { isWritable, LOOKUP_TABLE_PROGRAM, type LoadedTransaction } from "./LoadedTransaction.js"
import * as Loaders from "./Loaders.js"
import * as Sysvars from "./Sysvars.js"

const LOADERS: ReadonlySet<Address> = new Set([
  Loaders.UPGRADEABLE_LOADER,
  Loaders.LOADER_2,
  Loaders.LOADER_1,
  Addresses.known("LoaderV411111111111111111111111111111111111")
])

/** The programs of a new machine that read the sysvar or that deploy other programs. */
const FIRST_READERS: ReadonlyArray<Address> = [
  Sysvars.SLOT_HASHES,
  LOOKUP_TABLE_PROGRAM,
  Addresses.known("Vote111111111111111111111111111111111111111"),
  Addresses.known("Stake11111111111111111111111111111111111111"),
  Addresses.known("Config1111111111111111111111111111111111111"),
  Addresses.known("Feature111111111111111111111111111111111111"),
  ...LOADERS
]

const SYSCALL = "sol_get_sysvar"
const ELF_VERSION_AT = 48
/** From this version on, the code contains hashes of syscalls instead of names. */
const HASHED_SYSCALLS = 3

const canRead = (elf: Uint8Array): boolean => {
  const bytes = Buffer.from(elf.buffer, elf.byteOffset, elf.length)
  return (
    bytes.length < ELF_VERSION_AT + 4 ||
    bytes.readUInt32LE(ELF_VERSION_AT) >= HASHED_SYSCALLS ||
    bytes.includes(SYSCALL)
  )
}

/** The readers of one chain. */
export class SlotHashReaders {
  readonly #addresses: Set<Address>

  constructor(addresses: Iterable<Address> = FIRST_READERS) {
    this.#addresses = new Set(addresses)
  }

  /** Whether the transaction can run a reader. */
  canRun({ addresses }: LoadedTransaction): boolean {
    return addresses.some((address) => this.#addresses.has(address))
  }

  /** Call it after a program was loaded. */
  loaded(address: Address, elf: Uint8Array): void {
    if (canRead(elf)) this.#addresses.add(address)
    else this.#addresses.delete(address)
  }

  /** Call it after an executable with unknown code was written at an address. */
  written(address: Address): void {
    this.#addresses.add(address)
  }

  /** Call it after a transaction was executed, because it may have deployed programs. */
  executed(transaction: LoadedTransaction): void {
    if (!deploys(transaction)) return
    transaction.addresses.forEach((address, index) => {
      if (isWritable(transaction, index)) this.#addresses.add(address)
    })
  }

  get addresses(): Iterable<Address> {
    return this.#addresses
  }
}

/** Whether the transaction can deploy a program. */
const deploys = ({ addresses }: LoadedTransaction): boolean => addresses.some((address) => LOADERS.has(address))
