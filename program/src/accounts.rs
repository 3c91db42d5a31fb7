//! The accounts of an instruction, checked in Anchor's order: first every account's type as it is declared, then the new
//! accounts, then the constraints, and after the handler what changed is written back.

use core::ops::{Deref, DerefMut};

use pinocchio::{AccountView, Address};
use pinocchio_system::{
    ID as SYSTEM_ID,
    instructions::{Allocate, Assign, CreateAccount, Transfer},
};

use crate::{
    borsh::{Decode, Reader, Writer},
    errors::{Error, Failure, Result},
    pda::{self, Derivation, ID},
    runtime,
    state::Account,
};

/// The accounts that were passed, taken one after the other.
pub struct Accounts<'a> {
    rest: &'a [AccountView],
}

impl<'a> Accounts<'a> {
    pub const fn new(accounts: &'a [AccountView]) -> Self {
        Self { rest: accounts }
    }

    /// Any account.
    pub fn next(&mut self, name: &'static str) -> Result<Named> {
        self.next_if_any(name).ok_or(Failure::Account(Error::AccountNotEnoughKeys, name))
    }

    /// Any account, if one is left and it is not the program's id, which stands for none.
    pub fn next_or_absent(&mut self, name: &'static str) -> Option<Named> {
        self.next_if_any(name).filter(|account| *account.address() != ID)
    }

    /// An account that signed.
    pub fn signer(&mut self, name: &'static str) -> Result<Named> {
        let account = self.next(name)?;
        account.ensure(account.is_signer(), Error::AccountNotSigner)?;
        Ok(account)
    }

    /// An account of the program.
    pub fn load<T: Account + for<'b> Decode<'b>>(&mut self, name: &'static str) -> Result<Loaded<T>> {
        self.next(name)?.load()
    }

    /// An account of the program, or the program's id for none.
    pub fn load_optional<T: Account + for<'b> Decode<'b>>(&mut self, name: &'static str) -> Result<Option<Loaded<T>>> {
        let account = self.next(name)?;
        if *account.address() == ID { Ok(None) } else { account.load().map(Some) }
    }

    /// The executable with this id.
    pub fn program(&mut self, name: &'static str, id: &Address) -> Result {
        let account = self.next(name)?;
        account.ensure_key(account.address(), id, Error::InvalidProgramId)?;
        account.ensure(account.executable(), Error::InvalidProgramExecutable)
    }

    pub fn system_program(&mut self) -> Result {
        self.program("system_program", &SYSTEM_ID)
    }

    fn next_if_any(&mut self, name: &'static str) -> Option<Named> {
        let (view, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(Named { view: *view, name })
    }
}

/// An account by its name in the instruction.
#[derive(Clone, Copy)]
pub struct Named {
    view: AccountView,
    name: &'static str,
}

impl Deref for Named {
    type Target = AccountView;

    fn deref(&self) -> &AccountView {
        &self.view
    }
}

impl Named {
    /// A constraint on this account.
    pub const fn ensure(&self, condition: bool, error: Error) -> Result {
        if condition { Ok(()) } else { Err(Failure::Account(error, self.name)) }
    }

    fn ensure_key(&self, found: &Address, expected: &Address, error: Error) -> Result {
        if found == expected {
            return Ok(());
        }
        Err(Failure::Keys { error, account: self.name, found: *found, expected: *expected })
    }

    pub fn writable(&self) -> Result {
        self.ensure(self.is_writable(), Error::ConstraintMut)
    }

    /// Its address has these seeds and this bump.
    pub fn derived(&self, seeds: &[&[u8]], bump: u8) -> Result {
        let expected =
            Derivation { seeds, bump }.address().ok_or(Failure::Account(Error::ConstraintSeeds, self.name))?;
        self.ensure_key(self.address(), &expected, Error::ConstraintSeeds)
    }

    /// Its address has these seeds and the canonical bump, which comes back.
    pub fn canonical(&self, seeds: &[&[u8]]) -> Result<u8> {
        let (expected, bump) = pda::find(seeds);
        self.ensure_key(self.address(), &expected, Error::ConstraintSeeds)?;
        Ok(bump)
    }

    /// Creates it at the address of the seeds; the bump comes back.
    pub fn create<T: Account>(&self, seeds: &[&[u8]], payer: &Self) -> Result<u8> {
        let bump = self.canonical(seeds)?;
        self.allocate(T::SPACE, Derivation { seeds, bump }, payer)?;
        Ok(bump)
    }

    /// Loads what is at the address of the seeds, or creates it.
    pub fn open<T: Account + for<'b> Decode<'b>>(&self, seeds: &[&[u8]], payer: &Self) -> Result<Opened<T>> {
        let bump = self.canonical(seeds)?;
        if self.owned_by(&ID) {
            self.writable()?;
            return self.load().map(Opened::Existing);
        }
        self.allocate(T::SPACE, Derivation { seeds, bump }, payer)?;
        Ok(Opened::New { bump })
    }

    #[inline(never)]
    fn allocate(&self, space: usize, derivation: Derivation, payer: &Self) -> Result {
        let lamports = runtime::rent(space)?;
        let space = space as u64;
        let (from, to) = (&payer.view, &self.view);
        derivation.sign(|signers| {
            if to.lamports() == 0 {
                return CreateAccount { from, to, lamports, space, owner: &ID }.invoke_signed(signers);
            }
            let missing = lamports.saturating_sub(to.lamports());
            if missing > 0 {
                Transfer { from, to, lamports: missing }.invoke()?;
            }
            Allocate { account: to, space }.invoke_signed(signers)?;
            Assign { account: to, owner: &ID }.invoke_signed(signers)
        })?;
        Ok(())
    }

    #[inline(never)]
    fn load<T: Account + for<'b> Decode<'b>>(self) -> Result<Loaded<T>> {
        self.ensure(!(self.owned_by(&SYSTEM_ID) && self.lamports() == 0), Error::AccountNotInitialized)?;
        self.ensure_key(&self.owner(), &ID, Error::AccountOwnedByWrongProgram)?;
        let data = self.try_borrow()?;
        let mut reader = Reader::new(&data);
        let discriminator: Option<[u8; 8]> = reader.read();
        self.ensure(discriminator.is_some(), Error::AccountDiscriminatorNotFound)?;
        self.ensure(discriminator == Some(T::DISCRIMINATOR), Error::AccountDiscriminatorMismatch)?;
        let value = reader.read().ok_or(Failure::Account(Error::AccountDidNotDeserialize, self.name))?;
        Ok(Loaded { account: self, value })
    }

    /// Writes a value into it.
    #[inline(never)]
    pub fn store<T: Account>(&self, value: &T) -> Result {
        let mut view = self.view;
        let mut data = view.try_borrow_mut()?;
        let mut writer = Writer::new(&mut data);
        writer
            .put(&T::DISCRIMINATOR)
            .and_then(|()| writer.write(value))
            .ok_or(Failure::Account(Error::AccountDidNotSerialize, self.name))
    }

    /// Moves lamports out of this account, which belongs to the program.
    pub fn pay(&self, to: &Self, lamports: u64) -> Result {
        let (mut from, mut to) = (self.view, to.view);
        let rest = from.lamports().checked_sub(lamports).ok_or(Error::InsufficientFunds)?;
        let sum = to.lamports().checked_add(lamports).ok_or(Error::InsufficientFunds)?;
        from.set_lamports(rest);
        to.set_lamports(sum);
        Ok(())
    }
}

/// What was at an address when it was opened.
pub enum Opened<T> {
    New { bump: u8 },
    Existing(Loaded<T>),
}

/// An account with its decoded value. Changes are kept by `save`.
pub struct Loaded<T> {
    pub account: Named,
    value: T,
}

impl<T: Account> Loaded<T> {
    pub fn address(&self) -> &Address {
        self.account.view.address()
    }

    pub fn save(&self) -> Result {
        self.account.store(&self.value)
    }
}

impl<T> Deref for Loaded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Loaded<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}
