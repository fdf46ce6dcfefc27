//! The contract suite of the `Blob` port on a folder, on two tiers, and on an S3 server that is not
//! ours (`MARCADOR_TEST_S3_URL`, as `s3://bucket?region=us-east-1&endpoint=http://127.0.0.1:5000`).

use sim::blob::MemoryBlob;
use sim::contract;
use std::sync::Arc;
use store::{FileBlob, S3Blob, S3Login, TieredBlob};

#[tokio::test]
async fn a_folder() {
    let dir = tempfile::tempdir().expect("folder");
    let blob = FileBlob::new(dir.path().join("a"));
    tokio::fs::create_dir_all(blob.root())
        .await
        .expect("folder");
    contract::blob::all(&blob, &MemoryBlob::default()).await;
    let left = walk(dir.path());
    assert!(!left.iter().any(|p| p.ends_with(".part")), "{left:?}");
}

fn walk(dir: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn two_tiers() {
    let near = Arc::new(MemoryBlob::default());
    let blob = TieredBlob::new(near, Arc::new(MemoryBlob::default()));
    contract::blob::all(&blob, &MemoryBlob::default()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_s3_server() {
    let Ok(url) = std::env::var("MARCADOR_TEST_S3_URL") else {
        return;
    };
    let login = S3Login {
        access_key_id: "test".into(),
        secret_access_key: "test".into(),
    };
    let blob = S3Blob::connect(&url, &login).expect("address");
    let dir = tempfile::tempdir().expect("folder");
    let folder = FileBlob::new(dir.path());
    contract::blob::all(&blob, &folder).await;
    contract::blob::all(&folder, &blob).await;
}

#[tokio::test]
async fn an_s3_server_that_is_away_is_an_error_and_no_wait() {
    // A port that nobody listens on.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("port");
    let port = closed.local_addr().expect("address").port();
    drop(closed);
    let url = format!("s3://b?region=us-east-1&endpoint=http://127.0.0.1:{port}");
    let login = S3Login {
        access_key_id: "test".into(),
        secret_access_key: "hush-hush".into(),
    };
    let blob = S3Blob::connect(&url, &login).expect("address");
    let error = domain::ports::Blob::size(&blob, "a")
        .await
        .expect_err("away");
    let text = error.to_string();
    assert!(text.starts_with("object store:"), "{text}");
    assert!(!text.contains("hush"), "{text}");
}
