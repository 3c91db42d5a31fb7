//! What a channel may be called and hold.

use crate::errors::{Error, ensure};

/// A name is a seed of the channel's address, and a seed has at most 32 bytes.
pub const MAX_NAME_BYTES: usize = 32;
/// Names that were ever stored may be longer.
pub const STORED_NAME_BYTES: usize = 50;
pub const MAX_DESCRIPTION_BYTES: usize = 200;
pub const MAX_PARTICIPANTS: u32 = 1000;
pub const MAX_FEE: u64 = 1_000_000_000;

/// One spelling a name: blanks around it would give a second address to the same words.
pub fn name(name: &str) -> Result<(), Error> {
    ensure((1..=MAX_NAME_BYTES).contains(&name.len()) && name.trim().len() == name.len(), Error::ChannelNameTooLong)
}

pub fn description(description: &str) -> Result<(), Error> {
    ensure(description.len() <= MAX_DESCRIPTION_BYTES, Error::ChannelDescriptionTooLong)
}

/// Room for at least those who are there.
pub fn max_participants(max: u32, current: u32) -> Result<(), Error> {
    ensure((1..=MAX_PARTICIPANTS).contains(&max) && max >= current, Error::ChannelFull)
}

pub fn fee(fee: u64) -> Result<(), Error> {
    ensure(fee <= MAX_FEE, Error::InsufficientFunds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_name_when_checked_then_it_is_a_trimmed_seed() {
        assert_eq!(name("general"), Ok(()));
        assert_eq!(name(&"é".repeat(16)), Ok(()));
        for refused in ["", " ", " a", "a\u{85}", &"x".repeat(33)] {
            assert_eq!(name(refused), Err(Error::ChannelNameTooLong), "{refused:?}");
        }
    }

    #[test]
    fn given_limits_when_checked_then_one_more_is_refused() {
        assert_eq!(description(&"x".repeat(200)), Ok(()));
        assert_eq!(description(&"x".repeat(201)), Err(Error::ChannelDescriptionTooLong));
        assert_eq!(fee(1_000_000_000), Ok(()));
        assert_eq!(fee(1_000_000_001), Err(Error::InsufficientFunds));
        assert_eq!(max_participants(1, 0), Ok(()));
        assert_eq!(max_participants(1000, 1000), Ok(()));
        for (max, current) in [(0, 0), (1001, 0), (4, 5)] {
            assert_eq!(max_participants(max, current), Err(Error::ChannelFull));
        }
    }
}
