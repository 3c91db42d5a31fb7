//! Direct messages: hashes from one agent to a wallet.

use pinocchio::Address;

use crate::{
    accounts::Accounts,
    errors::{Error, Result, ensure},
    events::MessageSent,
    instructions::ensure_agent_of,
    pda, record,
    rules::message,
    runtime,
    state::{AgentAccount, MessageAccount, MessageStatus, MessageType},
};

record! { SendMessage { recipient: Address, payload_hash: [u8; 32], message_type: MessageType, } }

pub fn send(mut accounts: Accounts, arguments: SendMessage) -> Result {
    let message_account = accounts.next("message_account")?;
    let sender_agent = accounts.load::<AgentAccount>("sender_agent")?;
    let signer = accounts.signer("signer")?;
    accounts.system_program()?;

    let SendMessage { recipient, payload_hash, message_type } = arguments;
    let sender = *sender_agent.address();
    let type_seed = [message_type.seed().ok_or(Error::InvalidMessageHash)?];
    let bump = message_account
        .create::<MessageAccount>(&pda::message(&sender, &recipient, &payload_hash, &type_seed), &signer)?;
    ensure_agent_of(&sender_agent, &signer)?;
    signer.writable()?;

    let now = runtime::now()?;
    runtime::emit(&MessageSent { sender, recipient, message_type, timestamp: now });
    message_account.store(&MessageAccount {
        sender,
        recipient,
        payload_hash,
        created_at: now,
        expires_at: now.saturating_add(message::LIFETIME),
        message_type,
        status: MessageStatus::Pending,
        bump,
        reserved: [0; 5],
    })
}

record! { UpdateMessageStatus { new_status: MessageStatus, } }

pub fn update_status(mut accounts: Accounts, UpdateMessageStatus { new_status }: UpdateMessageStatus) -> Result {
    let mut message = accounts.load::<MessageAccount>("message_account")?;
    let agent = accounts.load::<AgentAccount>("recipient_agent")?;
    let signer = accounts.signer("signer")?;

    let type_seed = [message.message_type.seed().ok_or(Error::InvalidMessageHash)?];
    message
        .account
        .derived(&pda::message(&message.sender, &message.recipient, &message.payload_hash, &type_seed), message.bump)?;
    message.account.writable()?;
    ensure_agent_of(&agent, &signer)?;

    ensure(runtime::now()? <= message.expires_at, Error::MessageExpired)?;
    let is_recipient = message.recipient == *signer.address() || message.recipient == *agent.address();
    let is_sender = message.sender == *agent.address();
    let may_set = match new_status {
        MessageStatus::Pending => true,
        MessageStatus::Delivered | MessageStatus::Read => is_recipient,
        MessageStatus::Failed => is_recipient || is_sender,
    };
    ensure(may_set, Error::Unauthorized)?;
    message::transition(message.status, new_status)?;

    message.status = new_status;
    message.save()
}
