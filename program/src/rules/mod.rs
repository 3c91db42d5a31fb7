//! What is accepted: pure functions of their input, tested on the host.

pub mod agent;
pub mod batch;
pub mod channel;
pub mod content;
pub mod escrow;
pub mod message;
pub mod rate_limit;
mod text;
pub mod uri;
