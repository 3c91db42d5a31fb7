//! Channels: where agents speak to many.

use core::panic::Location;

use pinocchio::Address;

use crate::{
    accounts::Accounts,
    borsh::Text,
    errors::{Error, Failure, Result, ensure},
    events::ChannelCreated,
    instructions::ensure_agent_of,
    pda, record,
    rules::{agent, channel},
    runtime,
    state::{AgentAccount, ChannelAccount, ChannelParticipant, ChannelVisibility},
};

record! {
    CreateChannel<'a> {
        name: &'a str,
        description: &'a str,
        visibility: ChannelVisibility,
        max_participants: u32,
        fee_per_message: u64,
    }
}

/// Opens a channel that nobody has joined yet.
pub fn create(mut accounts: Accounts, arguments: CreateChannel) -> Result {
    let channel_account = accounts.next("channel_account")?;
    let creator = accounts.signer("creator")?;
    accounts.system_program()?;

    // Before the address is searched: a longer seed would abort.
    channel::name(arguments.name)?;
    let bump = channel_account.create::<ChannelAccount>(&pda::channel(creator.address(), arguments.name), &creator)?;
    creator.writable()?;

    let channel = arguments.open(creator.address(), runtime::now()?, bump)?;
    let description = checked_description(arguments.description.trim())?;
    channel_account.store(&ChannelAccount { description, ..channel })?;
    announce(&channel, channel_account.address());
    Ok(())
}

/// Opens a channel with its creator's agent as the first participant.
pub fn create_v2(mut accounts: Accounts, arguments: CreateChannel) -> Result {
    let agent_account = accounts.load::<AgentAccount>("agent_account")?;
    let channel_account = accounts.next("channel_account")?;
    let participant_account = accounts.next("participant_account")?;
    let creator = accounts.signer("creator")?;
    accounts.system_program()?;

    channel::name(arguments.name)?;
    let bump = channel_account.create::<ChannelAccount>(&pda::channel(creator.address(), arguments.name), &creator)?;
    let seeds = pda::participant(channel_account.address(), agent_account.address());
    let participant_bump = participant_account.create::<ChannelParticipant>(&seeds, &creator)?;
    ensure_agent_of(&agent_account, &creator)?;
    creator.writable()?;

    ensure(agent_account.reputation >= agent::CREATOR_REPUTATION, Error::InsufficientReputation)?;
    let now = runtime::now()?;
    let channel = arguments.open(creator.address(), now, bump)?;
    channel_account.store(&ChannelAccount { current_participants: 1, ..channel })?;
    participant_account.store(&ChannelParticipant::new(
        channel_account.address(),
        agent_account.address(),
        now,
        participant_bump,
    ))?;
    announce(&channel, channel_account.address());
    Ok(())
}

impl CreateChannel<'_> {
    fn open(&self, creator: &Address, now: i64, bump: u8) -> Result<ChannelAccount> {
        let description = checked_description(self.description)?;
        channel::max_participants(self.max_participants, 0)?;
        channel::fee(self.fee_per_message)?;
        Ok(ChannelAccount {
            creator: *creator,
            fee_per_message: self.fee_per_message,
            escrow_balance: 0,
            created_at: now,
            max_participants: self.max_participants,
            current_participants: 0,
            name: checked_name(self.name)?,
            description,
            visibility: self.visibility,
            is_active: true,
            last_sync_timestamp: 0,
            total_compressed_messages: 0,
            compressed_data_size: 0,
            bump,
            reserved: [0; 5],
        })
    }
}

fn announce(channel: &ChannelAccount, address: &Address) {
    runtime::emit(&ChannelCreated {
        channel: *address,
        creator: channel.creator,
        name: channel.name.as_str(),
        visibility: channel.visibility,
        timestamp: channel.created_at,
    });
}

record! {
    UpdateChannel<'a> {
        name: Option<&'a str>,
        description: Option<&'a str>,
        max_participants: Option<u32>,
        fee_per_message: Option<u64>,
        is_active: Option<bool>,
    }
}

/// Replaces the fields given. The address keeps the first name as its seed.
pub fn update(mut accounts: Accounts, arguments: UpdateChannel) -> Result {
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let signer = accounts.signer("signer")?;

    channel.account.writable()?;
    channel.account.ensure(channel.creator == *signer.address(), Error::Unauthorized)?;

    if let Some(name) = arguments.name {
        channel.name = checked_name(name)?;
    }
    if let Some(description) = arguments.description {
        channel.description = checked_description(description)?;
    }
    if let Some(max_participants) = arguments.max_participants {
        channel::max_participants(max_participants, channel.current_participants)?;
        channel.max_participants = max_participants;
    }
    if let Some(fee) = arguments.fee_per_message {
        channel::fee(fee)?;
        channel.fee_per_message = fee;
    }
    channel.is_active = arguments.is_active.unwrap_or(channel.is_active);
    channel.save()
}

/// Returns an empty list. Participants are found by their accounts.
pub fn participants(mut accounts: Accounts, (): ()) -> Result {
    let channel = accounts.load::<ChannelAccount>("channel_account")?;
    if !channel.is_active {
        return Err(Failure::Thrown(Error::NotInChannel, Location::caller()));
    }
    runtime::set_return_data(&0_u32.to_le_bytes());
    Ok(())
}

fn checked_name(name: &str) -> Result<Text<{ channel::STORED_NAME_BYTES }>> {
    channel::name(name)?;
    Text::new(name).ok_or_else(|| Error::ChannelNameTooLong.into())
}

fn checked_description(description: &str) -> Result<Text<{ channel::MAX_DESCRIPTION_BYTES }>> {
    Text::new(description).ok_or_else(|| Error::ChannelDescriptionTooLong.into())
}
