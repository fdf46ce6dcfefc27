//! Programs that are not ours on the lines of a running room: SIPp as carrier and as caller by UDP and
//! TCP, cut and glued streams. `MARCADOR_SIPP=1` with `sipp` and
//! `python3` on the PATH; without it these tests pass without having looked.

#![expect(clippy::expect_used, reason = "a test that cannot go on says why")]

#[path = "../common/mod.rs"]
mod common;

mod line;
mod sipp;
mod sipp_called;
mod sipp_calls;
mod sipp_streams;
