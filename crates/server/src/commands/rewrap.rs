//! `marcador recordings rewrap`: each stored recording's own key wrapped by the current key of the key
//! file, so that older ones can be taken out of it. The sound is neither opened nor written.

use super::{read_config, say};
use crate::cli::ConfigArgs;
use crate::clock::{NodeClock, RandomIds};
use crate::failure::Failure;
use crate::node::recordings::Shelves;
use async_trait::async_trait;
use domain::entity::{Recording, RecordingOutcome};
use domain::event::NewEvent;
use domain::ids::EventId;
use domain::ports::store::{KeepChange, ListFilter, PageRequest};
use domain::ports::{Blob, BlobError, Clock as _, IdSource as _, Store, StoreError};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use vault::{HEAD, KeyRing};

/// Recordings read from the database in one query.
const PAGE: u32 = 500;

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    recordings: u64,
    wrapped: u64,
    current: u64,
    plain: u64,
    gone: u64,
    faults: u64,
}

/// What became of one file or object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Done {
    Wrapped,
    Current,
    Plain,
    Absent,
}

/// Carries it out.
pub(crate) async fn run(args: &ConfigArgs) -> Result<(), Failure> {
    let config = read_config(args)?;
    let shelves = Shelves::look(&config)?;
    let store = crate::node::open_store(&config.database).await?;
    let mut count = Count::default();
    let mut page = PageRequest {
        limit: PAGE,
        cursor: None,
    };
    loop {
        let rows = store
            .list_recordings(&ListFilter::default(), &page)
            .await
            .map_err(anyhow::Error::from)?;
        for row in &rows.items {
            let before = count.wrapped;
            one(&shelves, row, &mut count).await;
            if count.wrapped > before
                && let Err(error) = kept(&*store, &shelves, row).await
            {
                count.faults += 1;
                say(format!("recording {}: {error:#}", row.id));
            }
        }
        if rows.next_cursor.is_none() {
            break;
        }
        page.cursor = rows.next_cursor;
    }
    say(format!(
        "{} recordings: {} wrapped anew by key {}, {} were already, {} not sealed, {} deleted or never made, {} faults",
        count.recordings,
        count.wrapped,
        shelves.keys.current_id(),
        count.current,
        count.plain,
        count.gone,
        count.faults
    ));
    if count.faults > 0 {
        return Err(anyhow::anyhow!(
            "keep the older keys: not every recording is under the new one"
        )
        .into());
    }
    Ok(())
}

/// The care of a sealed recording knows the hash of its stored bytes: it is that of the new header now.
async fn kept(store: &dyn Store, shelves: &Shelves, row: &Recording) -> anyhow::Result<()> {
    match store.get_keep(row.id).await {
        Ok(_) => {}
        // Not in care yet: its hash is taken when it comes there.
        Err(StoreError::NotFound(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let (stored_sha256, _) = store::stored_hash(&*shelves.stored, &row.key).await?;
    let now = NodeClock::system().now();
    let event = NewEvent {
        id: EventId(RandomIds.next(now)),
        at: now,
        client_id: Some(row.client_id),
        actor: "system".to_owned(),
        kind: "audit.written".to_owned(),
        subject: format!("recording:{}", row.id),
        data: serde_json::json!({"action": "recording.rewrapped", "key": shelves.keys.current_id()}),
    };
    let change = KeepChange::Rewrapped { stored_sha256 };
    store.change_keep(row.id, &change, &[event]).await?;
    Ok(())
}

/// A recording in the folder, in the object store, or in both.
async fn one(shelves: &Shelves, row: &Recording, count: &mut Count) {
    count.recordings += 1;
    let mut done = vec![in_folder(&shelves.path(&row.key), &shelves.keys)];
    if let Some(far) = shelves.far() {
        done.push(in_store(far, &row.key, &shelves.keys).await);
    }
    let mut best = Done::Absent;
    for result in done {
        match result {
            Ok(Done::Absent) => {}
            // One place of two that was changed is a change.
            Ok(now) if best == Done::Absent || now == Done::Wrapped => best = now,
            Ok(_) => {}
            Err(reason) => {
                count.faults += 1;
                say(format!("recording {}: {reason}", row.id));
                return;
            }
        }
    }
    match best {
        Done::Wrapped => count.wrapped += 1,
        Done::Current => count.current += 1,
        Done::Plain => count.plain += 1,
        Done::Absent if expected(row) => {
            count.faults += 1;
            say(format!("recording {}: its file is not there", row.id));
        }
        Done::Absent => count.gone += 1,
    }
}

/// Whether there has to be a file: not where its making failed, nor after its time.
fn expected(row: &Recording) -> bool {
    matches!(
        row.outcome,
        RecordingOutcome::Sealed | RecordingOutcome::Repaired | RecordingOutcome::Open
    )
}

/// Renews the header in place: 128 bytes, one sector, so that a power cut leaves the old or the new
/// one. A call that is being recorded goes on.
fn in_folder(path: &Path, keys: &KeyRing) -> Result<Done, String> {
    let file = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Done::Absent),
        Err(e) => return Err(e.to_string()),
    };
    let mut head = [0_u8; HEAD];
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let whole = usize::try_from(size).unwrap_or(HEAD).min(HEAD);
    file.read_exact_at(&mut head[..whole], 0)
        .map_err(|e| e.to_string())?;
    let Some(new) = renewed(&head[..whole], keys)? else {
        return Ok(kind(&head[..whole]));
    };
    file.write_all_at(&new, 0)
        .and_then(|()| file.sync_data())
        .map_err(|e| e.to_string())?;
    Ok(Done::Wrapped)
}

/// Puts the object anew with another header; nobody sees a part of it.
async fn in_store(far: &dyn Blob, key: &str, keys: &KeyRing) -> Result<Done, String> {
    let head = match far.read(key, 0, HEAD as u64).await {
        Ok(head) => head,
        Err(BlobError::NotFound(_)) => return Ok(Done::Absent),
        Err(e) => return Err(e.to_string()),
    };
    let Some(new) = renewed(&head, keys)? else {
        return Ok(kind(&head));
    };
    let changed = Changed { far, head: new };
    far.put_from(key, &changed)
        .await
        .map_err(|e| e.to_string())?;
    Ok(Done::Wrapped)
}

fn renewed(head: &[u8], keys: &KeyRing) -> Result<Option<[u8; HEAD]>, String> {
    if !vault::is_sealed(head) {
        return Ok(None);
    }
    vault::rewrapped(head, keys).map_err(|e| e.to_string())
}

fn kind(head: &[u8]) -> Done {
    if vault::is_sealed(head) {
        Done::Current
    } else {
        Done::Plain
    }
}

/// An object as it is stored, but for its header.
struct Changed<'a> {
    far: &'a dyn Blob,
    head: [u8; HEAD],
}

#[async_trait]
impl Blob for Changed<'_> {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        self.far.size(key).await
    }

    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        let mut part = self.far.read(key, from, len).await?;
        let from = usize::try_from(from).unwrap_or(HEAD).min(HEAD);
        let fresh = &self.head[from..];
        let n = fresh.len().min(part.len());
        part[..n].copy_from_slice(&fresh[..n]);
        Ok(part)
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        Err(BlobError::Io(format!("'{key}': only read here")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::FileBlob;
    use vault::{Opened, Sealer};

    fn sealed(keys: &KeyRing) -> Vec<u8> {
        let (mut sealer, head) = Sealer::begin([9; 16], keys).expect("begins");
        let mut file = head.to_vec();
        sealer.push(&[7; 40_000], &mut file).expect("seals");
        sealer.finish(&[], &mut file).expect("ends");
        file
    }

    /// Key files before, during and after a change of keys.
    fn rings() -> [KeyRing; 3] {
        let line = |byte: &str| byte.repeat(32) + "\n";
        let (old, new) = (line("11"), line("22"));
        [old.clone(), format!("{new}{old}"), new].map(|text| KeyRing::read(&text).expect("reads"))
    }

    #[test]
    fn a_file_in_the_folder_opens_with_the_new_key_alone() {
        let [old, both, new] = rings();
        let dir = tempfile::tempdir().expect("folder");
        let path = dir.path().join("x.mrec");
        let before = sealed(&old);
        std::fs::write(&path, &before).expect("written");
        assert!(in_folder(&path, &new).is_err(), "its key is not there");
        assert_eq!(in_folder(&path, &both), Ok(Done::Wrapped));
        let after = std::fs::read(&path).expect("read");
        assert_eq!(after[HEAD..], before[HEAD..], "the sound is not touched");
        assert!(
            Opened::new(&after[..HEAD], &new).is_ok() && Opened::new(&after[..HEAD], &old).is_err()
        );
        assert_eq!(in_folder(&path, &both), Ok(Done::Current));
        std::fs::write(&path, b"RIFF").expect("written");
        assert_eq!(in_folder(&path, &both), Ok(Done::Plain));
        assert_eq!(in_folder(&dir.path().join("y"), &both), Ok(Done::Absent));
    }

    #[tokio::test]
    async fn an_object_is_put_anew() {
        let [old, both, new] = rings();
        let dir = tempfile::tempdir().expect("folder");
        let far = FileBlob::new(dir.path());
        let before = sealed(&old);
        std::fs::write(dir.path().join("x.mrec"), &before).expect("written");
        assert_eq!(in_store(&far, "x.mrec", &both).await, Ok(Done::Wrapped));
        let after = std::fs::read(dir.path().join("x.mrec")).expect("read");
        assert_eq!(
            (after.len(), &after[HEAD..]),
            (before.len(), &before[HEAD..])
        );
        assert!(Opened::new(&after[..HEAD], &new).is_ok());
        assert_eq!(in_store(&far, "x.mrec", &both).await, Ok(Done::Current));
        assert_eq!(in_store(&far, "none.mrec", &both).await, Ok(Done::Absent));
    }
}
