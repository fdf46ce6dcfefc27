//! Digest access authentication (RFC 8760, RFC 7616, RFC 2617): MD5, SHA-256 and SHA-512-256,
//! quality of protection `auth` and the form of RFC 2069 without any.

mod client;
mod hash;
mod server;

pub use client::{Answering, DigestClient};
pub use hash::{DigestInput, ha1, request_digest};
pub use server::{DigestServer, Verdict};
