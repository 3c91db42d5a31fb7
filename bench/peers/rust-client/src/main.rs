//! Registers agents or sends messages with Solana's own RPC client, confirmed, one after another:
//! `pod-bench-client URL register|send`. Its standard input says what to do, one command a line:
//!
//! - `prepare COUNT`: funds as many wallets as operations need; answers with `{}`.
//! - `run FIRST COUNT`: so many operations; answers with their times and with what they took, as JSON.

use sha2::{Digest, Sha256};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_message::{v0, VersionedMessage};
use solana_pubkey::{pubkey, Pubkey};
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_transaction::versioned::VersionedTransaction;
use std::{env, fs, io::stdin, process, time::Instant};

const PROGRAM: Pubkey = pubkey!("HEpGLgYsE1kP8aoYKyLFc3JVVrofS7T4zEA6fWBJsZps");
const SYSTEM: Pubkey = pubkey!("11111111111111111111111111111111");
const REGISTER_AGENT: [u8; 8] = [135, 157, 66, 195, 2, 113, 175, 30];
const SEND_MESSAGE: [u8; 8] = [57, 40, 34, 178, 189, 10, 65, 26];
const CAPABILITIES: u64 = 1024;
const URI: &str = "https://example.com/metadata.json";
const LAMPORTS: u64 = 100_000_000_000;
const RECIPIENTS: usize = 256;

fn agent_of(wallet: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(&[b"agent", wallet.as_ref()], &PROGRAM).0
}

fn register(wallet: &Pubkey) -> Instruction {
    let mut data = REGISTER_AGENT.to_vec();
    data.extend_from_slice(&CAPABILITIES.to_le_bytes());
    data.extend_from_slice(&(URI.len() as u32).to_le_bytes());
    data.extend_from_slice(URI.as_bytes());
    let accounts = vec![
        AccountMeta::new(agent_of(wallet), false),
        AccountMeta::new(*wallet, true),
        AccountMeta::new_readonly(SYSTEM, false),
    ];
    Instruction { program_id: PROGRAM, accounts, data }
}

fn send(wallet: &Pubkey, recipient: &Pubkey, payload: &str) -> Instruction {
    let agent = agent_of(wallet);
    let hash: [u8; 32] = Sha256::digest(payload.as_bytes()).into();
    let seeds: [&[u8]; 5] = [b"message", agent.as_ref(), recipient.as_ref(), &hash, &[0]];
    let (message, _) = Pubkey::find_program_address(&seeds, &PROGRAM);
    let mut data = SEND_MESSAGE.to_vec();
    data.extend_from_slice(recipient.as_ref());
    data.extend_from_slice(&hash);
    data.push(0);
    let accounts = vec![
        AccountMeta::new(message, false),
        AccountMeta::new_readonly(agent, false),
        AccountMeta::new(*wallet, true),
        AccountMeta::new_readonly(SYSTEM, false),
    ];
    Instruction { program_id: PROGRAM, accounts, data }
}

fn submit(client: &RpcClient, wallet: &Keypair, instruction: Instruction) {
    let blockhash = client.get_latest_blockhash().unwrap();
    let message = v0::Message::try_compile(&wallet.pubkey(), &[instruction], &[], blockhash).unwrap();
    let transaction = VersionedTransaction::try_new(VersionedMessage::V0(message), &[wallet]).unwrap();
    client.send_and_confirm_transaction(&transaction).unwrap();
}

fn funded(client: &RpcClient) -> Keypair {
    let wallet = Keypair::new();
    client.request_airdrop(&wallet.pubkey(), LAMPORTS).unwrap();
    wallet
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

/// Bytes of resident memory, where Linux tells them.
fn rss_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) * 1024
}

fn main() {
    let words: Vec<String> = env::args().collect();
    let client = RpcClient::new_with_commitment(words[1].clone(), CommitmentConfig::confirmed());
    let is_register = words[2] == "register";
    let recipients: Vec<Pubkey> = (0..RECIPIENTS).map(recipient).collect();
    let sender = funded(&client);
    submit(&client, &sender, register(&sender.pubkey()));
    let mut wallets: Vec<Keypair> = Vec::new();

    for line in stdin().lines() {
        let line = line.unwrap();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["prepare", count] => {
                if is_register {
                    wallets.extend((0..count.parse().unwrap()).map(|_| funded(&client)));
                }
                println!("{{}}");
            }
            ["run", first, count] => {
                let (first, count): (usize, usize) = (first.parse().unwrap(), count.parse().unwrap());
                let cpu = cpu_micros();
                let started = Instant::now();
                let micros: Vec<String> = (first..first + count)
                    .map(|index| {
                        let start = Instant::now();
                        if is_register {
                            let wallet = wallets.pop().unwrap();
                            submit(&client, &wallet, register(&wallet.pubkey()));
                        } else {
                            let payload = format!("Hello, World! {} {}", process::id(), index);
                            let to = &recipients[index % RECIPIENTS];
                            submit(&client, &sender, send(&sender.pubkey(), to, &payload));
                        }
                        format!("{:.1}", start.elapsed().as_secs_f64() * 1e6)
                    })
                    .collect();
                println!(
                    "{{\"micros\":[{}],\"seconds\":{},\"cpuMicros\":{:.0},\"rssBytes\":{}}}",
                    micros.join(","),
                    started.elapsed().as_secs_f64(),
                    cpu_micros() - cpu,
                    rss_bytes()
                );
            }
            _ => panic!("unknown command: {line}"),
        }
    }
}
