//! What the runtime offers: logs, time, rent, hashes.

use pinocchio::error::ProgramError;
use solana_define_syscall::definitions as syscalls;

use crate::{
    errors::{Error, Failure, Result},
    events::{self, Event},
};

/// Enough for the longest line.
const LINE_BYTES: usize = 256;

/// Logs the parts as one line; what does not fit is cut off.
pub fn log(parts: &[&str]) {
    let mut line = [0; LINE_BYTES];
    let mut length = 0;
    for part in parts {
        let room = &mut line[length..];
        let count = part.len().min(room.len());
        room[..count].copy_from_slice(&part.as_bytes()[..count]);
        length += count;
    }
    // SAFETY: the pointer and the length are those of one slice.
    unsafe { syscalls::sol_log_(line.as_ptr(), length as u64) }
}

/// Logs a failure in Anchor's words. What the runtime refused, it has logged itself.
pub fn report(failure: &Failure) {
    match failure {
        Failure::Rule(error) => report_error(*error, &["occurred"]),
        Failure::Thrown(error, place) => {
            let mut digits = [0; 10];
            let line = decimal(place.line(), &mut digits);
            report_error(*error, &["thrown in ", place.file(), ":", line]);
        }
        Failure::Account(error, account) => report_error(*error, &["caused by account: ", account]),
        Failure::Keys { error, account, found, expected } => {
            report_error(*error, &["caused by account: ", account]);
            log(&["Left:"]);
            found.log();
            log(&["Right:"]);
            expected.log();
        }
        Failure::Runtime(_) => {}
    }
}

fn report_error(error: Error, origin: &[&str]) {
    let (name, message) = error.describe();
    let mut digits = [0; 10];
    let number = decimal(error as u32, &mut digits);
    let mut parts = [""; 12];
    parts[0] = "AnchorError ";
    parts[1..=origin.len()].copy_from_slice(origin);
    parts[5..].copy_from_slice(&[
        ". Error Code: ",
        name,
        ". Error Number: ",
        number,
        ". Error Message: ",
        message,
        ".",
    ]);
    log(&parts);
}

fn decimal(number: u32, digits: &mut [u8; 10]) -> &str {
    let mut rest = number;
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return core::str::from_utf8(&digits[start..]).unwrap_or_default();
        }
    }
}

/// Announces an event.
pub fn emit<E: Event>(event: &E) {
    let mut buffer = [0; events::MAX_BYTES];
    if let Some(bytes) = events::encode(event, &mut buffer) {
        // SAFETY: a list of one slice.
        unsafe { syscalls::sol_log_data([bytes].as_ptr().cast(), 1) }
    }
}

/// Seconds since 1970, by the chain.
///
/// The syscalls for single sysvars are deprecated, but every validator has them.
#[expect(deprecated)]
pub fn now() -> Result<i64> {
    let mut clock = [0_u64; 5];
    // SAFETY: Clock is five words, of which the last is the time.
    match unsafe { syscalls::sol_get_clock_sysvar(clock.as_mut_ptr().cast()) } {
        0 => Ok(clock[4].cast_signed()),
        _ => Err(ProgramError::UnsupportedSysvar.into()),
    }
}

/// Bytes that every account is charged for beside its data.
const ACCOUNT_OVERHEAD: u64 = 128;

/// Lamports that exempt an account of so many bytes from rent.
#[expect(deprecated)]
pub fn rent(space: usize) -> Result<u64> {
    let mut rent = [0_u64; 3];
    // SAFETY: Rent is two words and a byte, padded to three words.
    if unsafe { syscalls::sol_get_rent_sysvar(rent.as_mut_ptr().cast()) } != 0 {
        return Err(ProgramError::UnsupportedSysvar.into());
    }
    let [lamports_per_byte, exemption_threshold, _] = rent;
    // Two years' rent, or the same sum stated as one. Floating point would have to be emulated.
    let years = if exemption_threshold == f64::to_bits(1.0) { 1 } else { 2 };
    Ok((space as u64 + ACCOUNT_OVERHEAD).wrapping_mul(lamports_per_byte).wrapping_mul(years))
}

/// Keccak-256 of the parts in a row.
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = [0; 32];
    // SAFETY: a list of slices and room for 32 bytes.
    unsafe { syscalls::sol_keccak256(parts.as_ptr().cast(), parts.len() as u64, hash.as_mut_ptr()) };
    hash
}

/// What a caller of the instruction gets back.
pub fn set_return_data(bytes: &[u8]) {
    // SAFETY: the pointer and the length are those of one slice.
    unsafe { syscalls::sol_set_return_data(bytes.as_ptr(), bytes.len() as u64) }
}
