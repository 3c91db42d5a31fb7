//! Escrow: lamports that a wallet sets aside for a channel's fees.

use pinocchio_system::instructions::Transfer;

use crate::{
    accounts::{Accounts, Opened},
    errors::{Error, Result},
    events::{EscrowDeposit, EscrowWithdrawal},
    pda, record,
    rules::escrow,
    runtime,
    state::{ChannelAccount, EscrowAccount},
};

record! { Amount { lamports: u64, } }

/// Opens an escrow or adds to it.
pub fn deposit(mut accounts: Accounts, Amount { lamports }: Amount) -> Result {
    let escrow_account = accounts.next("escrow_account")?;
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let depositor = accounts.signer("depositor")?;
    accounts.system_program()?;

    let now = runtime::now()?;
    let seeds = pda::escrow(channel.address(), depositor.address());
    let escrow = match escrow_account.open::<EscrowAccount>(&seeds, &depositor)? {
        Opened::Existing(escrow) => *escrow,
        Opened::New { bump } => EscrowAccount {
            channel: *channel.address(),
            depositor: *depositor.address(),
            amount: 0,
            created_at: now,
            bump,
            reserved: [0; 7],
        },
    };
    channel.account.writable()?;
    depositor.writable()?;

    escrow::deposit(lamports)?;
    Transfer { from: &depositor, to: &escrow_account, lamports }.invoke()?;
    let amount = escrow.amount.checked_add(lamports).ok_or(Error::InsufficientFunds)?;
    channel.escrow_balance = channel.escrow_balance.checked_add(lamports).ok_or(Error::InsufficientFunds)?;

    runtime::emit(&EscrowDeposit {
        channel: *channel.address(),
        depositor: *depositor.address(),
        amount: lamports,
        timestamp: now,
    });
    escrow_account.store(&EscrowAccount { amount, ..escrow })?;
    channel.save()
}

/// Pays out of an escrow; the account stays, even at nothing.
pub fn withdraw(mut accounts: Accounts, Amount { lamports }: Amount) -> Result {
    let mut escrow = accounts.load::<EscrowAccount>("escrow_account")?;
    let mut channel = accounts.load::<ChannelAccount>("channel_account")?;
    let depositor = accounts.signer("depositor")?;

    escrow.account.derived(&pda::escrow(channel.address(), depositor.address()), escrow.bump)?;
    escrow.account.writable()?;
    escrow.account.ensure(escrow.depositor == *depositor.address(), Error::Unauthorized)?;
    channel.account.writable()?;
    depositor.writable()?;

    escrow.amount = escrow.amount.checked_sub(lamports).ok_or(Error::InsufficientFunds)?;
    channel.escrow_balance = channel.escrow_balance.checked_sub(lamports).ok_or(Error::InsufficientFunds)?;
    escrow.account.pay(&depositor, lamports)?;

    runtime::emit(&EscrowWithdrawal {
        channel: *channel.address(),
        depositor: *depositor.address(),
        amount: lamports,
        timestamp: runtime::now()?,
    });
    escrow.save()?;
    channel.save()
}
