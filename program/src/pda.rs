//! The address of the program, and those that it derives.

use pinocchio::{
    Address,
    cpi::{Seed, Signer},
};

/// Where the program lives.
pub const ID: Address = Address::from_str_const("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps");

/// Seeds and a bump, in one list.
const MAX_SEEDS: usize = 6;

pub fn agent(wallet: &Address) -> [&[u8]; 2] {
    [b"agent", wallet.as_ref()]
}

pub fn message<'a>(
    sender: &'a Address,
    recipient: &'a Address,
    payload_hash: &'a [u8; 32],
    message_type: &'a [u8; 1],
) -> [&'a [u8]; 5] {
    [b"message", sender.as_ref(), recipient.as_ref(), payload_hash, message_type]
}

pub fn channel<'a>(creator: &'a Address, name: &'a str) -> [&'a [u8]; 3] {
    [b"channel", creator.as_ref(), name.as_bytes()]
}

pub fn participant<'a>(channel: &'a Address, agent: &'a Address) -> [&'a [u8]; 3] {
    [b"participant", channel.as_ref(), agent.as_ref()]
}

pub fn invitation<'a>(channel: &'a Address, invitee: &'a Address) -> [&'a [u8]; 3] {
    [b"invitation", channel.as_ref(), invitee.as_ref()]
}

pub fn escrow<'a>(channel: &'a Address, depositor: &'a Address) -> [&'a [u8]; 3] {
    [b"escrow", channel.as_ref(), depositor.as_ref()]
}

pub fn channel_message<'a>(channel: &'a Address, user: &'a Address, nonce: &'a [u8; 8]) -> [&'a [u8]; 4] {
    [b"channel_message", channel.as_ref(), user.as_ref(), nonce]
}

/// Seeds with a bump.
#[derive(Clone, Copy)]
pub struct Derivation<'a> {
    pub seeds: &'a [&'a [u8]],
    pub bump: u8,
}

/// The address with the canonical bump.
pub fn find(seeds: &[&[u8]]) -> (Address, u8) {
    Address::find_program_address(seeds, &ID)
}

impl Derivation<'_> {
    /// The address, unless it lies on the curve.
    pub fn address(self) -> Option<Address> {
        let bump = [self.bump];
        Address::create_program_address(&self.with(&bump)[..=self.seeds.len()], &ID).ok()
    }

    /// Calls with the signature of the address.
    pub fn sign<R>(self, call: impl FnOnce(&[Signer]) -> R) -> R {
        let bump = [self.bump];
        let seeds = self.with(&bump).map(Seed::from);
        call(&[Signer::from(&seeds[..=self.seeds.len()])])
    }

    fn with<'b>(&'b self, bump: &'b [u8; 1]) -> [&'b [u8]; MAX_SEEDS] {
        let mut all: [&[u8]; MAX_SEEDS] = [bump; MAX_SEEDS];
        all[..self.seeds.len()].copy_from_slice(self.seeds);
        all
    }
}
