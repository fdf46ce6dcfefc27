//! The program with other programs on its lines: SIPp as trunk, phone and caller; the house's own
//! carrier by TLS with SRTP; agents' phones, transfers and a conference; a flood of broken messages.
#![expect(
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a test: it fails loudly; its tone stays far inside 16 bits"
)]

mod baresip;
mod flood;
mod floor;
mod lines;
mod queue;
mod sipp;
mod waiting;
