//! Agents: who speaks.

use crate::{
    accounts::Accounts,
    borsh::Text,
    errors::{Error, Result},
    events::AgentRegistered,
    instructions::ensure_agent_of,
    pda, record,
    rules::{agent, uri},
    runtime,
    state::AgentAccount,
};

record! { RegisterAgent<'a> { capabilities: u64, metadata_uri: &'a str, } }

pub fn register(mut accounts: Accounts, arguments: RegisterAgent) -> Result {
    let agent_account = accounts.next("agent_account")?;
    let signer = accounts.signer("signer")?;
    accounts.system_program()?;

    let bump = agent_account.create::<AgentAccount>(&pda::agent(signer.address()), &signer)?;
    signer.writable()?;

    let RegisterAgent { capabilities, metadata_uri } = arguments;
    let stored_uri = checked_uri(metadata_uri)?;
    agent::capabilities(capabilities)?;

    let now = runtime::now()?;
    runtime::emit(&AgentRegistered { agent: *signer.address(), capabilities, metadata_uri, timestamp: now });
    agent_account.store(&AgentAccount {
        pubkey: *signer.address(),
        capabilities,
        reputation: agent::INITIAL_REPUTATION,
        last_updated: now,
        metadata_uri: stored_uri,
        invites_sent: 0,
        last_invite_at: 0,
        bump,
        reserved: [0; 7],
    })
}

record! { UpdateAgent<'a> { capabilities: Option<u64>, metadata_uri: Option<&'a str>, } }

pub fn update(mut accounts: Accounts, arguments: UpdateAgent) -> Result {
    let mut agent_account = accounts.load::<AgentAccount>("agent_account")?;
    let signer = accounts.signer("signer")?;

    ensure_agent_of(&agent_account, &signer)?;
    agent_account.account.writable()?;

    if let Some(metadata_uri) = arguments.metadata_uri {
        agent_account.metadata_uri = checked_uri(metadata_uri)?;
    }
    if let Some(capabilities) = arguments.capabilities {
        agent::capabilities(capabilities)?;
        agent_account.capabilities = capabilities;
    }
    agent_account.last_updated = runtime::now()?;
    agent_account.save()
}

fn checked_uri(metadata_uri: &str) -> Result<Text<{ uri::MAX_BYTES }>> {
    uri::check(metadata_uri)?;
    Text::new(metadata_uri).ok_or_else(|| Error::InvalidMetadataUriLength.into())
}
