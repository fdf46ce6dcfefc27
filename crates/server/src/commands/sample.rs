//! `marcador sample-portfolio`: the demo portfolio from arrears rows.

use super::say;
use crate::cli::SampleArgs;

/// Carries it out.
pub(crate) fn run(args: &SampleArgs) -> anyhow::Result<()> {
    let source = std::fs::read_to_string(&args.source)?;
    let text = domain::import::sample::generate(&source, args.rows, args.seed)?;
    std::fs::write(&args.out, &text)?;
    say(format!(
        "{} rows written to {}",
        text.lines().count().saturating_sub(1),
        args.out.display()
    ));
    Ok(())
}
