/**
 * PoD Protocol for Effect: the main entry of the package.
 *
 * Each module is a namespace: `Agent.Agent` is the Tag, `Agent.layer` its layer. This entry has the services, the layers
 * and the vocabulary of the protocol. The primitives of Solana are under `@pod-protocol/effect/solana/*`, because some of
 * their names, such as `Message`, have another meaning here. In a browser, import `@pod-protocol/effect/services` and
 * `@pod-protocol/effect/protocol/*`, which need no module of Node.
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
 * The models and the decoders of the program's seven account types.
 *
 * @since 0.1.0
 */
export * as Account from "./src/protocol/Account.js"

/**
 * The program's account types as values, with the decoder and the address rule of each.
 *
 * @since 0.1.0
 */
export * as AccountType from "./src/protocol/AccountType.js"

/**
 * Names for the bits of an agent's `capabilities`.
 *
 * @since 0.1.0
 */
export * as Capabilities from "./src/protocol/Capabilities.js"

/**
 * The bytes that a direct message's hash covers: a header that makes each message unique, and the payload.
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
 * The seventeen instructions: as data, as bytes, and as Kit instructions.
 *
 * @since 0.1.0
 */
export * as Instruction from "./src/protocol/Instruction.js"

/**
 * Parses the runtime's log of a transaction to a tree of program invocations.
 *
 * @since 0.1.0
 */
export * as Logs from "./src/protocol/Logs.js"

/**
 * Ids that callers give to messages. A repeated send with the same id is recognised as the same message.
 *
 * @since 0.1.0
 */
export * as MessageId from "./src/protocol/MessageId.js"

/**
 * The three enumerations of the wire: message type, message status and channel visibility.
 *
 * @since 0.1.0
 */
export * as MessageType from "./src/protocol/MessageType.js"

/**
 * The program-derived addresses of the protocol.
 *
 * @since 0.1.0
 */
export * as Pda from "./src/protocol/Pda.js"

/**
 * The program's addresses and limits.
 *
 * @since 0.1.0
 */
export * as Program from "./src/protocol/Program.js"

/**
 * The error for an instruction that a program refused.
 *
 * @since 0.1.0
 */
export * as ProgramError from "./src/protocol/ProgramError.js"

/**
 * Protocol events, derived from the instructions of transactions that succeeded.
 *
 * @since 0.1.0
 */
export * as ProtocolEvent from "./src/protocol/ProtocolEvent.js"

/**
 * The program's rules, checked before a transaction costs a fee.
 *
 * @since 0.1.0
 */
export * as Rules from "./src/protocol/Rules.js"

/**
 * The layout of a sealed payload, which only its recipient can open.
 *
 * @since 0.1.0
 */
export * as Sealed from "./src/protocol/Sealed.js"

/**
 * The formats of a sealed channel: broadcasts that only its participants can open, and the keys that open them.
 *
 * @since 0.1.0
 */
export * as SealedBroadcast from "./src/protocol/SealedBroadcast.js"

/**
 * Sealing keys that agents publish, for wallets that can only sign: X25519 public keys of 32 bytes, in base58.
 *
 * @since 0.1.0
 */
export * as SealingKey from "./src/protocol/SealingKey.js"

export * from "./layers/index.js"
export * from "./services/index.js"
