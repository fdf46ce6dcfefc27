//! The hash formulas.

use md5::Md5;
use sha2::{Digest, Sha256, Sha512_256};

use crate::header::Algorithm;

fn hash_hex(algorithm: Algorithm, parts: &[&[u8]]) -> String {
    fn run<D: Digest>(parts: &[&[u8]]) -> String {
        let mut hash = D::new();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                hash.update(b":");
            }
            hash.update(part);
        }
        hex::encode(hash.finalize())
    }
    match algorithm {
        Algorithm::Md5 => run::<Md5>(parts),
        Algorithm::Sha256 => run::<Sha256>(parts),
        Algorithm::Sha512_256 => run::<Sha512_256>(parts),
    }
}

/// H(user:realm:password) in lower case hex.
#[must_use]
pub fn ha1(algorithm: Algorithm, user: &[u8], realm: &[u8], password: &[u8]) -> String {
    hash_hex(algorithm, &[user, realm, password])
}

/// What a request digest is made from besides the secret.
#[derive(Clone, Copy, Debug)]
pub struct DigestInput<'a> {
    /// The request's method.
    pub method: &'a [u8],
    /// The URI as written in the credentials.
    pub uri: &'a [u8],
    /// The server's nonce.
    pub nonce: &'a [u8],
    /// Count, client nonce and quality of protection; None for the form of RFC 2069.
    pub qop: Option<(u32, &'a [u8], &'a [u8])>,
}

/// The `response` value: KD over the user's hash and the request (RFC 7616 §3.4.1).
#[must_use]
pub fn request_digest(algorithm: Algorithm, ha1: &str, input: DigestInput<'_>) -> String {
    let ha2 = hash_hex(algorithm, &[input.method, input.uri]);
    match input.qop {
        None => hash_hex(algorithm, &[ha1.as_bytes(), input.nonce, ha2.as_bytes()]),
        Some((count, cnonce, qop)) => {
            let count = format!("{count:08x}");
            let parts = [
                ha1.as_bytes(),
                input.nonce,
                count.as_bytes(),
                cnonce,
                qop,
                ha2.as_bytes(),
            ];
            hash_hex(algorithm, &parts)
        }
    }
}
