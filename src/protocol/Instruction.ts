/**
 * The seventeen instructions: as data, as bytes, and as instructions that Kit sends.
 *
 * The functions that are named after the instructions take what a wallet knows and derive the accounts that follow from
 * it; an account in the input takes the place of the derived one, which saves the derivation (agent and participant
 * addresses never change: keep them). They fail with `InvalidInput` for what the wire cannot say. What the program
 * would refuse besides, `Rules` tells.
 *
 * @since 0.1.0
 */
export * from "./instruction/agents.js"
export {
  type AccountAddresses,
  type AccountRule,
  accounts,
  make,
  nameAccounts,
  type ProgramInstruction
} from "./instruction/build.js"
export * from "./instruction/channels.js"
export * from "./instruction/compressed.js"
export * from "./instruction/data.js"
export * from "./instruction/escrows.js"
export * from "./instruction/messages.js"
