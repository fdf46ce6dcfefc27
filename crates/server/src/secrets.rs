//! The installation's own secrets: the pepper of the password hashes and the key of the session
//! tokens, in one file that only its owner can read, made at the first start.

use anyhow::Context as _;
use api::auth::ApiSecrets;
use serde::{Deserialize, Serialize};
use std::io::Write as _;
use std::path::Path;

/// Length of each secret, bytes.
const SECRET_BYTES: usize = 32;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    pepper: String,
    token_key: String,
}

fn fresh() -> String {
    hex::encode(rand::random::<[u8; SECRET_BYTES]>())
}

/// Reads the file, or makes it.
///
/// # Errors
/// When it cannot be read or made, or holds something else.
pub(crate) fn load_or_make(path: &Path) -> anyhow::Result<ApiSecrets> {
    let place = || format!("[auth] secret_file {}", path.display());
    if !path.exists() {
        make(path).with_context(place)?;
    }
    let text = std::fs::read_to_string(path).with_context(place)?;
    let file: File = toml::from_str(&text)
        .map_err(|_| anyhow::anyhow!("expected pepper and token_key"))
        .with_context(place)?;
    let bytes = |text: &str| {
        hex::decode(text)
            .context("expected hexadecimal secrets")
            .with_context(place)
    };
    Ok(ApiSecrets::new(
        bytes(&file.pepper)?,
        bytes(&file.token_key)?,
    ))
}

fn make(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let text = toml::to_string(&File {
        pepper: fresh(),
        token_key: fresh(),
    })?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(mut file) => Ok(file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())?),
        // Another process of ours was faster: its secrets hold.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn made_once_kept_and_closed_to_others() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("deep/marcador.secret");
        let first = load_or_make(&path).expect("made");
        let again = load_or_make(&path).expect("read");
        assert_eq!(
            (&first.pepper, &first.token_keys[0].key),
            (&again.pepper, &again.token_keys[0].key)
        );
        assert_eq!(first.pepper.len(), SECRET_BYTES);
        assert_ne!(first.pepper, first.token_keys[0].key);
        let mode = std::fs::metadata(&path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_file_is_no_fresh_secret() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("marcador.secret");
        std::fs::write(&path, "pepper = \"zz\"\n").expect("written");
        let error = format!("{:#}", load_or_make(&path).expect_err("damaged"));
        assert!(
            error.contains("marcador.secret") && error.contains("token_key"),
            "{error}"
        );
    }
}
