/** The error codes of the program and of its framework, with their texts. */

/** Errors of the program. */
export const programErrors = {
  6000: { name: "InvalidMetadataUriLength", text: "Invalid metadata URI length" },
  6001: { name: "Unauthorized", text: "Unauthorized" },
  6002: { name: "MessageExpired", text: "Message expired" },
  6003: { name: "InvalidMessageStatusTransition", text: "Invalid message status transition" },
  6004: { name: "ChannelFull", text: "Channel is full" },
  6005: { name: "AlreadyInChannel", text: "Already in channel" },
  6006: { name: "NotInChannel", text: "Not in channel" },
  6007: { name: "InsufficientFunds", text: "Insufficient funds" },
  6008: { name: "ChannelNameTooLong", text: "Channel name too long" },
  6009: { name: "ChannelDescriptionTooLong", text: "Channel description too long" },
  6010: { name: "InsufficientReputation", text: "Insufficient reputation" },
  6011: { name: "RateLimitExceeded", text: "Rate limit exceeded" },
  6012: { name: "MessageContentTooLong", text: "Message content too long" },
  6013: { name: "PrivateChannelRequiresInvitation", text: "Private channel requires invitation" },
  6014: { name: "HashingFailed", text: "Hashing operation failed" },
  6015: { name: "SecureMemoryAllocationFailed", text: "Secure memory allocation failed" },
  6016: { name: "InvalidTimestamp", text: "Invalid timestamp" },
  6017: { name: "InvalidMessageHash", text: "Invalid message hash" }
} as const

/** Errors that the framework raises before or after an instruction of the program runs. */
export const frameworkErrors = {
  100: { name: "InstructionMissing", text: "Instruction discriminator not provided" },
  101: { name: "InstructionFallbackNotFound", text: "Fallback functions are not supported" },
  102: { name: "InstructionDidNotDeserialize", text: "The program could not deserialize the given instruction" },
  103: { name: "InstructionDidNotSerialize", text: "The program could not serialize the given instruction" },
  1000: { name: "IdlInstructionStub", text: "The program was compiled without idl instructions" },
  1001: {
    name: "IdlInstructionInvalidProgram",
    text: "The transaction was given an invalid program for the IDL instruction"
  },
  1002: { name: "IdlAccountNotEmpty", text: "IDL account must be empty in order to resize, try closing first" },
  1500: { name: "EventInstructionStub", text: "The program was compiled without `event-cpi` feature" },
  2000: { name: "ConstraintMut", text: "A mut constraint was violated" },
  2001: { name: "ConstraintHasOne", text: "A has one constraint was violated" },
  2002: { name: "ConstraintSigner", text: "A signer constraint was violated" },
  2003: { name: "ConstraintRaw", text: "A raw constraint was violated" },
  2004: { name: "ConstraintOwner", text: "An owner constraint was violated" },
  2005: { name: "ConstraintRentExempt", text: "A rent exemption constraint was violated" },
  2006: { name: "ConstraintSeeds", text: "A seeds constraint was violated" },
  2007: { name: "ConstraintExecutable", text: "An executable constraint was violated" },
  2008: { name: "ConstraintState", text: "Deprecated Error, feel free to replace with something else" },
  2009: { name: "ConstraintAssociated", text: "An associated constraint was violated" },
  2010: { name: "ConstraintAssociatedInit", text: "An associated init constraint was violated" },
  2011: { name: "ConstraintClose", text: "A close constraint was violated" },
  2012: { name: "ConstraintAddress", text: "An address constraint was violated" },
  2013: { name: "ConstraintZero", text: "Expected zero account discriminant" },
  2014: { name: "ConstraintTokenMint", text: "A token mint constraint was violated" },
  2015: { name: "ConstraintTokenOwner", text: "A token owner constraint was violated" },
  2016: { name: "ConstraintMintMintAuthority", text: "A mint mint authority constraint was violated" },
  2017: { name: "ConstraintMintFreezeAuthority", text: "A mint freeze authority constraint was violated" },
  2018: { name: "ConstraintMintDecimals", text: "A mint decimals constraint was violated" },
  2019: { name: "ConstraintSpace", text: "A space constraint was violated" },
  2020: { name: "ConstraintAccountIsNone", text: "A required account for the constraint is None" },
  2021: { name: "ConstraintTokenTokenProgram", text: "A token account token program constraint was violated" },
  2022: { name: "ConstraintMintTokenProgram", text: "A mint token program constraint was violated" },
  2023: {
    name: "ConstraintAssociatedTokenTokenProgram",
    text: "An associated token account token program constraint was violated"
  },
  2024: { name: "ConstraintMintGroupPointerExtension", text: "A group pointer extension constraint was violated" },
  2025: {
    name: "ConstraintMintGroupPointerExtensionAuthority",
    text: "A group pointer extension authority constraint was violated"
  },
  2026: {
    name: "ConstraintMintGroupPointerExtensionGroupAddress",
    text: "A group pointer extension group address constraint was violated"
  },
  2027: {
    name: "ConstraintMintGroupMemberPointerExtension",
    text: "A group member pointer extension constraint was violated"
  },
  2028: {
    name: "ConstraintMintGroupMemberPointerExtensionAuthority",
    text: "A group member pointer extension authority constraint was violated"
  },
  2029: {
    name: "ConstraintMintGroupMemberPointerExtensionMemberAddress",
    text: "A group member pointer extension group address constraint was violated"
  },
  2030: {
    name: "ConstraintMintMetadataPointerExtension",
    text: "A metadata pointer extension constraint was violated"
  },
  2031: {
    name: "ConstraintMintMetadataPointerExtensionAuthority",
    text: "A metadata pointer extension authority constraint was violated"
  },
  2032: {
    name: "ConstraintMintMetadataPointerExtensionMetadataAddress",
    text: "A metadata pointer extension metadata address constraint was violated"
  },
  2033: { name: "ConstraintMintCloseAuthorityExtension", text: "A close authority constraint was violated" },
  2034: {
    name: "ConstraintMintCloseAuthorityExtensionAuthority",
    text: "A close authority extension authority constraint was violated"
  },
  2035: {
    name: "ConstraintMintPermanentDelegateExtension",
    text: "A permanent delegate extension constraint was violated"
  },
  2036: {
    name: "ConstraintMintPermanentDelegateExtensionDelegate",
    text: "A permanent delegate extension delegate constraint was violated"
  },
  2037: { name: "ConstraintMintTransferHookExtension", text: "A transfer hook extension constraint was violated" },
  2038: {
    name: "ConstraintMintTransferHookExtensionAuthority",
    text: "A transfer hook extension authority constraint was violated"
  },
  2039: {
    name: "ConstraintMintTransferHookExtensionProgramId",
    text: "A transfer hook extension transfer hook program id constraint was violated"
  },
  2500: { name: "RequireViolated", text: "A require expression was violated" },
  2501: { name: "RequireEqViolated", text: "A require_eq expression was violated" },
  2502: { name: "RequireKeysEqViolated", text: "A require_keys_eq expression was violated" },
  2503: { name: "RequireNeqViolated", text: "A require_neq expression was violated" },
  2504: { name: "RequireKeysNeqViolated", text: "A require_keys_neq expression was violated" },
  2505: { name: "RequireGtViolated", text: "A require_gt expression was violated" },
  2506: { name: "RequireGteViolated", text: "A require_gte expression was violated" },
  3000: { name: "AccountDiscriminatorAlreadySet", text: "The account discriminator was already set on this account" },
  3001: { name: "AccountDiscriminatorNotFound", text: "No discriminator was found on the account" },
  3002: { name: "AccountDiscriminatorMismatch", text: "Account discriminator did not match what was expected" },
  3003: { name: "AccountDidNotDeserialize", text: "Failed to deserialize the account" },
  3004: { name: "AccountDidNotSerialize", text: "Failed to serialize the account" },
  3005: { name: "AccountNotEnoughKeys", text: "Not enough account keys given to the instruction" },
  3006: { name: "AccountNotMutable", text: "The given account is not mutable" },
  3007: { name: "AccountOwnedByWrongProgram", text: "The given account is owned by a different program than expected" },
  3008: { name: "InvalidProgramId", text: "Program ID was not as expected" },
  3009: { name: "InvalidProgramExecutable", text: "Program account is not executable" },
  3010: { name: "AccountNotSigner", text: "The given account did not sign" },
  3011: { name: "AccountNotSystemOwned", text: "The given account is not owned by the system program" },
  3012: { name: "AccountNotInitialized", text: "The program expected this account to be already initialized" },
  3013: { name: "AccountNotProgramData", text: "The given account is not a program data account" },
  3014: { name: "AccountNotAssociatedTokenAccount", text: "The given account is not the associated token account" },
  3015: { name: "AccountSysvarMismatch", text: "The given public key does not match the required sysvar" },
  3016: {
    name: "AccountReallocExceedsLimit",
    text: "The account reallocation exceeds the MAX_PERMITTED_DATA_INCREASE limit"
  },
  3017: { name: "AccountDuplicateReallocs", text: "The account was duplicated for more than one reallocation" },
  4100: { name: "DeclaredProgramIdMismatch", text: "The declared program id does not match the actual program id" },
  4101: {
    name: "TryingToInitPayerAsProgramAccount",
    text: "You cannot/should not initialize the payer account as a program account"
  },
  4102: {
    name: "InvalidNumericConversion",
    text: "The program could not perform the numeric conversion, out of range integral type conversion attempted"
  },
  5000: { name: "Deprecated", text: "The API being used is deprecated and should no longer be used" }
} as const
