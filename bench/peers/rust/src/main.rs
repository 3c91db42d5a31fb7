//! Builds and signs `send_message` transactions with the Solana crates, from payload to base64 wire, as its standard
//! input says, one command a line:
//!
//! - `alone COUNT`: so many messages, each in a transaction of its own; answers with the microseconds of CPU they took.
//! - `packed COUNT`: the same, eight in a transaction.
//! - `wire BLOCKHASH PAYLOAD…`: one transaction with these payloads (in hex) to the first recipients; answers with it.

use base64::{engine::general_purpose::STANDARD, Engine};
use sha2::{Digest, Sha256};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{v0, VersionedMessage};
use solana_pubkey::{pubkey, Pubkey};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::{hint::black_box, io::stdin};

const PROGRAM: Pubkey = pubkey!("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps");
const SYSTEM: Pubkey = pubkey!("11111111111111111111111111111111");
const SEND_MESSAGE: [u8; 8] = [0x39, 0x28, 0x22, 0xb2, 0xbd, 0x0a, 0x41, 0x1a];
const RECIPIENTS: usize = 256;
const PACK: usize = 8;

struct Sender {
    wallet: Keypair,
    agent: Pubkey,
}

impl Sender {
    fn instruction(&self, recipient: &Pubkey, payload: &[u8]) -> Instruction {
        let hash: [u8; 32] = Sha256::digest(payload).into();
        let seeds: [&[u8]; 5] = [b"message", self.agent.as_ref(), recipient.as_ref(), &hash, &[0]];
        let (message, _) = Pubkey::find_program_address(&seeds, &PROGRAM);
        let mut data = Vec::with_capacity(73);
        data.extend_from_slice(&SEND_MESSAGE);
        data.extend_from_slice(recipient.as_ref());
        data.extend_from_slice(&hash);
        data.push(0);
        Instruction {
            program_id: PROGRAM,
            accounts: vec![
                AccountMeta::new(message, false),
                AccountMeta::new_readonly(self.agent, false),
                AccountMeta::new(self.wallet.pubkey(), true),
                AccountMeta::new_readonly(SYSTEM, false),
            ],
            data,
        }
    }

    fn wire(&self, instructions: &[Instruction], blockhash: Hash) -> String {
        let message = v0::Message::try_compile(&self.wallet.pubkey(), instructions, &[], blockhash).unwrap();
        let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[&self.wallet]).unwrap();
        STANDARD.encode(bincode::serialize(&transaction).unwrap())
    }
}

/// The keys that the bench gives to everybody.
fn recipient(index: usize) -> Pubkey {
    let mut seed = [index as u8; 32];
    seed[..16].fill(1);
    Keypair::new_from_array(seed).pubkey()
}

/// Microseconds of CPU, of user and system, that this process has taken.
fn cpu_micros() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn main() {
    let wallet = Keypair::new_from_array([7; 32]);
    let (agent, _) = Pubkey::find_program_address(&[b"agent", wallet.pubkey().as_ref()], &PROGRAM);
    let sender = Sender { wallet, agent };
    let recipients: Vec<Pubkey> = (0..RECIPIENTS).map(recipient).collect();
    let blockhash = Hash::new_from_array([9; 32]);
    let mut sent = 0;

    let mut send = |count: usize, pack: usize| {
        let started = cpu_micros();
        for _ in 0..count / pack {
            let instructions: Vec<Instruction> = (0..pack)
                .map(|_| {
                    sent += 1;
                    let payload = format!("message {sent} to somebody who reads it");
                    sender.instruction(&recipients[sent % RECIPIENTS], payload.as_bytes())
                })
                .collect();
            black_box(sender.wire(&instructions, blockhash));
        }
        cpu_micros() - started
    };

    for line in stdin().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["alone", count] => println!("{:.1}", send(count.parse().unwrap(), 1)),
            ["packed", count] => println!("{:.1}", send(count.parse().unwrap(), PACK)),
            ["wire", blockhash, ref payloads @ ..] => {
                let instructions: Vec<Instruction> = payloads
                    .iter()
                    .zip(&recipients)
                    .map(|(payload, recipient)| sender.instruction(recipient, &from_hex(payload)))
                    .collect();
                println!("{}", sender.wire(&instructions, blockhash.parse().unwrap()));
            }
            _ => panic!("unknown command: {line}"),
        }
    }
}
