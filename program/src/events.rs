//! What the program announces in its logs, as `Program data:` lines.

use pinocchio::Address;

use crate::{
    borsh::{Encode, Writer},
    record,
    state::{ChannelVisibility, MessageType},
};

/// Enough for the longest event.
pub const MAX_BYTES: usize = 320;

/// What is announced.
pub trait Event: Encode {
    /// The first eight bytes.
    const DISCRIMINATOR: [u8; 8];
}

/// Writes an event's bytes; the part of the buffer that they fill.
pub fn encode<'a, E: Event>(event: &E, buffer: &'a mut [u8; MAX_BYTES]) -> Option<&'a [u8]> {
    let mut writer = Writer::new(buffer);
    writer.put(&E::DISCRIMINATOR)?;
    writer.write(event)?;
    let written = writer.written();
    Some(&buffer[..written])
}

macro_rules! event {
    ($discriminator:literal $name:ident $(<$life:lifetime>)? { $($fields:tt)* }) => {
        record! { $name $(<$life>)? { $($fields)* } }

        impl $(<$life>)? Event for $name $(<$life>)? {
            const DISCRIMINATOR: [u8; 8] = u64::to_be_bytes($discriminator);
        }
    };
}

event! { 0xbf4ed936e864bd55 AgentRegistered<'a> {
    agent: Address,
    capabilities: u64,
    metadata_uri: &'a str,
    timestamp: i64,
} }

event! { 0x7446e04c801c6e37 MessageSent {
    sender: Address,
    recipient: Address,
    message_type: MessageType,
    timestamp: i64,
} }

event! { 0x2004a1a59490388b ChannelCreated<'a> {
    channel: Address,
    creator: Address,
    name: &'a str,
    visibility: ChannelVisibility,
    timestamp: i64,
} }

event! { 0x7df3f99709153975 ChannelJoined {
    channel: Address,
    participant: Address,
    timestamp: i64,
} }

event! { 0x001ef956601d8b68 MessageBroadcast {
    channel: Address,
    sender: Address,
    message_type: MessageType,
    timestamp: i64,
} }

event! { 0x2b5a31b086943220 EscrowDeposit {
    channel: Address,
    depositor: Address,
    amount: u64,
    timestamp: i64,
} }

event! { 0x4c433031b4d5fa47 EscrowWithdrawal {
    channel: Address,
    depositor: Address,
    amount: u64,
    timestamp: i64,
} }

event! { 0xee5e7a585d07b0c7 CompressedMessageSynced {
    channel_id: Address,
    message_hash: [u8; 32],
    compressed_hash: [u8; 32],
    batch_index: u32,
    sync_timestamp: i64,
} }
