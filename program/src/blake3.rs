//! BLAKE3 of 32 bytes. Clusters have no syscall for it that could be relied on.

/// What SHA-256 begins with, too.
const IV: [u32; 8] = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// How the words of the block move between rounds.
const PERMUTATION: [usize; 16] = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8];

const ROUNDS: usize = 7;

/// The block is the first and the last of its chunk, and the chunk is the whole tree.
const FLAGS: u32 = CHUNK_START | CHUNK_END | ROOT;
const CHUNK_START: u32 = 1;
const CHUNK_END: u32 = 2;
const ROOT: u32 = 8;

/// The hash of one block of 32 bytes.
pub fn hash(bytes: &[u8; 32]) -> [u8; 32] {
    let mut block = [0; 16];
    for (word, bytes) in block.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    let mut state = [0; 16];
    state[..8].copy_from_slice(&IV);
    state[8..12].copy_from_slice(&IV[..4]);
    // The chunk's number is 0: words 12 and 13 stay.
    state[14] = bytes.len() as u32;
    state[15] = FLAGS;

    for _ in 1..ROUNDS {
        round(&mut state, &block);
        block = PERMUTATION.map(|from| block[from]);
    }
    round(&mut state, &block);

    let mut hash = [0; 32];
    for (index, bytes) in hash.as_chunks_mut().0.iter_mut().enumerate() {
        *bytes = (state[index] ^ state[index + 8]).to_le_bytes();
    }
    hash
}

/// Mixes the columns, then the diagonals.
fn round(state: &mut [u32; 16], block: &[u32; 16]) {
    mix(state, [0, 4, 8, 12], [block[0], block[1]]);
    mix(state, [1, 5, 9, 13], [block[2], block[3]]);
    mix(state, [2, 6, 10, 14], [block[4], block[5]]);
    mix(state, [3, 7, 11, 15], [block[6], block[7]]);
    mix(state, [0, 5, 10, 15], [block[8], block[9]]);
    mix(state, [1, 6, 11, 12], [block[10], block[11]]);
    mix(state, [2, 7, 8, 13], [block[12], block[13]]);
    mix(state, [3, 4, 9, 14], [block[14], block[15]]);
}

#[inline(always)]
fn mix(state: &mut [u32; 16], [a, b, c, d]: [usize; 4], [x, y]: [u32; 2]) {
    state[a] = state[a].wrapping_add(state[b]).wrapping_add(x);
    state[d] = (state[d] ^ state[a]).rotate_right(16);
    state[c] = state[c].wrapping_add(state[d]);
    state[b] = (state[b] ^ state[c]).rotate_right(12);
    state[a] = state[a].wrapping_add(state[b]).wrapping_add(y);
    state[d] = (state[d] ^ state[a]).rotate_right(8);
    state[c] = state[c].wrapping_add(state[d]);
    state[b] = (state[b] ^ state[c]).rotate_right(7);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_hash_when_hashed_then_it_is_blake3() {
        let hex: String = hash(&[0x11; 32]).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "91f47563f3da92036f6fb227245b2833d0b42d76b1cc04afe198e92cf3749f61");
    }
}
