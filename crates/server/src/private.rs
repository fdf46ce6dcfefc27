//! Files and folders for their owner's eyes only: debtors' data, voices, passwords.

use anyhow::Context as _;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Mode of what is made, octal.
const FOLDER: u32 = 0o700;
pub(crate) const FILE: u32 = 0o600;

/// Makes a folder and those above it that are missing. One that is there keeps the mode its owner
/// gave it.
///
/// # Errors
/// When it cannot be made; names the folder.
pub(crate) fn folder(path: &Path) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(FOLDER)
        .create(path)
        .with_context(|| format!("folder {}", path.display()))
}

/// Makes an empty file where none is; one that is there is left alone.
///
/// # Errors
/// When it cannot be made; names the file.
pub(crate) fn reserve(path: &Path) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(FILE).open(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e).with_context(|| format!("file {}", path.display())),
    }
}

/// Writes a file anew: whole under another name first, so that who reads it sees all of it or nothing.
///
/// # Errors
/// When it cannot be written; names the file.
pub(crate) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let place = || format!("file {}", path.display());
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = Path::new(&draft);
    // What a run that was killed left may have another mode.
    if let Err(e) = std::fs::remove_file(draft)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        return Err(e).with_context(place);
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(FILE);
    options
        .open(draft)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .and_then(|()| std::fs::rename(draft, path))
        .with_context(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn mode(path: &Path) -> u32 {
        let meta = std::fs::metadata(path).expect("is there");
        meta.permissions().mode() & 0o777
    }

    #[test]
    fn what_is_made_is_closed_to_others_and_what_is_there_is_left() {
        let dir = tempfile::tempdir().expect("folder");
        let deep = dir.path().join("a/b");
        folder(&deep).expect("made");
        assert_eq!((mode(&deep), mode(&dir.path().join("a"))), (0o700, 0o700));
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&deep, open).expect("opened");
        folder(&deep).expect("there");
        assert_eq!(mode(&deep), 0o755);
        let file = deep.join("x");
        reserve(&file).expect("made");
        assert_eq!(mode(&file), 0o600);
        std::fs::write(&file, "kept").expect("written");
        reserve(&file).expect("there");
        assert_eq!(std::fs::read_to_string(&file).expect("text"), "kept");
    }

    #[test]
    fn a_file_written_anew_is_closed_even_when_it_was_open() {
        let dir = tempfile::tempdir().expect("folder");
        let (file, draft) = (dir.path().join("d.json"), dir.path().join("d.json.new"));
        std::fs::write(&file, "old").expect("written");
        std::fs::write(&draft, "left by a kill").expect("written");
        write(&file, "new").expect("written");
        assert_eq!(std::fs::read_to_string(&file).expect("text"), "new");
        assert_eq!(mode(&file), 0o600);
        assert!(!draft.exists());
    }
}
