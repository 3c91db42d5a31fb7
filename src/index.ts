/**
 * PoD Protocol for Effect: the face of the package.
 *
 * Each module is a namespace: `Agent.Agent` is the Tag, `Agent.layer` its layer. The services and the layers are here,
 * and the vocabulary of the protocol; the primitives of Solana are under `@pod-protocol/effect/solana/*`, since some of
 * their names (a compiled `Message`) mean something else here. In a browser import
 * `@pod-protocol/effect/services` and `@pod-protocol/effect/protocol/*`, which know nothing of Node.
 *
 * @since 0.1.0
 */

/**
 * An input that breaks a rule, refused before any I/O.
 *
 * @since 0.1.0
 */
export { InvalidInput } from "./InvalidInput.js"

/**
 * Text from outside, made safe to show.
 *
 * @since 0.1.0
 */
export * as SafeText from "./SafeText.js"

/**
 * The seven kinds of account.
 *
 * @since 0.1.0
 */
export * as Account from "./protocol/Account.js"

/**
 * What the hash of a direct message covers.
 *
 * @since 0.1.0
 */
export * as Envelope from "./protocol/Envelope.js"

/**
 * The eight events.
 *
 * @since 0.1.0
 */
export * as Event from "./protocol/Event.js"

/**
 * The seventeen instructions.
 *
 * @since 0.1.0
 */
export * as Instruction from "./protocol/Instruction.js"

/**
 * Logs of a transaction, by the program that wrote them.
 *
 * @since 0.1.0
 */
export * as Logs from "./protocol/Logs.js"

/**
 * Ids by which a send is recognised when it runs again.
 *
 * @since 0.1.0
 */
export * as MessageId from "./protocol/MessageId.js"

/**
 * Types and statuses of messages, visibility of channels.
 *
 * @since 0.1.0
 */
export * as MessageType from "./protocol/MessageType.js"

/**
 * Addresses of the program's accounts.
 *
 * @since 0.1.0
 */
export * as Pda from "./protocol/Pda.js"

/**
 * Ids and limits of the program.
 *
 * @since 0.1.0
 */
export * as Program from "./protocol/Program.js"

/**
 * Why the program refused an instruction.
 *
 * @since 0.1.0
 */
export * as ProgramError from "./protocol/ProgramError.js"

/**
 * What the program refuses, found out before.
 *
 * @since 0.1.0
 */
export * as Rules from "./protocol/Rules.js"

export * from "../layers/index.js"
export * from "../services/index.js"
