//! Joining and leaving a channel.

use pinocchio::Address;

use crate::{
    accounts::{Accounts, Loaded, Named, Opened},
    errors::{Error, Result, ensure},
    events::ChannelJoined,
    instructions::{ensure_agent_of, ensure_participant, invitation},
    pda, runtime,
    state::{AgentAccount, ChannelAccount, ChannelInvitation, ChannelParticipant, ChannelVisibility, EscrowAccount},
};

pub fn join(mut accounts: Accounts, (): ()) -> Result {
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let participant_account = accounts.next("participant_account")?;
    let agent = accounts.load::<AgentAccount>("agent_account")?;
    let mut invitation = accounts.load_optional::<ChannelInvitation>("invitation_account")?;
    let mut escrow = accounts.load_optional::<EscrowAccount>("escrow_account")?;
    let user = accounts.signer("user")?;
    accounts.system_program()?;

    let now = runtime::now()?;
    let participant = enter(&participant_account, channel.address(), agent.address(), &user)?;
    channel.account.writable()?;
    ensure_agent_of(&agent, &user)?;
    if let Some(invitation) = &invitation {
        invitation.account.canonical(&pda::invitation(channel.address(), user.address()))?;
        invitation.account.writable()?;
    }
    if let Some(escrow) = &escrow {
        escrow.account.canonical(&pda::escrow(channel.address(), user.address()))?;
        escrow.account.writable()?;
    }
    user.writable()?;

    take_place(&mut channel)?;
    if channel.fee_per_message > 0 {
        let escrow = escrow.as_mut().ok_or(Error::InsufficientFunds)?;
        pay_fee(escrow, &channel, user.address())?;
    }
    if channel.visibility == ChannelVisibility::Private {
        let invitation = invitation.as_mut().ok_or(Error::PrivateChannelRequiresInvitation)?;
        ensure(invitation.invitee == *user.address(), Error::PrivateChannelRequiresInvitation)?;
        invitation::redeem(invitation, channel.address(), now)?;
    }

    runtime::emit(&ChannelJoined { channel: *channel.address(), participant: *agent.address(), timestamp: now });
    channel.save()?;
    participant_account.store(&participant)?;
    invitation.map_or(Ok(()), |invitation| invitation.save())?;
    escrow.map_or(Ok(()), |escrow| escrow.save())
}

/// The participation as it will be: a new one, or one that was left and keeps its counters.
pub fn enter(account: &Named, channel: &Address, agent: &Address, payer: &Named) -> Result<ChannelParticipant> {
    let now = runtime::now()?;
    match account.open::<ChannelParticipant>(&pda::participant(channel, agent), payer)? {
        Opened::New { bump } => Ok(ChannelParticipant::new(channel, agent, now, bump)),
        Opened::Existing(previous) => {
            account.ensure(!previous.is_active, Error::AlreadyInChannel)?;
            Ok(ChannelParticipant { joined_at: now, is_active: true, ..*previous })
        }
    }
}

pub fn take_place(channel: &mut Loaded<ChannelAccount>) -> Result {
    ensure(channel.current_participants < channel.max_participants, Error::ChannelFull)?;
    channel.current_participants += 1;
    Ok(())
}

/// The fee goes from the escrow to the channel. Both were counted as escrow when it was deposited.
fn pay_fee(escrow: &mut Loaded<EscrowAccount>, channel: &Loaded<ChannelAccount>, user: &Address) -> Result {
    ensure(escrow.depositor == *user, Error::Unauthorized)?;
    let fee = channel.fee_per_message;
    escrow.amount = escrow.amount.checked_sub(fee).ok_or(Error::InsufficientFunds)?;
    escrow.account.pay(&channel.account, fee)
}

/// Ends a participation; the account stays.
pub fn leave(mut accounts: Accounts, (): ()) -> Result {
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let mut participant = accounts.load::<ChannelParticipant>("participant_account")?;
    let agent = accounts.load::<AgentAccount>("agent_account")?;
    let user = accounts.signer("user")?;

    channel.account.writable()?;
    ensure_participant(&participant, channel.address(), agent.address())?;
    participant.account.writable()?;
    participant.account.ensure(participant.participant == *agent.address(), Error::Unauthorized)?;
    ensure_agent_of(&agent, &user)?;
    user.writable()?;

    ensure(participant.is_active, Error::NotInChannel)?;
    participant.is_active = false;
    channel.current_participants = channel.current_participants.saturating_sub(1);
    channel.save()?;
    participant.save()
}
