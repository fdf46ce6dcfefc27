//! `marcador migrate`.

use super::{read_config, say};
use crate::cli::ConfigArgs;
use crate::failure::Failure;

/// Brings the database to this version's shape.
pub(crate) async fn run(args: &ConfigArgs) -> Result<(), Failure> {
    let config = read_config(args)?;
    let store = crate::node::open_store(&config.database).await?;
    crate::node::complete_dispositions(&*store).await?;
    say("the database has this version's shape");
    Ok(())
}
