//! Values that AWS documentation, SDK tests and emulators print, stored as hashes so that this file contains no key.

use sha2::{Digest, Sha256};

/// First 8 bytes of SHA-256 of key ids without the word EXAMPLE in them: presigned URLs in the AWS CLI's
/// examples (`devicefarm/create-upload.rst`, `ecr/get-download-url-for-layer.rst`), LocalStack's
/// `accounts.py`, gitleaks' rule tests.
const KEY_IDS: &[u64] = &[
    0x04fb_a2c0_5f91_ad4b,
    0x05b9_f5d9_6090_1639,
    0x3c68_45ed_44ee_d0f9,
    0xb6b8_589a_0fbc_ed43,
    0x38c9_9586_4af3_d7c9,
    0x9ba6_8b9c_ec8c_0ff2,
    0x7f1d_62d9_4d39_a69a,
];

/// Returns true if the id is a published example.
pub fn is_key_id(id: &str) -> bool {
    KEY_IDS.contains(&hash(id.as_bytes()))
}

fn hash(value: &[u8]) -> u64 {
    let digest = Sha256::digest(value);
    digest
        .iter()
        .take(8)
        .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}
