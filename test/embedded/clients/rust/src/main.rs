//! Calls of the Rust client that the embedded cluster answers. The argument is the URL.
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signer::Signer;
use solana_system_interface::{instruction::transfer, program};
use solana_transaction::Transaction;
use std::{env, error::Error, thread::sleep, time::Duration};

const SOL: u64 = 1_000_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let url = env::args().nth(1).ok_or("the URL is missing")?;
    let client = RpcClient::new_with_commitment(url, CommitmentConfig::confirmed());
    let (payer, to) = (Keypair::new(), Keypair::new().pubkey());

    let airdrop = client.request_airdrop(&payer.pubkey(), 5 * SOL)?;
    while !client.confirm_transaction(&airdrop)? {
        sleep(Duration::from_millis(50));
    }
    assert_eq!(client.get_balance(&payer.pubkey())?, 5 * SOL);

    let blockhash = client.get_latest_blockhash()?;
    let instructions = [transfer(&payer.pubkey(), &to, SOL)];
    let moved = Transaction::new_signed_with_payer(&instructions, Some(&payer.pubkey()), &[&payer], blockhash);
    let simulated = client.simulate_transaction(&moved)?.value;
    assert_eq!(simulated.err, None);
    client.send_and_confirm_transaction(&moved)?;

    // The client asks for accounts in base64+zstd.
    let account = client.get_account(&to)?;
    assert_eq!((account.lamports, account.owner), (SOL, program::ID));
    let accounts = client.get_multiple_accounts(&[payer.pubkey(), to, Keypair::new().pubkey()])?;
    assert_eq!(
        accounts.iter().map(Option::is_some).collect::<Vec<_>>(),
        [true, true, false]
    );
    let loader = "BPFLoader2111111111111111111111111111111111".parse()?;
    assert!(!client.get_program_accounts(&loader)?.is_empty());
    let program = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA".parse()?;
    assert!(client.get_account(&program)?.executable);

    let mint = "So11111111111111111111111111111111111111112".parse()?;
    assert_eq!(client.get_token_supply(&mint)?.decimals, 9);
    assert_eq!(client.get_signatures_for_address(&to)?.len(), 1);
    let fee = client.get_fee_for_message(&moved.message)?;
    assert_eq!(client.get_balance(&payer.pubkey())?, 4 * SOL - fee);
    assert_eq!(client.get_minimum_balance_for_rent_exemption(0)?, 890_880);

    client.get_health()?;
    client.get_version()?;
    client.get_slot()?;
    client.get_block_height()?;
    client.get_epoch_info()?;
    client.get_epoch_schedule()?;
    client.get_genesis_hash()?;
    client.get_identity()?;
    client.get_leader_schedule(None)?;
    client.get_vote_accounts()?;
    client.get_cluster_nodes()?;
    client.get_inflation_governor()?;
    client.get_recent_performance_samples(None)?;
    client.supply()?;
    client.get_largest_accounts_with_config(Default::default())?;
    client.get_blocks(0, None)?;
    println!("ok");
    Ok(())
}
