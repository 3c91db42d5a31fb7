//! Who an agent may be and how many invitations it may send.

use crate::errors::{Error, ensure};

/// What every agent begins with.
pub const INITIAL_REPUTATION: u64 = 100;
/// What opening a channel with a first participant needs.
pub const CREATOR_REPUTATION: u64 = 50;
/// Invitations in one clock hour.
pub const INVITATIONS_PER_HOUR: u16 = 20;

pub fn capabilities(capabilities: u64) -> Result<(), Error> {
    ensure(capabilities <= i64::MAX as u64, Error::Unauthorized)
}

/// Invitations sent in the clock hour of `now`, with this one.
///
/// A clock hour is never stricter than any window of 3600 seconds.
pub fn count_invitation(sent: u16, last: i64, now: i64) -> Result<u16, Error> {
    let sent = if clock_hour(now) == clock_hour(last) { sent } else { 0 };
    ensure(sent < INVITATIONS_PER_HOUR, Error::RateLimitExceeded)?;
    Ok(sent + 1)
}

const fn clock_hour(time: i64) -> u64 {
    time.cast_unsigned() / 3600
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_any_word_when_checked_then_the_highest_bit_is_refused() {
        assert_eq!(capabilities(i64::MAX as u64), Ok(()));
        assert_eq!(capabilities(1 << 63), Err(Error::Unauthorized));
    }

    #[test]
    fn given_twenty_invitations_when_one_more_is_sent_then_it_waits_for_the_next_hour() {
        assert_eq!(count_invitation(0, 0, 7200), Ok(1));
        assert_eq!(count_invitation(19, 7200, 7201), Ok(20));
        assert_eq!(count_invitation(20, 7200, 10_799), Err(Error::RateLimitExceeded));
        assert_eq!(count_invitation(20, 7200, 10_800), Ok(1));
    }
}
