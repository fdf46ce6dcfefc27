//! Recordings of a node: the keys that seal them, the folder where they are made, the object store
//! they are brought to.

use crate::config::{Config, Recordings};
use crate::private;
use anyhow::Context as _;
use async_trait::async_trait;
use center::{Archive, DiskLimits, RecordingRepair, Repaired, Retention};
use domain::entity::Recording;
use domain::ports::Blob;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{FileBlob, S3Blob, S3Login, SealedBlob, TieredBlob};
use vault::KeyRing;

/// How the names of sealed recordings end.
pub(crate) const SUFFIX: &str = "mrec";
const MIB: u64 = 1024 * 1024;

/// Where recordings are and what opens them.
#[derive(Clone)]
pub(crate) struct Shelves {
    /// Opens and seals.
    pub(crate) keys: Arc<KeyRing>,
    /// As stored: the folder, then the object store.
    pub(crate) stored: Arc<dyn Blob>,
    /// As WAVs.
    pub(crate) played: Arc<dyn Blob>,
    dir: PathBuf,
    folder: Arc<dyn Blob>,
    far: Option<Arc<dyn Blob>>,
}

impl Shelves {
    /// Opens them as configured; the key file is made when it is not there.
    ///
    /// # Errors
    /// Names the key of the configuration, or the file, and what would be right.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let keys = key_ring(Path::new(&config.recordings.key_file))?;
        Self::with(config, keys)
    }

    /// Opens them to look only: nothing is made. Without a key file only recordings that are not
    /// sealed can be read.
    ///
    /// # Errors
    /// As [`Shelves::open`].
    pub(crate) fn look(config: &Config) -> anyhow::Result<Self> {
        let path = Path::new(&config.recordings.key_file);
        let keys = if path.exists() {
            key_ring(path)?
        } else {
            // A key that nothing was sealed with.
            KeyRing::read(&KeyRing::fresh_line()?)?
        };
        Self::with(config, keys)
    }

    fn with(config: &Config, keys: KeyRing) -> anyhow::Result<Self> {
        let keys = Arc::new(keys);
        let dir = config.recordings_dir();
        let folder: Arc<dyn Blob> = Arc::new(FileBlob::new(&dir));
        let far = far(&config.recordings)?;
        let stored: Arc<dyn Blob> = match &far {
            Some(far) => Arc::new(TieredBlob::new(Arc::clone(&folder), Arc::clone(far))),
            None => Arc::clone(&folder),
        };
        let played = Arc::new(SealedBlob::new(Arc::clone(&stored), Arc::clone(&keys)));
        Ok(Self {
            keys,
            stored,
            played,
            dir,
            folder,
            far,
        })
    }
}

impl Shelves {
    /// Where a recording is in the folder.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        self.dir.join(key)
    }

    /// The object store as it is, where one is configured.
    pub(crate) fn far(&self) -> Option<&dyn Blob> {
        self.far.as_deref()
    }
}

fn far(recordings: &Recordings) -> anyhow::Result<Option<Arc<dyn Blob>>> {
    if !recordings.url.starts_with("s3://") {
        return Ok(None);
    }
    let mut login = S3Login::default();
    if !recordings.access_key_id.is_empty() {
        let file = &recordings.secret_key_file;
        let secret = std::fs::read_to_string(file)
            .with_context(|| format!("[recordings] secret_key_file {file}"))?;
        login.access_key_id.clone_from(&recordings.access_key_id);
        secret.trim().clone_into(&mut login.secret_access_key);
    }
    let blob = S3Blob::connect(&recordings.url, &login)
        .map_err(|reason| anyhow::anyhow!("[recordings] url: {reason}"))?;
    Ok(Some(Arc::new(blob)))
}

/// Reads the key file; the first start makes it and says so.
fn key_ring(path: &Path) -> anyhow::Result<KeyRing> {
    let place = || format!("[recordings] key_file {}", path.display());
    if !path.exists() {
        make_key(path).with_context(place)?;
        tracing::warn!(
            key_file = %path.display(),
            "made the key of the recordings: keep a copy elsewhere, without it no recording can be heard"
        );
    }
    let mode = std::fs::metadata(path)
        .with_context(place)?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        anyhow::bail!("{}: others may read it, expected mode 600", place());
    }
    let text = zeroize::Zeroizing::new(std::fs::read_to_string(path).with_context(place)?);
    KeyRing::read(&text).with_context(place)
}

fn make_key(path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        private::folder(folder)?;
    }
    let line = KeyRing::fresh_line()?;
    let mut options = std::fs::OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => Ok(file
            .write_all(line.as_bytes())
            .and_then(|()| file.sync_all())?),
        // Another process of ours was faster: its key holds.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// What the center is told of recordings.
pub(super) fn for_center(made: &mut center::CenterConfig, shelves: &Shelves, said: &Recordings) {
    made.repair = Arc::new(Mender {
        dir: shelves.dir.clone(),
        keys: Arc::clone(&shelves.keys),
    });
    made.archive = Some(Arc::new(shelves.clone()));
    made.recording_suffix = SUFFIX;
    made.recording_pause_ms = i64::from(said.pause_max_s) * 1_000;
    made.disk = DiskLimits {
        warn_bytes: said.free_warn_mb.saturating_mul(MIB),
        stop_bytes: said.free_stop_mb.saturating_mul(MIB),
    };
    made.retention = Retention {
        call_days: said.keep_call_days,
        agreement_days: said.keep_agreement_days,
        dispute_days: said.keep_dispute_days,
        stranger_days: said.keep_unknown_days,
        ..Retention::default()
    };
}

#[async_trait]
impl Archive for Shelves {
    async fn stored(&self, key: &str) -> Result<(String, i64), String> {
        let found = store::stored_hash(&*self.folder, key).await;
        found.map_err(|e| e.to_string())
    }

    fn uploads(&self) -> bool {
        self.far.is_some()
    }

    async fn upload(&self, key: &str, sha256: &str) -> Result<(), String> {
        let far = self.far.as_ref().ok_or("no object store is configured")?;
        let put = far.put_from(key, &*self.folder).await;
        put.map_err(|e| e.to_string())?;
        let (there, _) = store::stored_hash(&**far, key)
            .await
            .map_err(|e| e.to_string())?;
        if there == sha256 {
            Ok(())
        } else {
            Err("what was read back differs".to_owned())
        }
    }

    async fn leave_folder(&self, key: &str) -> Result<(), String> {
        self.folder.delete(key).await.map_err(|e| e.to_string())
    }

    async fn delete(&self, key: &str) -> Result<(), String> {
        // Through the reader too: it keeps nothing of what is gone.
        self.played.delete(key).await.map_err(|e| e.to_string())
    }

    fn free_bytes(&self) -> Result<u64, String> {
        let found = rustix::fs::statvfs(&self.dir).map_err(|e| e.to_string())?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }
}

/// Mends what a dead process left, off the async threads.
struct Mender {
    dir: PathBuf,
    keys: Arc<KeyRing>,
}

#[async_trait]
impl RecordingRepair for Mender {
    async fn repair(&self, recording: &Recording) -> Result<Repaired, String> {
        let path = self.dir.join(&recording.key);
        let keys = Arc::clone(&self.keys);
        let mended =
            tokio::task::spawn_blocking(move || voice::repair_recording(&path, Some(&keys)))
                .await
                .map_err(|e| e.to_string())?;
        let found = mended.map_err(|e| e.to_string())?;
        Ok(Repaired {
            sha256: found.sha256,
            duration_ms: found.duration_ms,
            bytes: found.bytes,
            gaps: found.gaps,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("deep/recordings.key");
        let first = key_ring(&path).expect("made").current_id();
        assert_eq!(key_ring(&path).expect("read").current_id(), first);
        let mode = std::fs::metadata(&path).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("set");
        let error = key_ring(&path).expect_err("open to others").to_string();
        assert!(
            error.contains("key_file") && error.contains("600"),
            "{error}"
        );
    }

    #[test]
    fn a_damaged_key_file_is_no_fresh_key() {
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("recordings.key");
        private::reserve(&path).expect("made");
        for text in ["", "zz\n"] {
            std::fs::write(&path, text).expect("written");
            let error = format!("{:#}", key_ring(&path).expect_err("damaged"));
            assert!(error.contains("recordings.key"), "{error}");
        }
    }
}
