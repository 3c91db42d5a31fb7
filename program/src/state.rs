//! The accounts: their discriminators, their sizes and their fields in the order of the wire.

use pinocchio::Address;

use crate::{
    borsh::{Decode, Encode, Reader, Text, Writer},
    record,
    rules::{channel, uri},
};

/// What an account of the program holds.
pub trait Account: Encode {
    /// The first eight bytes.
    const DISCRIMINATOR: [u8; 8];
    /// Bytes allocated, enough for the longest value.
    const SPACE: usize;
}

macro_rules! account {
    ($name:ident, $discriminator:literal, $space:expr) => {
        impl Account for $name {
            const DISCRIMINATOR: [u8; 8] = u64::to_be_bytes($discriminator);
            const SPACE: usize = $space;
        }
    };
}

record! {
    /// An agent, by its wallet.
    AgentAccount {
        pubkey: Address,
        capabilities: u64,
        reputation: u64,
        last_updated: i64,
        metadata_uri: Text<{ uri::MAX_BYTES }>,
        /// Invitations in the clock hour of `last_invite_at`.
        invites_sent: u16,
        last_invite_at: i64,
        bump: u8,
        reserved: [u8; 7],
    }
}

account!(AgentAccount, 0xf177458ce9097032, 286);

record! {
    /// A direct message. The sender is an agent account.
    MessageAccount {
        sender: Address,
        recipient: Address,
        payload_hash: [u8; 32],
        created_at: i64,
        expires_at: i64,
        message_type: MessageType,
        status: MessageStatus,
        bump: u8,
        reserved: [u8; 5],
    }
}

account!(MessageAccount, 0x6190183ae12859df, 129);

record! {
    /// A channel, by its creator's wallet and its first name.
    ChannelAccount {
        creator: Address,
        fee_per_message: u64,
        /// Lamports deposited by everybody and not withdrawn.
        escrow_balance: u64,
        created_at: i64,
        max_participants: u32,
        current_participants: u32,
        name: Text<{ channel::STORED_NAME_BYTES }>,
        description: Text<{ channel::MAX_DESCRIPTION_BYTES }>,
        visibility: ChannelVisibility,
        is_active: bool,
        last_sync_timestamp: i64,
        total_compressed_messages: u64,
        compressed_data_size: u64,
        bump: u8,
        reserved: [u8; 5],
    }
}

account!(ChannelAccount, 0x8ce81a4e591a11f4, 362);

record! {
    /// An agent's participation in a channel.
    ChannelParticipant {
        channel: Address,
        participant: Address,
        joined_at: i64,
        /// Messages in the current rate-limit window.
        messages_sent: u64,
        last_message_at: i64,
        is_active: bool,
        bump: u8,
        reserved: [u8; 6],
    }
}

account!(ChannelParticipant, 0x9359b8cf0abe4e91, 104);

impl ChannelParticipant {
    /// An active participation that has said nothing yet.
    pub const fn new(channel: &Address, participant: &Address, now: i64, bump: u8) -> Self {
        Self {
            channel: *channel,
            participant: *participant,
            joined_at: now,
            messages_sent: 0,
            last_message_at: 0,
            is_active: true,
            bump,
            reserved: [0; 6],
        }
    }
}

record! {
    /// A wallet's invitation to a channel.
    ChannelInvitation {
        channel: Address,
        inviter: Address,
        invitee: Address,
        invitation_hash: [u8; 32],
        created_at: i64,
        expires_at: i64,
        nonce: u64,
        is_accepted: bool,
        is_used: bool,
        bump: u8,
        reserved: [u8; 5],
    }
}

account!(ChannelInvitation, 0x672448c6ad8000ff, 168);

impl ChannelInvitation {
    /// Nobody has used it.
    pub const fn is_fresh(&self) -> bool {
        !self.is_used && !self.is_accepted
    }
}

record! {
    /// A message stored in a channel. The sender is an agent account.
    ChannelMessage<'a> {
        channel: Address,
        sender: Address,
        reply_to: Option<Address>,
        created_at: i64,
        edited_at: Option<i64>,
        content: &'a str,
        message_type: MessageType,
        bump: u8,
        reserved: [u8; 6],
    }
}

impl Account for ChannelMessage<'_> {
    const DISCRIMINATOR: [u8; 8] = u64::to_be_bytes(0xac954d1b58e35057);
    const SPACE: usize = 1134;
}

record! {
    /// A wallet's deposit in a channel.
    EscrowAccount {
        channel: Address,
        depositor: Address,
        amount: u64,
        created_at: i64,
        bump: u8,
        reserved: [u8; 7],
    }
}

account!(EscrowAccount, 0x2445301280e17d87, 96);

macro_rules! plain_enum {
    ($(#[$meta:meta])* $name:ident { $($variant:ident = $index:literal),* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum $name {
            $($variant = $index),*
        }

        impl Decode<'_> for $name {
            fn decode(reader: &mut Reader) -> Option<Self> {
                match reader.read::<u8>()? {
                    $($index => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        impl Encode for $name {
            fn encode(&self, writer: &mut Writer) -> Option<()> {
                writer.put(&[*self as u8])
            }
        }
    };
}

plain_enum! {
    /// How far a direct message has come.
    MessageStatus { Pending = 0, Delivered = 1, Read = 2, Failed = 3 }
}

plain_enum! {
    /// Who may join a channel.
    ChannelVisibility { Public = 0, Private = 1 }
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageType {
    Text,
    Data,
    Command,
    Response,
    Custom(u8),
}

impl MessageType {
    /// The byte in a direct message's seeds. Custom values above 251 have none of their own.
    pub const fn seed(self) -> Option<u8> {
        match self {
            Self::Text => Some(0),
            Self::Data => Some(1),
            Self::Command => Some(2),
            Self::Response => Some(3),
            Self::Custom(value) => value.checked_add(4),
        }
    }
}

impl Decode<'_> for MessageType {
    fn decode(reader: &mut Reader) -> Option<Self> {
        match reader.read::<u8>()? {
            0 => Some(Self::Text),
            1 => Some(Self::Data),
            2 => Some(Self::Command),
            3 => Some(Self::Response),
            4 => Some(Self::Custom(reader.read()?)),
            _ => None,
        }
    }
}

impl Encode for MessageType {
    fn encode(&self, writer: &mut Writer) -> Option<()> {
        match self {
            Self::Custom(value) => writer.put(&[4, *value]),
            Self::Text => writer.put(&[0]),
            Self::Data => writer.put(&[1]),
            Self::Command => writer.put(&[2]),
            Self::Response => writer.put(&[3]),
        }
    }
}
