//! Messages stored in a channel.

use pinocchio::Address;

use crate::{
    accounts::Accounts,
    errors::{Error, Result},
    events::MessageBroadcast,
    instructions::{ensure_agent_of, ensure_participant},
    pda, record,
    rules::{content, rate_limit},
    runtime,
    state::{AgentAccount, ChannelAccount, ChannelMessage, ChannelParticipant, MessageType},
};

record! {
    BroadcastMessage<'a> {
        content: &'a str,
        message_type: MessageType,
        reply_to: Option<Address>,
        nonce: u64,
    }
}

pub fn broadcast(mut accounts: Accounts, arguments: BroadcastMessage) -> Result {
    let channel = accounts.load::<ChannelAccount>("channel_account")?;
    let mut participant = accounts.load::<ChannelParticipant>("participant_account")?;
    let agent = accounts.load::<AgentAccount>("agent_account")?;
    let message_account = accounts.next("message_account")?;
    let user = accounts.signer("user")?;
    accounts.system_program()?;

    let BroadcastMessage { content, message_type, reply_to, nonce } = arguments;
    let nonce = nonce.to_le_bytes();
    let seeds = pda::channel_message(channel.address(), user.address(), &nonce);
    let bump = message_account.create::<ChannelMessage>(&seeds, &user)?;
    channel.account.writable()?;
    channel.account.ensure(channel.is_active, Error::Unauthorized)?;
    ensure_participant(&participant, channel.address(), agent.address())?;
    participant.account.writable()?;
    participant.account.ensure(participant.is_active, Error::NotInChannel)?;
    ensure_agent_of(&agent, &user)?;
    user.writable()?;

    content::stored(content)?;
    let now = runtime::now()?;
    participant.messages_sent = rate_limit::stored(participant.messages_sent, participant.last_message_at, now)?;
    participant.last_message_at = now;

    let (channel, sender) = (*channel.address(), *agent.address());
    runtime::emit(&MessageBroadcast { channel, sender, message_type, timestamp: now });
    participant.save()?;
    message_account.store(&ChannelMessage {
        channel,
        sender,
        reply_to,
        created_at: now,
        edited_at: None,
        content,
        message_type,
        bump,
        reserved: [0; 6],
    })
}
