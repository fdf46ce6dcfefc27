//! Rules under which a test dials at any hour.

use crate::house::top;
use serde_json::{Value, json};
use std::path::Path;

/// Peru's pack with every window and holiday open, alone in `packs` of `dir`; its caps and gaps stand.
///
/// # Errors
/// When the pack cannot be read or written.
pub fn open(dir: &Path) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(top().join("config/rulepacks/pe.json"))?;
    let mut pack: Value = serde_json::from_str(&text)?;
    pack["windows"][0]["days"] = json!(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);
    pack["windows"][0]["from"] = json!("00:00");
    pack["windows"][0]["to"] = json!("24:00");
    pack["holidays"]["policy"] = json!("allow");
    std::fs::create_dir(dir.join("packs"))?;
    std::fs::write(dir.join("packs/pe.json"), pack.to_string())?;
    Ok(())
}
