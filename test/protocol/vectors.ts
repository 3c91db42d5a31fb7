/**
 * Addresses, hashes and bytes that were computed apart from this code, and compared with other clients.
 */
import * as Address from "../../src/solana/Address.js"

const address = Address.known

export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"))

export const walletA = address("AKnL4NNf3DGWZJS6cPknBuEGnVsV4A4m5tgebLHaRSZ9")
export const walletB = address("9hSR6S7WPtxmTojgo6GG3k4yDPecgJY292j7xrsUGWBu")
export const agentA = { address: address("B6udLRYHWG9nJaa7RGouJ3MJr7EHDrAnXfB23bAS9mKG"), bump: 252 }
export const agentB = { address: address("9E222cXBZSzERcrXDH4etqXXf8N7a7Jy1M8V6gYJzKCG"), bump: 255 }
export const messageToWallet = { address: address("4FArMBxuuusWzBk6mofpkKSyVGteeETkwPwgtXXQqY35"), bump: 255 }
export const messageCustom = { address: address("GYJq2MbVGiG89myX4r59M4Q7LZfzccG3RLTwTGBdNCik"), bump: 250 }
export const messageToAgent = { address: address("61NdqQovqVKcXvrGPkphCr5rPbmmmHKF1qh9ab5XYMh9"), bump: 255 }
export const channel = { address: address("cHP2shu3FoiKtdqLPKT1X4u55WmvV6XQfFN8RvpVmnY"), bump: 255 }
export const participantA = { address: address("61gNZGWS81E4qJaZFu4SPQjbFCVmhWdKwP6BwsufdtKN"), bump: 254 }
export const participantB = { address: address("9TN9Db866mZcqMhqvvQ8N1mgPBbKGjfWBPba1vg3MqqH"), bump: 255 }
export const invitation = { address: address("B4xKGMh3TmycoKVaF1Z5NSvqK2Njxvf7PjvPiSX3CmeC"), bump: 252 }
export const escrow = { address: address("DqBRLispnLikBQ7QosxVtLkxmZjmt2gm7MsHgHaoVLfA"), bump: 253 }
export const channelMessage1 = { address: address("KeRtUNEvFkHtaeKBKZ2bHCAqWh9NWZGEoKJYSrPiApn"), bump: 254 }
export const channelMessageLate = { address: address("Bfwb2djkBfctJVzoonjVUMaR85Ag5M5p8UGnMgf6Wszt"), bump: 253 }
export const helloHash = fromHex("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
export const invitationHash = fromHex("27f7f014327a4ff51588503c6c33219c6e58ba11e0fd521f1cd666c2cd398433")
export const helloBlake3 = fromHex("ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f")
export const compressedHash = fromHex("91f47563f3da92036f6fb227245b2833d0b42d76b1cc04afe198e92cf3749f61")
export const agentAccount = fromHex(
  "f177458ce90970328a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c0300000000000000640000000000000000f15365000000001e00000068747470733a2f2f6578616d706c652e636f6d2f6167656e742e6a736f6e00000000000000000000fc00000000000000"
)
export const messageAccount = fromHex(
  "6190183ae12859df9618473acab721a3970e905f809978b610a4723a161c3599f686fbd98acd67438139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3942cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b982400f1536500000000802b5d65000000000000ff0000000000"
)
