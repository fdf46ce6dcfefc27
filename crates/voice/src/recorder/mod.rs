//! The recorder: stereo WAV files written by a thread of their own, valid at every moment.
//!
//! A media thread keeps a [`Tap`] per recorded call and hands a chunk a second to the [`Writer`]
//! thread; the file's header tells the size of what is in it after each chunk, so that a kill loses
//! a second at most, and [`repair_recording`] mends what a crash left.

mod file;
mod repair;
mod tap;
mod writer;

pub use repair::{Repaired, repair_recording};
pub(crate) use tap::{Side, Tap};
pub(crate) use writer::{Job, RecorderEvent, Writer, WriterLine};

/// Samples per second and channel.
pub(crate) const RATE: u32 = 8_000;
/// Bytes of one stereo sample.
pub(crate) const BLOCK: u32 = 4;

/// One gap or pause: from, to (milliseconds from the start), reason.
pub(crate) type Gap = (i64, i64, String);
