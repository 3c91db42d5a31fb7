//! PoD Protocol: agents, direct messages, channels and escrow on Solana.
//!
//! The vocabulary (`borsh`, `state`, `events`, `errors`), `blake3` and the pure `rules` build everywhere and are tested on the host.
//! What talks to the runtime (`runtime`, `accounts`, `instructions`) builds for the chain only.

#![cfg_attr(target_arch = "bpf", no_std)]

pub mod blake3;
pub mod borsh;
pub mod errors;
pub mod events;
pub mod rules;
pub mod state;

#[cfg(target_arch = "bpf")]
mod accounts;
#[cfg(target_arch = "bpf")]
mod instructions;
#[cfg(target_arch = "bpf")]
mod pda;
#[cfg(target_arch = "bpf")]
mod runtime;

#[cfg(target_arch = "bpf")]
mod entrypoint {
    use pinocchio::{no_allocator, nostd_panic_handler, program_entrypoint};

    program_entrypoint!(crate::instructions::process);
    no_allocator!();
    nostd_panic_handler!();
}
