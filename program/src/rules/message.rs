//! The life of a direct message.

use crate::{
    errors::{Error, ensure},
    state::MessageStatus,
};

/// Seconds after which a direct message or an invitation expires: a week.
pub const LIFETIME: i64 = 604_800;

/// Pending, Delivered, Read; or from one of the first two to Failed.
pub fn transition(from: MessageStatus, to: MessageStatus) -> Result<(), Error> {
    use MessageStatus::{Delivered, Failed, Pending, Read};
    ensure(
        matches!((from, to), (Pending, Delivered | Failed) | (Delivered, Read | Failed)),
        Error::InvalidMessageStatusTransition,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_every_pair_when_checked_then_four_steps_are_allowed() {
        use MessageStatus::{Delivered, Failed, Pending, Read};
        let allowed = [(Pending, Delivered), (Pending, Failed), (Delivered, Read), (Delivered, Failed)];
        for from in [Pending, Delivered, Read, Failed] {
            for to in [Pending, Delivered, Read, Failed] {
                assert_eq!(transition(from, to).is_ok(), allowed.contains(&(from, to)));
            }
        }
    }
}
