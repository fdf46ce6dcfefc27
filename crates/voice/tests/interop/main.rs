//! Programs that are not ours on the lines of a running room: SIPp as carrier and as caller by UDP and
//! TCP, cut and glued streams, Kamailio inside TLS. `MARCADOR_SIPP=1` with `sipp`, `python3` and
//! `kamailio` (its module `tls`) on the PATH; without it these tests pass without having looked.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "../common/mod.rs"]
mod common;

mod kamailio;
mod line;
mod log;
mod sipp;
mod sipp_called;
mod sipp_calls;
mod sipp_phones;
mod sipp_races;
mod sipp_streams;
mod sound;
