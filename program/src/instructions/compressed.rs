//! What is kept off chain and only announced. No other program is called.

use pinocchio::Address;

use crate::{
    accounts::Accounts,
    blake3,
    errors::{Error, Result, ensure},
    events::{ChannelJoined, CompressedMessageSynced, MessageBroadcast},
    instructions::{
        invitation::redeem,
        membership::{enter, take_place},
    },
    pda::{self, Derivation},
    record,
    rules::{batch, content, rate_limit},
    runtime,
    state::{AgentAccount, ChannelAccount, ChannelInvitation, ChannelParticipant, ChannelVisibility, MessageType},
};

const COMPRESSION_PROGRAM: Address = Address::from_str_const("cmtDvXumGCrqC1Age74AVPhSRVXJMd8PJS91L8KbNCK");

/// Present in the account lists of the wire, and not read.
const COMPRESSION_ACCOUNTS: [&str; 7] = [
    "registered_program_id",
    "noop_program",
    "account_compression_authority",
    "account_compression_program",
    "merkle_tree",
    "nullifier_queue",
    "cpi_authority_pda",
];

fn skip_compression_accounts(accounts: &mut Accounts) -> Result {
    COMPRESSION_ACCOUNTS.iter().try_for_each(|name| accounts.next(name).map(|_| ()))
}

record! {
    BroadcastMessageCompressed<'a> {
        content: &'a str,
        message_type: MessageType,
        reply_to: Option<Address>,
        ipfs_hash: &'a str,
    }
}

pub fn broadcast(mut accounts: Accounts, arguments: BroadcastMessageCompressed) -> Result {
    let channel = accounts.load::<ChannelAccount>("channel_account")?;
    let mut participant = accounts.load::<ChannelParticipant>("participant_account")?;
    let fee_payer = accounts.signer("fee_payer")?;
    let authority = accounts.signer("authority")?;
    accounts.system_program()?;
    accounts.program("compression_program", &COMPRESSION_PROGRAM)?;
    skip_compression_accounts(&mut accounts)?;

    participant.account.writable()?;
    fee_payer.writable()?;

    let BroadcastMessageCompressed { content, message_type, ipfs_hash, .. } = arguments;
    content::compressed(content)?;
    content::cid(ipfs_hash)?;
    ensure(participant.is_active, Error::NotInChannel)?;
    let seeds = pda::participant(channel.address(), &participant.participant);
    let expected = Derivation { seeds: &seeds, bump: participant.bump }.address();
    ensure(expected.as_ref() == Some(participant.address()), Error::Unauthorized)?;
    let (agent, _) = pda::find(&pda::agent(authority.address()));
    ensure(participant.participant == agent && channel.is_active, Error::Unauthorized)?;
    let now = runtime::now()?;
    participant.messages_sent = rate_limit::compressed(participant.messages_sent, participant.last_message_at, now)?;
    participant.last_message_at = now;
    ensure(!content.is_empty(), Error::SecureMemoryAllocationFailed)?;

    runtime::emit(&MessageBroadcast { channel: *channel.address(), sender: agent, message_type, timestamp: now });
    participant.save()
}

record! { JoinChannelCompressed { metadata_hash: [u8; 32], } }

/// Counts and records the agent only when its participant account follows the others: without it, nobody could tell a
/// second join from the first.
pub fn join(mut accounts: Accounts, _: JoinChannelCompressed) -> Result {
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let agent = accounts.load::<AgentAccount>("agent_account")?;
    let mut invitation = accounts.load_optional::<ChannelInvitation>("invitation_account")?;
    let fee_payer = accounts.signer("fee_payer")?;
    let authority = accounts.signer("authority")?;
    accounts.system_program()?;
    skip_compression_accounts(&mut accounts)?;
    let participant_account = accounts.next_or_absent("participant_account");

    let now = runtime::now()?;
    let participant = participant_account
        .map(|account| enter(&account, channel.address(), agent.address(), &fee_payer))
        .transpose()?;
    channel.account.writable()?;
    fee_payer.writable()?;

    ensure(agent.pubkey == *authority.address(), Error::Unauthorized)?;
    take_place(&mut channel)?;
    ensure(channel.fee_per_message == 0, Error::InsufficientFunds)?;
    if channel.visibility == ChannelVisibility::Private {
        let invitation = invitation.as_mut().ok_or(Error::PrivateChannelRequiresInvitation)?;
        ensure(invitation.invitee == *authority.address(), Error::Unauthorized)?;
        redeem(invitation, channel.address(), now)?;
        invitation.account.writable()?;
        invitation.save()?;
    }

    runtime::emit(&ChannelJoined { channel: *channel.address(), participant: *agent.address(), timestamp: now });
    if let (Some(account), Some(participant)) = (participant_account, participant) {
        channel.save()?;
        account.store(&participant)?;
    }
    Ok(())
}

record! { BatchSync<'a> { message_hashes: &'a [[u8; 32]], sync_timestamp: i64, } }

pub fn sync(mut accounts: Accounts, BatchSync { message_hashes, sync_timestamp }: BatchSync) -> Result {
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let fee_payer = accounts.signer("fee_payer")?;
    let authority = accounts.signer("authority")?;
    accounts.system_program()?;
    accounts.program("compression_program", &COMPRESSION_PROGRAM)?;
    skip_compression_accounts(&mut accounts)?;

    channel.account.writable()?;
    fee_payer.writable()?;

    batch::size(message_hashes)?;
    ensure(channel.creator == *authority.address(), Error::Unauthorized)?;
    batch::timestamp(sync_timestamp, runtime::now()?)?;
    batch::hashes(message_hashes)?;

    for (batch_index, message_hash) in (0..).zip(message_hashes) {
        runtime::emit(&CompressedMessageSynced {
            channel_id: *channel.address(),
            message_hash: *message_hash,
            compressed_hash: blake3::hash(message_hash),
            batch_index,
            sync_timestamp,
        });
    }
    let count = message_hashes.len() as u64;
    channel.last_sync_timestamp = sync_timestamp;
    channel.total_compressed_messages = channel.total_compressed_messages.saturating_add(count);
    channel.compressed_data_size = channel.compressed_data_size.saturating_add(count << 5);
    channel.save()
}
