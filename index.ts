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
 * The error for caller input that breaks a rule. Checks raise it before any I/O.
 *
 * @since 0.1.0
 */
export { InvalidInput } from "./src/InvalidInput.js"

/**
 * Makes text from outside (a node's message, an on-chain name, a file) safe to show in an error, a log or a terminal.
 *
 * @since 0.1.0
 */
export * as SafeText from "./src/SafeText.js"

/**
 * The seven kinds of account that the program keeps: their models and their bytes.
 *
 * @since 0.1.0
 */
export * as Account from "./src/protocol/Account.js"

/**
 * What a direct message's hash covers: a header that makes each message one of its kind, and the payload.
 *
 * @since 0.1.0
 */
export * as Envelope from "./src/protocol/Envelope.js"

/**
 * The events that the program logs.
 *
 * @since 0.1.0
 */
export * as Event from "./src/protocol/Event.js"

/**
 * The seventeen instructions: as data, as bytes, and as instructions that Kit sends.
 *
 * @since 0.1.0
 */
export * as Instruction from "./src/protocol/Instruction.js"

/**
 * What the runtime logs of a transaction, as a tree of program invocations.
 *
 * @since 0.1.0
 */
export * as Logs from "./src/protocol/Logs.js"

/**
 * Ids with which a caller names a message, so that the same send is recognised when it runs again.
 *
 * @since 0.1.0
 */
export * as MessageId from "./src/protocol/MessageId.js"

/**
 * The three enumerations of the wire: what kind of message it is, how far it has come, and who may join a channel.
 *
 * @since 0.1.0
 */
export * as MessageType from "./src/protocol/MessageType.js"

/**
 * Where the program keeps its accounts: every program-derived address of the protocol.
 *
 * @since 0.1.0
 */
export * as Pda from "./src/protocol/Pda.js"

/**
 * The program's ids and limits: the constants of the wire.
 *
 * @since 0.1.0
 */
export * as Program from "./src/protocol/Program.js"

/**
 * Why a program refused an instruction.
 *
 * @since 0.1.0
 */
export * as ProgramError from "./src/protocol/ProgramError.js"

/**
 * What the program refuses, found out before it costs a fee.
 *
 * @since 0.1.0
 */
export * as Rules from "./src/protocol/Rules.js"

export * from "./layers/index.js"
export * from "./services/index.js"
