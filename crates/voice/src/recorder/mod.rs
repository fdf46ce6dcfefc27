//! The recorder: stereo recordings written by threads of their own, playable at every moment.
//!
//! A media thread keeps a [`Tap`] per recorded call and hands a chunk a second to the [`Writer`]'s
//! thread. With keys the file is sealed (`vault`) as it grows: each quarter of a second is encrypted
//! and lasts; without, it is a WAV whose header tells the size of what is in it. A kill loses what is
//! on its way, [`repair_recording`] mends what it left. A full disk never ends a call: the sound waits,
//! then becomes silence with a gap that says why.

mod facts;
mod file;
mod mask;
mod repair;
mod tap;
mod writer;

#[cfg(test)]
mod tests;

pub use repair::{Repaired, repair_recording};
pub(crate) use tap::{Side, Tap};
pub(crate) use writer::{Job, RecorderEvent, Writer, WriterLine};

use std::path::PathBuf;
use std::sync::Arc;

/// Samples per second and channel.
pub(crate) const RATE: u32 = 8_000;
/// Bytes of one stereo sample.
pub(crate) const BLOCK: u32 = 4;

/// One gap or pause: from, to (milliseconds from the start), reason.
pub(crate) type Gap = (i64, i64, String);

/// The folder of recordings, on the disk as it is.
pub(crate) fn shelf(root: PathBuf, keys: Option<Arc<vault::KeyRing>>) -> file::Shelf {
    file::Shelf {
        root,
        keys,
        disk: file::real_disk(),
        keep: file::real_keep(),
    }
}
