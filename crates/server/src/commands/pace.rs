//! `marcador pace`: the pacing policy as a process, for whoever wants to measure it.

use crate::failure::Failure;
use sim::pacing::protocol;

/// Carries it out: standard input and output until the host ends it.
pub(crate) fn run() -> Result<(), Failure> {
    let input = std::io::stdin().lock();
    let output = std::io::stdout().lock();
    protocol::serve(input, output).map_err(|e| Failure::Failed(e.into()))
}
