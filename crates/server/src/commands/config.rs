//! `marcador config check|dump`.

use super::{read_config, say};
use crate::cli::ConfigCommand;
use crate::failure::Failure;

/// Carries it out.
pub(crate) fn run(what: &ConfigCommand) -> Result<(), Failure> {
    match what {
        ConfigCommand::Check(args) => {
            let config = read_config(args)?;
            for trunk in &config.trunks {
                trunk.secret().map_err(Failure::usage)?;
            }
            crate::node::rule_book(&config.law).map_err(Failure::usage)?;
            say(format!(
                "configuration is valid; {} trunk(s)",
                config.trunks.len()
            ));
        }
        ConfigCommand::Dump(args) => say(read_config(args)?.redacted()?),
    }
    Ok(())
}
