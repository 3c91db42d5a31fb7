//! Batches of hashes of messages kept off chain.

use crate::errors::{Error, ensure};

pub const MAX_HASHES: usize = 100;
/// Seconds that a batch may be away from the chain's time.
pub const MAX_DRIFT: u64 = 3600;

pub fn size(hashes: &[[u8; 32]]) -> Result<(), Error> {
    ensure(hashes.len() <= MAX_HASHES, Error::RateLimitExceeded)
}

pub fn timestamp(timestamp: i64, now: i64) -> Result<(), Error> {
    ensure(now.abs_diff(timestamp) <= MAX_DRIFT, Error::InvalidTimestamp)
}

pub fn hashes(hashes: &[[u8; 32]]) -> Result<(), Error> {
    ensure(!hashes.contains(&[0; 32]), Error::InvalidMessageHash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_batch_when_checked_then_each_limit_has_its_code() {
        assert_eq!(size(&[[1; 32]; 100]), Ok(()));
        assert_eq!(size(&[[1; 32]; 101]), Err(Error::RateLimitExceeded));
        assert_eq!(hashes(&[]), Ok(()));
        assert_eq!(hashes(&[[1; 32], [0; 32]]), Err(Error::InvalidMessageHash));
        for within in [6400, 13_600] {
            assert_eq!(timestamp(within, 10_000), Ok(()));
        }
        for beyond in [6399, 13_601, i64::MIN, i64::MAX] {
            assert_eq!(timestamp(beyond, 10_000), Err(Error::InvalidTimestamp));
        }
    }
}
