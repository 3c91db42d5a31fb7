//! Invitations: who may join a private channel.

use pinocchio::Address;

use crate::{
    accounts::{Accounts, Opened},
    errors::{Error, Result, ensure},
    instructions::{ensure_agent_of, ensure_participant},
    pda, record,
    rules::{agent, message},
    runtime,
    state::{AgentAccount, ChannelAccount, ChannelInvitation, ChannelParticipant},
};

record! { InviteToChannel { invitee: Address, nonce: u64, } }

pub fn invite(mut accounts: Accounts, InviteToChannel { invitee, nonce }: InviteToChannel) -> Result {
    let channel = accounts.load::<ChannelAccount>("channel_account")?;
    let participant = accounts.load_optional::<ChannelParticipant>("participant_account")?;
    let mut agent = accounts.load::<AgentAccount>("agent_account")?;
    let invitation_account = accounts.next("invitation_account")?;
    let inviter = accounts.signer("inviter")?;
    accounts.system_program()?;

    let now = runtime::now()?;
    let seeds = pda::invitation(channel.address(), &invitee);
    let bump = match invitation_account.open::<ChannelInvitation>(&seeds, &inviter)? {
        Opened::New { bump } => bump,
        Opened::Existing(previous) => {
            let is_spent = !previous.is_fresh() || now > previous.expires_at;
            invitation_account.ensure(is_spent, Error::AlreadyInChannel)?;
            previous.bump
        }
    };
    if let Some(participant) = &participant {
        ensure_participant(participant, channel.address(), agent.address())?;
        participant.account.ensure(participant.is_active, Error::NotInChannel)?;
    }
    ensure_agent_of(&agent, &inviter)?;
    inviter.writable()?;

    ensure(channel.creator == *inviter.address() || participant.is_some(), Error::Unauthorized)?;
    agent.invites_sent = agent::count_invitation(agent.invites_sent, agent.last_invite_at, now)?;
    agent.last_invite_at = now;

    // The account list declares the agent readonly; clients that pass it writable have their invitations counted.
    if agent.account.is_writable() {
        agent.save()?;
    }
    let mut invitation = ChannelInvitation {
        channel: *channel.address(),
        inviter: *inviter.address(),
        invitee,
        invitation_hash: [0; 32],
        created_at: now,
        expires_at: now.saturating_add(message::LIFETIME),
        nonce,
        is_accepted: false,
        is_used: false,
        bump,
        reserved: [0; 5],
    };
    invitation.invitation_hash = hash(&invitation);
    invitation_account.store(&invitation)
}

/// Uses an invitation up.
pub fn redeem(invitation: &mut ChannelInvitation, channel: &Address, now: i64) -> Result {
    let is_valid = invitation.channel == *channel && invitation.is_fresh();
    ensure(is_valid, Error::PrivateChannelRequiresInvitation)?;
    ensure(now <= invitation.expires_at, Error::MessageExpired)?;
    ensure(invitation.invitation_hash == hash(invitation), Error::Unauthorized)?;
    invitation.is_accepted = true;
    invitation.is_used = true;
    Ok(())
}

fn hash(invitation: &ChannelInvitation) -> [u8; 32] {
    runtime::keccak256(&[
        invitation.channel.as_ref(),
        invitation.inviter.as_ref(),
        invitation.invitee.as_ref(),
        &invitation.nonce.to_le_bytes(),
        &invitation.created_at.to_le_bytes(),
    ])
}
