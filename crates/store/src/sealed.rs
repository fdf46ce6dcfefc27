//! Sealed recordings as the WAVs that they play: opened by chunk, from any place.

use async_trait::async_trait;
use domain::ports::{Blob, BlobError};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use vault::{CHUNK, HEAD, KeyRing, Opened, Plan, VaultError, WAV_HEAD, chunks_of, is_sealed, span};

/// Headers kept opened: a listener asks for one recording many times.
const KNOWN_MAX: usize = 128;
/// Most bytes one `read` gives: 8 MiB, four minutes.
const READ_MAX: u64 = 8 * 1024 * 1024;

/// A store whose sealed objects are read as WAVs; what is not sealed is read as it is.
pub struct SealedBlob {
    inner: Arc<dyn Blob>,
    keys: Arc<KeyRing>,
    known: Mutex<VecDeque<(String, Arc<Form>)>>,
}

/// A sealed object that is known.
pub(crate) struct Form {
    pub(crate) opened: Opened,
    pub(crate) plan: Plan,
    pub(crate) stored: u64,
}

pub(crate) fn damaged(error: &VaultError) -> BlobError {
    BlobError::Damaged(error.to_string())
}

/// Opens a sealed object; `None` when it is none.
pub(crate) async fn open(
    blob: &dyn Blob,
    keys: &KeyRing,
    key: &str,
) -> Result<Option<Form>, BlobError> {
    let stored = blob.size(key).await?;
    let first = blob.read(key, 0, HEAD as u64).await?;
    if !is_sealed(&first) {
        return Ok(None);
    }
    let opened = Opened::new(&first, keys).map_err(|e| damaged(&e))?;
    let last = match chunks_of(stored).checked_sub(1) {
        Some(index) => {
            let (from, len) = span(index, stored);
            blob.read(key, from, len).await?
        }
        None => Vec::new(),
    };
    let plan = opened.plan(stored, &last).map_err(|e| damaged(&e))?;
    Ok(Some(Form {
        opened,
        plan,
        stored,
    }))
}

/// Sound and marks of some chunks of an object, from the first byte of the first one on.
pub(crate) async fn chunks(
    blob: &dyn Blob,
    key: &str,
    form: &Form,
    wanted: Range<u64>,
) -> Result<Vec<u8>, BlobError> {
    let (from, _) = span(wanted.start, form.stored);
    let (last, len) = span(wanted.end.saturating_sub(1), form.stored);
    let bytes = blob.read(key, from, last + len - from).await?;
    let mut plain = Vec::with_capacity(bytes.len());
    for index in wanted {
        let (at, len) = span(index, form.stored);
        let place = (usize::try_from(at - from), usize::try_from(len));
        let part = match place {
            (Ok(at), Ok(len)) => bytes.get(at..at + len),
            _ => None,
        };
        let part = part.ok_or_else(|| BlobError::Io("the object ends early".to_owned()))?;
        let opened = form.opened.chunk(&form.plan, index, part);
        plain.extend(opened.map_err(|e| damaged(&e))?);
    }
    Ok(plain)
}

impl SealedBlob {
    /// The objects of `inner`, opened with these keys.
    #[must_use]
    pub fn new(inner: Arc<dyn Blob>, keys: Arc<KeyRing>) -> Self {
        Self {
            inner,
            keys,
            known: Mutex::default(),
        }
    }

    async fn form(&self, key: &str) -> Result<Option<Arc<Form>>, BlobError> {
        let known = |list: &VecDeque<(String, Arc<Form>)>| {
            let entry = list.iter().find(|(k, _)| k == key);
            entry.map(|(_, form)| Arc::clone(form))
        };
        let found = known(&self.known.lock().unwrap_or_else(PoisonError::into_inner));
        if found.is_some() {
            return Ok(found);
        }
        let Some(form) = open(&*self.inner, &self.keys, key).await? else {
            return Ok(None);
        };
        let form = Arc::new(form);
        let mut list = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if list.len() >= KNOWN_MAX {
            list.pop_front();
        }
        list.push_back((key.to_owned(), Arc::clone(&form)));
        Ok(Some(form))
    }

    fn forget(&self, key: &str) {
        let mut list = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|(k, _)| k != key);
    }
}

#[async_trait]
impl Blob for SealedBlob {
    async fn size(&self, key: &str) -> Result<u64, BlobError> {
        match self.form(key).await? {
            Some(form) => Ok(form.plan.wav_bytes()),
            None => self.inner.size(key).await,
        }
    }

    async fn read(&self, key: &str, from: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        let Some(form) = self.form(key).await? else {
            return self.inner.read(key, from, len).await;
        };
        let size = form.plan.wav_bytes();
        let to = from.saturating_add(len.min(READ_MAX)).min(size);
        if from >= to {
            return Ok(vec![]);
        }
        let head = WAV_HEAD as u64;
        let mut out = Vec::new();
        if from < head {
            let wav = vault::wav_head(form.plan.sound, form.plan.marks);
            let place = |n: u64| usize::try_from(n.min(head)).unwrap_or(WAV_HEAD);
            out.extend_from_slice(&wav[place(from)..place(to)]);
        }
        if to > head {
            let (first, end) = (from.saturating_sub(head), to - head);
            let wanted = first / CHUNK as u64..end.div_ceil(CHUNK as u64);
            let skip = first - wanted.start * CHUNK as u64;
            let plain = match chunks(&*self.inner, key, &form, wanted).await {
                Err(gone @ BlobError::NotFound(_)) => {
                    self.forget(key);
                    return Err(gone);
                }
                other => other?,
            };
            let place = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(plain.len());
            out.extend_from_slice(&plain[place(skip)..place(skip + end - first)]);
        }
        Ok(out)
    }

    async fn delete(&self, key: &str) -> Result<(), BlobError> {
        self.forget(key);
        self.inner.delete(key).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileBlob;
    use vault::Sealer;

    /// A sealed file of so many bytes of sound, and the WAV that it plays.
    fn sealed(dir: &std::path::Path, key: &str, sound: usize) -> Vec<u8> {
        let ring = KeyRing::of([1; 32]);
        let sound: Vec<u8> = (0..=250).cycle().take(sound).collect();
        let marks = [7; 50];
        let (mut sealer, head) = Sealer::begin([2; 16], &ring).expect("begins");
        let mut file = head.to_vec();
        sealer.push(&sound, &mut file).expect("takes");
        sealer.finish(&marks, &mut file).expect("ends");
        std::fs::write(dir.join(key), file).expect("writes");
        let mut wav = vault::wav_head(sound.len() as u64, 50).to_vec();
        wav.extend(sound);
        wav.extend(marks);
        wav
    }

    #[tokio::test]
    async fn every_range_of_the_wav() {
        let dir = tempfile::tempdir().expect("folder");
        let keys = Arc::new(KeyRing::of([1; 32]));
        let inner = Arc::new(FileBlob::new(dir.path()));
        let blob = SealedBlob::new(inner, keys);
        for sound in [0, 4, 7_956, 8_000, 50_000] {
            let key = format!("s{sound}");
            let wav = sealed(dir.path(), &key, sound);
            assert_eq!(blob.size(&key).await.ok(), Some(wav.len() as u64));
            for from in (0..wav.len() + 60).step_by(sound / 40 + 11) {
                for len in [1_usize, 43, 44, 45, 8_000, 9_001, 100_000] {
                    let read = blob.read(&key, from as u64, len as u64).await;
                    let to = (from + len).min(wav.len());
                    let expected = wav.get(from..to).unwrap_or_default();
                    assert!(read.expect("reads") == expected, "{len} from {from}");
                }
            }
        }
        std::fs::write(dir.path().join("old.wav"), b"RIFFabc").expect("writes");
        assert_eq!(blob.size("old.wav").await.ok(), Some(7), "as it is");
        assert_eq!(blob.read("old.wav", 4, 9).await.ok(), Some(b"abc".to_vec()));
        blob.delete("s4").await.expect("deletes");
        assert!(matches!(blob.size("s4").await, Err(BlobError::NotFound(_))));
    }

    #[tokio::test]
    async fn what_was_changed_is_never_played() {
        let dir = tempfile::tempdir().expect("folder");
        sealed(dir.path(), "x", 40_000);
        let mut file = std::fs::read(dir.path().join("x")).expect("reads");
        file[HEAD + 20_000] ^= 1;
        std::fs::write(dir.path().join("x"), &file).expect("writes");
        let inner = Arc::new(FileBlob::new(dir.path()));
        let blob = SealedBlob::new(inner.clone(), Arc::new(KeyRing::of([1; 32])));
        assert!(blob.read("x", 0, 16_000).await.is_ok(), "before it");
        let bad = blob.read("x", 16_100, 100).await;
        let Err(BlobError::Damaged(text)) = bad else {
            panic!("played");
        };
        assert!(text.contains("chunk 2 (at 500 ms)"), "{text}");
        let other = SealedBlob::new(inner, Arc::new(KeyRing::of([9; 32])));
        assert!(matches!(other.size("x").await, Err(BlobError::Damaged(_))));
    }
}
