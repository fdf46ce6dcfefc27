//! Objects: put whole, read by range, deleted; keys that lead nowhere else.

use crate::blob::MemoryBlob;
use domain::ports::{Blob, BlobError};
use uuid::Uuid;

/// Bytes of the large object: more than two parts of a multipart upload.
const LARGE: usize = 17 * 1024 * 1024 + 3;

fn key() -> String {
    format!("2026/11/26/{}.mrec", Uuid::now_v7())
}

fn bytes(n: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..n).map(|_| next()).collect()
}

async fn put(blob: &dyn Blob, key: &str, bytes: Vec<u8>) -> Result<u64, BlobError> {
    let from = MemoryBlob::default();
    from.put(key, bytes);
    blob.put_from(key, &from).await
}

/// All of an object, read in parts.
async fn whole(blob: &dyn Blob, key: &str) -> Vec<u8> {
    let size = blob.size(key).await.expect("size");
    let mut all = Vec::new();
    while (all.len() as u64) < size {
        let part = blob.read(key, all.len() as u64, 1 << 22).await;
        let part = part.expect("read");
        assert!(!part.is_empty(), "no end before its size");
        all.extend(part);
    }
    all
}

/// Runs the group; `other` is a second store, as the folder beside the object store.
pub async fn all(blob: &dyn Blob, other: &dyn Blob) {
    ranges(blob).await;
    what_is_not_there(blob).await;
    keys_stay_inside(blob).await;
    whole_or_not_at_all(blob, other).await;
}

async fn ranges(blob: &dyn Blob) {
    let key = key();
    let content = bytes(100_000);
    assert_eq!(
        put(blob, &key, content.clone()).await.expect("put"),
        100_000
    );
    assert_eq!(blob.size(&key).await.expect("size"), 100_000);
    for (from, len, expected) in [
        (0, 10, &content[..10]),
        (99_990, 10, &content[99_990..]),
        (99_990, 500, &content[99_990..]),
        (100_000, 1, &content[..0]),
        (200_000, 5, &content[..0]),
        (50, 0, &content[..0]),
        (0, u64::MAX, &content[..]),
    ] {
        let read = blob.read(&key, from, len).await.expect("read");
        assert!(read == expected, "{len} from {from}: {} bytes", read.len());
    }
    let empty = self::key();
    assert_eq!(put(blob, &empty, vec![]).await.expect("put"), 0);
    assert_eq!(blob.size(&empty).await.expect("size"), 0);
    assert_eq!(
        blob.read(&empty, 0, 9).await.expect("read"),
        Vec::<u8>::new()
    );
}

async fn what_is_not_there(blob: &dyn Blob) {
    let key = key();
    let missing = |e: Result<(), BlobError>| matches!(e, Err(BlobError::NotFound(_)));
    assert!(missing(blob.size(&key).await.map(drop)));
    assert!(missing(blob.read(&key, 0, 10).await.map(drop)));
    blob.delete(&key).await.expect("deleting nothing");
    assert!(missing(
        blob.put_from(&key, &MemoryBlob::default()).await.map(drop)
    ));
    assert!(missing(blob.size(&key).await.map(drop)), "nothing was put");
    put(blob, &key, bytes(10)).await.expect("put");
    blob.delete(&key).await.expect("delete");
    blob.delete(&key).await.expect("again");
    assert!(missing(blob.size(&key).await.map(drop)));
}

async fn keys_stay_inside(blob: &dyn Blob) {
    for bad in [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a//b",
        ".hid",
        "a\0b",
        "a b",
        "ñ",
    ] {
        let is_bad = |e: Result<(), BlobError>| matches!(e, Err(BlobError::BadKey(_)));
        assert!(is_bad(blob.size(bad).await.map(drop)), "{bad:?}");
        assert!(is_bad(blob.read(bad, 0, 1).await.map(drop)), "{bad:?}");
        assert!(is_bad(blob.delete(bad).await), "{bad:?}");
    }
}

async fn whole_or_not_at_all(blob: &dyn Blob, other: &dyn Blob) {
    let key = key();
    put(blob, &key, bytes(50)).await.expect("put");
    let large = bytes(LARGE);
    let size = put(blob, &key, large.clone()).await.expect("replaced");
    assert_eq!(size, LARGE as u64);
    assert!(whole(blob, &key).await == large, "every byte, in order");
    let over = other.put_from(&key, blob).await.expect("copied");
    assert_eq!(over, LARGE as u64);
    assert!(whole(other, &key).await == large, "and again");
    blob.delete(&key).await.expect("delete");
    assert!(whole(other, &key).await == large, "two stores are two");
    other.delete(&key).await.expect("delete");
}
