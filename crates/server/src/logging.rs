//! Logs: to standard error, filtered by MARCADOR_LOG.

use crate::cli::Command;
use crate::failure::Failure;
use tracing_subscriber::EnvFilter;

/// Variable that says what is logged.
const VARIABLE: &str = "MARCADOR_LOG";
/// What is logged when it is not set: a service tells what it does, a command only troubles. Slow
/// statements of the database are told with their whole SQL: only who asks for them gets them.
const SERVICE: &str = "info,sqlx::query=error";
const COMMAND: &str = "warn,sqlx::query=error";

/// Starts the log.
///
/// # Errors
/// When the variable holds no filter.
pub(crate) fn start(command: &Command) -> Result<(), Failure> {
    let default = match command {
        Command::Serve(_) => SERVICE,
        _ => COMMAND,
    };
    let told = std::env::var(VARIABLE).unwrap_or_default();
    tracing_subscriber::fmt()
        .with_env_filter(filter(&told, default)?)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    Ok(())
}

fn filter(told: &str, default: &str) -> Result<EnvFilter, Failure> {
    let text = if told.trim().is_empty() {
        default
    } else {
        told
    };
    EnvFilter::try_new(text).map_err(|e| {
        Failure::usage(anyhow::anyhow!(
            "{VARIABLE}: expected a filter as info or warn,voice=debug: {e}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_filter_is_refused_and_the_defaults_are_whole() {
        for fine in ["", " ", "debug", "warn,voice=trace"] {
            assert!(filter(fine, SERVICE).is_ok(), "{fine}");
        }
        assert!(filter("bad[[", COMMAND).is_err());
        let shown = filter("", COMMAND).map(|f| f.to_string());
        assert!(shown.is_ok_and(|f| f.contains("sqlx::query=error")));
    }
}
