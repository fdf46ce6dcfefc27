//! `marcador recordings open`: a stored recording as the WAV that it plays, with nothing but its file
//! and the key file. For the day on which the database is gone, and for tests.

use super::{read_config, say};
use crate::cli::{OpenArgs, RecordingsCommand};
use crate::failure::Failure;
use crate::node::recordings::Shelves;
use crate::private;
use anyhow::Context as _;
use domain::ports::Blob as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;

/// Bytes read at once.
const PART: u64 = 1024 * 1024;

/// Carries it out.
pub(crate) async fn run(what: RecordingsCommand) -> Result<(), Failure> {
    match what {
        RecordingsCommand::Open(args) => {
            let shelves = Shelves::look(&read_config(&args.config)?)?;
            Ok(open(&args, &shelves).await?)
        }
        RecordingsCommand::Rewrap(args) => super::rewrap::run(&args).await,
    }
}

async fn open(args: &OpenArgs, shelves: &Shelves) -> anyhow::Result<()> {
    let name = args.file.file_name().and_then(|n| n.to_str());
    let name = name.context("FILE: expected the file of a recording")?;
    let folder = args.file.parent().context("FILE: expected a file")?;
    let folder = Arc::new(store::FileBlob::new(if folder.as_os_str().is_empty() {
        ".".as_ref()
    } else {
        folder
    }));
    let blob = store::SealedBlob::new(folder, Arc::clone(&shelves.keys));
    let size = blob.size(name).await?;
    let mut options = std::fs::OpenOptions::new();
    let place = || format!("--to {}", args.to.display());
    let mut out = options
        .write(true)
        .create_new(true)
        .mode(private::FILE)
        .open(&args.to)
        .with_context(place)?;
    let mut at = 0;
    while at < size {
        let part = blob.read(name, at, PART).await?;
        anyhow::ensure!(!part.is_empty(), "the recording ends early");
        at += part.len() as u64;
        out.write_all(&part).with_context(place)?;
    }
    say(format!("{size} bytes"));
    Ok(())
}
