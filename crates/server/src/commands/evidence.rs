//! `marcador export debtor`: everything of one debtor in one archive.

use super::say;
use crate::cli::ExportArgs;
use crate::clock::system_now;
use crate::config::Config;
use crate::failure::Failure;
use crate::node::recordings::Shelves;
use crate::private;
use anyhow::Context as _;
use api::evidence::{Ask, archive};
use domain::ids::DebtorId;
use domain::ports::Store;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

/// Writes the archive to a file that only its owner reads.
pub(super) async fn run(
    args: &ExportArgs,
    config: &Config,
    store: &dyn Store,
) -> Result<(), Failure> {
    let id = args.id.as_deref().unwrap_or_default();
    let debtor: DebtorId = id.parse().map_err(Failure::usage)?;
    let shelves = if args.without_sound {
        None
    } else {
        Some(Shelves::look(config)?)
    };
    let ask = Ask {
        store,
        sound: shelves.as_ref().map(|s| &*s.played),
        debtor,
        complaint: None,
        now: system_now(),
        made_by: "command line".to_owned(),
    };
    let bytes = archive(&ask).await.map_err(anyhow::Error::from)?;
    let to = args
        .to
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("evidence-{debtor}.zip")));
    let place = || format!("--to {}", to.display());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(private::FILE)
        .open(&to)
        .with_context(place)?;
    file.write_all(&bytes).with_context(place)?;
    say(format!("{}: {} bytes", to.display(), bytes.len()));
    Ok(())
}
