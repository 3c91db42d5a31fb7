/** The loaders: owners of programs. */
import type { Address } from "@solana/kit"
import * as Addresses from "../../../src/solana/Address.js"
import * as Layout from "./Layout.js"
import type { StoredAccount } from "./StoredAccount.js"
import * as Sysvars from "./Sysvars.js"
import { TOKEN_PROGRAM } from "./TokenAccounts.js"

export const UPGRADEABLE_LOADER = Addresses.known("BPFLoaderUpgradeab1e11111111111111111111111")
export const LOADER_2 = Addresses.known("BPFLoader2111111111111111111111111111111111")
export const LOADER_1 = Addresses.known("BPFLoader1111111111111111111111111111111111")

/** The owner of the programs that the runtime brings. */
export const NATIVE_LOADER = Addresses.known("NativeLoader1111111111111111111111111111111")

/** The owners of the accounts that a new machine has. */
export const GENESIS_OWNERS = [UPGRADEABLE_LOADER, LOADER_2, NATIVE_LOADER, Sysvars.OWNER, TOKEN_PROGRAM]

/** The state of an account of the upgradeable loader. */
const PROGRAM_STATE = 2

/** The account with the bytes of an upgradeable program; undefined for any other account. */
export const programDataOf = ({ data, owner }: StoredAccount): Address | undefined =>
  owner === UPGRADEABLE_LOADER
    ? Layout.attempt(() => {
        const cursor = new Layout.Cursor(data)
        return Layout.u32(cursor) === PROGRAM_STATE ? Layout.address(cursor) : undefined
      })
    : undefined
