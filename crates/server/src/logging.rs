//! Logs: to standard error, filtered by MARCADOR_LOG.

use crate::cli::Command;
use tracing_subscriber::EnvFilter;

/// What is logged when MARCADOR_LOG is not set: a service tells what it does, a command only troubles.
const SERVICE: &str = "info";
const COMMAND: &str = "warn";

/// Starts the log.
pub(crate) fn start(command: &Command) {
    let default = match command {
        Command::Serve(_) => SERVICE,
        _ => COMMAND,
    };
    let filter =
        EnvFilter::try_from_env("MARCADOR_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
