//! Writes the OpenAPI document to standard output.

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = api::openapi().to_pretty_json()?;
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(())
}
