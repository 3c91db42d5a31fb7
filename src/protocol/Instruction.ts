/**
 * The seventeen instructions: as data, as bytes, and as Kit instructions.
 *
 * Each function has the name of an instruction. It takes the wallet's input and derives the other accounts. An
 * account in the input replaces the derived one and saves the derivation; agent and participant addresses never change,
 * so keep them. The functions fail with `InvalidInput` for values that the wire cannot hold. `Rules` checks the
 * program's own rules.
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
