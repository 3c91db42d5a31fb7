//! How much may be deposited at once.

use crate::errors::{Error, ensure};

pub const MAX_DEPOSIT: u64 = 10_000_000_000;

pub fn deposit(amount: u64) -> Result<(), Error> {
    ensure((1..=MAX_DEPOSIT).contains(&amount), Error::InsufficientFunds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_amount_when_checked_then_it_lies_within_the_limits() {
        assert_eq!(deposit(1), Ok(()));
        assert_eq!(deposit(MAX_DEPOSIT), Ok(()));
        for amount in [0, MAX_DEPOSIT + 1, u64::MAX] {
            assert_eq!(deposit(amount), Err(Error::InsufficientFunds));
        }
    }
}
