"""Calls of the Python client that the embedded cluster answers. The argument is the URL."""
import sys
from solana.rpc.api import Client
from solana.rpc.types import TokenAccountOpts
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.message import Message
from solders.transaction import Transaction

client = Client(sys.argv[1])
payer = Keypair()
airdrop = client.request_airdrop(payer.pubkey(), 5_000_000_000).value
client.confirm_transaction(airdrop, sleep_seconds=0.1)
assert client.get_balance(payer.pubkey()).value == 5_000_000_000
to = Keypair().pubkey()
blockhash = client.get_latest_blockhash().value.blockhash
move = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=1_000_000_000))
message = Message.new_with_blockhash([move], payer.pubkey(), blockhash)
sent = client.send_transaction(Transaction([payer], message, blockhash)).value
client.confirm_transaction(sent, sleep_seconds=0.1)
parsed = client.get_transaction(sent, encoding="jsonParsed", max_supported_transaction_version=0).value
instruction = parsed.transaction.transaction.message.instructions[0]
assert instruction.program == "system", instruction
mint = Pubkey.from_string("So11111111111111111111111111111111111111112")
assert client.get_token_supply(mint).value.decimals == 9
info = client.get_account_info_json_parsed(mint).value
assert info.data.program == "spl-token", info
assert client.get_token_accounts_by_owner(payer.pubkey(), TokenAccountOpts(mint=mint)).value == []
assert len(client.get_largest_accounts().value) > 0
assert client.get_vote_accounts().value.current == []
assert len(client.get_cluster_nodes().value) == 1
assert client.get_version().value.solana_core == "4.2.0"
client.get_leader_schedule()
client.get_inflation_governor()
client.get_inflation_rate()
client.get_slot_leader()
client.get_block_commitment(0)
client.get_epoch_schedule()
client.get_supply()
print("ok")
