//! Every refusal, with the code, the name and the message that clients read in the logs.

use core::panic::Location;

use pinocchio::{Address, error::ProgramError};

macro_rules! errors {
    ($($code:literal $name:ident $message:literal)*) => {
        /// A refusal by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Error {
            $($name = $code,)*
        }

        impl Error {
            /// The name and the message as Anchor logs them.
            pub const fn describe(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => (stringify!($name), $message),)*
                }
            }
        }
    };
}

errors! {
    101 InstructionFallbackNotFound "Fallback functions are not supported"
    102 InstructionDidNotDeserialize "The program could not deserialize the given instruction"
    2000 ConstraintMut "A mut constraint was violated"
    2006 ConstraintSeeds "A seeds constraint was violated"
    3001 AccountDiscriminatorNotFound "No discriminator was found on the account"
    3002 AccountDiscriminatorMismatch "Account discriminator did not match what was expected"
    3003 AccountDidNotDeserialize "Failed to deserialize the account"
    3004 AccountDidNotSerialize "Failed to serialize the account"
    3005 AccountNotEnoughKeys "Not enough account keys given to the instruction"
    3007 AccountOwnedByWrongProgram "The given account is owned by a different program than expected"
    3008 InvalidProgramId "Program ID was not as expected"
    3009 InvalidProgramExecutable "Program account is not executable"
    3010 AccountNotSigner "The given account did not sign"
    3012 AccountNotInitialized "The program expected this account to be already initialized"
    4100 DeclaredProgramIdMismatch "The declared program id does not match the actual program id"
    6000 InvalidMetadataUriLength "Invalid metadata URI length"
    6001 Unauthorized "Unauthorized"
    6002 MessageExpired "Message expired"
    6003 InvalidMessageStatusTransition "Invalid message status transition"
    6004 ChannelFull "Channel is full"
    6005 AlreadyInChannel "Already in channel"
    6006 NotInChannel "Not in channel"
    6007 InsufficientFunds "Insufficient funds"
    6008 ChannelNameTooLong "Channel name too long"
    6009 ChannelDescriptionTooLong "Channel description too long"
    6010 InsufficientReputation "Insufficient reputation"
    6011 RateLimitExceeded "Rate limit exceeded"
    6012 MessageContentTooLong "Message content too long"
    6013 PrivateChannelRequiresInvitation "Private channel requires invitation"
    6014 HashingFailed "Hashing operation failed"
    6015 SecureMemoryAllocationFailed "Secure memory allocation failed"
    6016 InvalidTimestamp "Invalid timestamp"
    6017 InvalidMessageHash "Invalid message hash"
}

/// Why an instruction ends: an [`Error`] and where it arose, or what the runtime answered.
pub enum Failure {
    /// A rule of the instruction.
    Rule(Error),
    /// A rule, reported with its place in the source.
    Thrown(Error, &'static Location<'static>),
    /// The named account.
    Account(Error, &'static str),
    /// The named account, where one key was found and another expected.
    Keys { error: Error, account: &'static str, found: Address, expected: Address },
    /// A call into the runtime or into another program.
    Runtime(ProgramError),
}

pub type Result<T = ()> = core::result::Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Rule(error)
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        Self::Runtime(error)
    }
}

impl From<Failure> for ProgramError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Runtime(error) => error,
            Failure::Rule(error)
            | Failure::Thrown(error, _)
            | Failure::Account(error, _)
            | Failure::Keys { error, .. } => Self::Custom(error as u32),
        }
    }
}

/// `Ok` when the condition holds.
pub fn ensure(condition: bool, error: Error) -> core::result::Result<(), Error> {
    if condition { Ok(()) } else { Err(error) }
}
