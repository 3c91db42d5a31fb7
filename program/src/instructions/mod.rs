//! The seventeen instructions, found by their discriminators.

mod agent;
mod broadcast;
mod channel;
mod compressed;
mod escrow;
mod invitation;
mod membership;
mod message;

use pinocchio::{AccountView, Address, ProgramResult};

use crate::{
    accounts::{Accounts, Loaded, Named},
    borsh::{Decode, Reader},
    errors::{Error, Result, ensure},
    pda::{self, ID},
    runtime,
    state::{AgentAccount, ChannelParticipant},
};

pub fn process(program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    dispatch(program_id, Accounts::new(accounts), data).map_err(|failure| {
        runtime::report(&failure);
        failure.into()
    })
}

macro_rules! table {
    ($accounts:ident, $reader:ident; $($discriminator:literal $name:ident => $handler:path,)*) => {
        match u64::from_be_bytes($reader.read().ok_or(Error::InstructionFallbackNotFound)?) {
            $($discriminator => {
                runtime::log(&[concat!("Instruction: ", stringify!($name))]);
                run($handler, $accounts, $reader)
            })*
            _ => Err(Error::InstructionFallbackNotFound.into()),
        }
    };
}

fn dispatch(program_id: &Address, accounts: Accounts, data: &[u8]) -> Result {
    ensure(*program_id == ID, Error::DeclaredProgramIdMismatch)?;
    let mut reader = Reader::new(data);
    table! { accounts, reader;
        0x879d42c30271af1e RegisterAgent => agent::register,
        0x5502b209778b66a4 UpdateAgent => agent::update,
        0x392822b2bd0a411a SendMessage => message::send,
        0x52649c4a61bef884 UpdateMessageStatus => message::update_status,
        0x2569fd63572edf14 CreateChannel => channel::create,
        0xaea033cda9ca1190 CreateChannelV2 => channel::create_v2,
        0x4bcc5ea53cb4c1d9 UpdateChannel => channel::update,
        0x7c277359d91a261d JoinChannel => membership::join,
        0x68004b865f5044ba LeaveChannel => membership::leave,
        0xfd90cb2adb7a9361 BroadcastMessage => broadcast::broadcast,
        0xcb34c230ad052beb InviteToChannel => invitation::invite,
        0xe2709eb0b2769980 DepositEscrow => escrow::deposit,
        0x5154e280f52f6068 WithdrawEscrow => escrow::withdraw,
        0x5710604956386246 GetChannelParticipants => channel::participants,
        0x0f117123baf6296c BroadcastMessageCompressed => compressed::broadcast,
        0xa7c2cb8285a20a58 JoinChannelCompressed => compressed::join,
        0xd9aa54dcea40d0ef BatchSyncCompressedMessages => compressed::sync,
    }
}

/// Runs a handler in a stack frame of its own.
#[inline(never)]
fn run<'a, T: Decode<'a>>(
    handler: impl FnOnce(Accounts<'a>, T) -> Result,
    accounts: Accounts<'a>,
    mut arguments: Reader<'a>,
) -> Result {
    handler(accounts, arguments.read().ok_or(Error::InstructionDidNotDeserialize)?)
}

/// The agent is the wallet's.
fn ensure_agent_of(agent: &Loaded<AgentAccount>, wallet: &Named) -> Result {
    agent.account.derived(&pda::agent(wallet.address()), agent.bump)?;
    agent.account.ensure(agent.pubkey == *wallet.address(), Error::Unauthorized)
}

/// The participation is the agent's, in this channel.
fn ensure_participant(participant: &Loaded<ChannelParticipant>, channel: &Address, agent: &Address) -> Result {
    participant.account.derived(&pda::participant(channel, agent), participant.bump)
}
