//! How fast a participant may speak.

use crate::errors::{Error, ensure};

/// Seconds of silence after which the count begins again.
const WINDOW: i64 = 60;
/// Messages in one window.
const MAX_IN_WINDOW: u64 = 60;
/// Messages in one window after which the pace slows.
const BURST: u64 = 10;
/// Seconds between messages after the burst.
const SLOW_PACE: i64 = 10;

/// Messages in the window with this one, for a message that is stored.
pub fn stored(sent: u64, last: i64, now: i64) -> Result<u64, Error> {
    let hurried = last > 0 && now.saturating_sub(last) < SLOW_PACE && sent >= BURST;
    ensure(!hurried, Error::RateLimitExceeded)?;
    compressed(sent, last, now)
}

/// Messages in the window with this one, for a message that is only announced.
pub fn compressed(sent: u64, last: i64, now: i64) -> Result<u64, Error> {
    let gap = now.saturating_sub(last);
    if last <= 0 || gap >= WINDOW {
        return Ok(1);
    }
    ensure(gap >= 1 && sent < MAX_IN_WINDOW, Error::RateLimitExceeded)?;
    Ok(sent + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Result<u64, Error> = Err(Error::RateLimitExceeded);

    #[test]
    fn given_the_first_message_when_counted_then_the_window_opens() {
        assert_eq!(stored(0, 0, 100), Ok(1));
        assert_eq!(stored(99, 0, 100), Ok(1));
    }

    #[test]
    fn given_the_same_second_when_counted_then_it_is_refused() {
        assert_eq!(stored(1, 100, 100), REFUSED);
        assert_eq!(compressed(1, 100, 100), REFUSED);
        assert_eq!(stored(1, 100, 99), REFUSED);
        assert_eq!(stored(1, 100, 101), Ok(2));
    }

    #[test]
    fn given_a_burst_when_counted_then_only_stored_messages_slow_down() {
        assert_eq!(stored(10, 100, 109), REFUSED);
        assert_eq!(stored(10, 100, 110), Ok(11));
        assert_eq!(compressed(10, 100, 101), Ok(11));
    }

    #[test]
    fn given_sixty_messages_when_counted_then_only_silence_helps() {
        assert_eq!(stored(60, 100, 159), REFUSED);
        assert_eq!(stored(60, 100, 160), Ok(1));
        assert_eq!(compressed(60, 100, 159), REFUSED);
        assert_eq!(compressed(60, 100, 160), Ok(1));
    }
}
