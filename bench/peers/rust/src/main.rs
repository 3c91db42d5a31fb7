//! Builds and signs `send_message` transactions with the Solana crates, from payload to base64 wire, and prints the
//! median microseconds of one message as JSON: one message a transaction, and eight packed into one.

use base64::{engine::general_purpose::STANDARD, Engine};
use sha2::{Digest, Sha256};
use solana_hash::Hash;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{v0, VersionedMessage};
use solana_pubkey::{pubkey, Pubkey};
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::{hint::black_box, time::Instant};

const PROGRAM: Pubkey = pubkey!("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps");
const SYSTEM: Pubkey = pubkey!("11111111111111111111111111111111");
const SEND_MESSAGE: [u8; 8] = [0x39, 0x28, 0x22, 0xb2, 0xbd, 0x0a, 0x41, 0x1a];
const ROUNDS: usize = 41;
const MESSAGES: usize = 800;
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

/// The median over the rounds of microseconds for one message.
fn median_micros(mut round: impl FnMut(usize)) -> f64 {
    let mut micros: Vec<f64> = (0..ROUNDS)
        .map(|number| {
            let started = Instant::now();
            round(number);
            started.elapsed().as_secs_f64() * 1e6 / MESSAGES as f64
        })
        .collect();
    micros.sort_by(f64::total_cmp);
    micros[ROUNDS / 2]
}

fn main() {
    let wallet = Keypair::new_from_array([7; 32]);
    let (agent, _) = Pubkey::find_program_address(&[b"agent", wallet.pubkey().as_ref()], &PROGRAM);
    let sender = Sender { wallet, agent };
    let recipients: Vec<Pubkey> = (0..MESSAGES).map(|_| Pubkey::new_unique()).collect();
    let blockhash = Hash::new_from_array([9; 32]);
    let payload = |round: usize, index: usize| format!("message {round} {index} to somebody who reads it");

    let single = median_micros(|round| {
        for (index, recipient) in recipients.iter().enumerate() {
            let instruction = sender.instruction(recipient, payload(round, index).as_bytes());
            black_box(sender.wire(&[instruction], blockhash));
        }
    });
    let packed = median_micros(|round| {
        for (pack, recipients) in recipients.chunks(PACK).enumerate() {
            let instructions: Vec<Instruction> = recipients
                .iter()
                .enumerate()
                .map(|(index, recipient)| sender.instruction(recipient, payload(round, pack * PACK + index).as_bytes()))
                .collect();
            black_box(sender.wire(&instructions, blockhash));
        }
    });
    println!("{{\"single\":{single:.2},\"packed\":{packed:.2}}}");
}
