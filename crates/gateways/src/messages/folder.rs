//! A gateway for development and the demo: each message is a file, and files that are put beside them are
//! what debtors do with it.

use async_trait::async_trait;
use domain::entity::Channel;
use domain::pii::Pii;
use domain::ports::{Accepted, Messenger, Outgoing, REPLY_MAX, Receipt, ReceiptKind, SendFault};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Largest file that is read, bytes.
const FILE_MAX: u64 = 65_536;
/// Most messages a minute.
const PER_MINUTE: u32 = 6_000;

/// The gateway: `out/` gets a JSON file a message, `in/` holds what is told of them (`{"ref": …, "kind":
/// "delivered" | "read" | "failed" | "reply", "from": …, "text": …, "channel": …}`).
pub struct FolderGateway {
    name: String,
    folder: PathBuf,
    /// Messages that were written and are not told yet: a folder delivers at once.
    written: Mutex<Vec<String>>,
    /// Files told last time: they stay where they are until what they tell is written down.
    told: Mutex<Vec<(PathBuf, Receipt)>>,
}

#[derive(Deserialize)]
struct Told {
    #[serde(rename = "ref", default)]
    name: String,
    kind: String,
    channel: Option<Channel>,
    #[serde(default)]
    from: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    answers: Option<String>,
}

impl FolderGateway {
    /// Makes it and its folders.
    ///
    /// # Errors
    /// When the folders cannot be made.
    pub fn new(name: impl Into<String>, folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        for part in ["out", "in", "seen"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        Ok(Self {
            name: name.into(),
            folder,
            written: Mutex::new(Vec::new()),
            told: Mutex::new(Vec::new()),
        })
    }
}

/// Writes a file whole or not at all.
fn write(folder: &Path, name: &str, text: &str) -> io::Result<()> {
    let draft = folder.join(format!(".{name}"));
    std::fs::write(&draft, text)?;
    std::fs::rename(draft, folder.join(name))
}

fn receipt(file: &Path, told: Told) -> Option<Receipt> {
    let kind = match told.kind.as_str() {
        "delivered" => ReceiptKind::Delivered,
        "read" => ReceiptKind::Read,
        "failed" => ReceiptKind::Failed {
            code: "folder".into(),
            bad_address: true,
        },
        "reply" => ReceiptKind::Reply {
            channel: told.channel?,
            from: Pii(told.from),
            text: Pii(told.text.chars().take(REPLY_MAX).collect()),
            answers: told.answers,
            optout: false,
        },
        _ => return None,
    };
    let own = matches!(kind, ReceiptKind::Reply { .. });
    let stem = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let sent = (!own).then(|| told.name.parse().ok()).flatten();
    Some(Receipt {
        own: sent,
        provider_ref: if own { stem } else { told.name },
        at: None,
        kind,
    })
}

/// Moves files to `seen`.
fn put_away(folder: &Path, files: &[PathBuf]) -> io::Result<()> {
    for file in files {
        let name = file.file_name().unwrap_or_default();
        std::fs::rename(file, folder.join("seen").join(name))?;
    }
    Ok(())
}

/// Files that wait with what they tell; those that tell nothing are put away.
fn waiting(folder: &Path, limit: usize) -> io::Result<Vec<(PathBuf, Receipt)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join("in"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(limit);
    let mut found = Vec::new();
    let mut silent = Vec::new();
    for file in files {
        let told: Option<Told> = match std::fs::metadata(&file)?.len() > FILE_MAX {
            true => None,
            false => serde_json::from_slice(&std::fs::read(&file)?).ok(),
        };
        match told.and_then(|t| receipt(&file, t)) {
            Some(receipt) => found.push((file, receipt)),
            None => {
                tracing::warn!("a file of the message folder cannot be read and is passed over");
                silent.push(file);
            }
        }
    }
    put_away(folder, &silent)?;
    Ok(found)
}

#[async_trait]
impl Messenger for FolderGateway {
    fn name(&self) -> &str {
        &self.name
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms, Channel::Whatsapp, Channel::Email]
    }

    fn per_minute(&self) -> u32 {
        PER_MINUTE
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let name = message.id.to_string();
        let text = serde_json::json!({
            "ref": name, "at": message.at, "channel": message.channel, "to": message.to.reveal(),
            "language": message.language, "subject": message.subject, "body": message.body.reveal(),
        })
        .to_string();
        let folder = self.folder.join("out");
        let file = format!("{name}.json");
        let done = tokio::task::spawn_blocking(move || write(&folder, &file, &text)).await;
        match done {
            Ok(Ok(())) => {}
            Ok(Err(e)) => return Err(SendFault::Later(format!("folder: {}", e.kind()))),
            Err(_) => return Err(SendFault::Unknown("write cut off".to_owned())),
        }
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push(name.clone());
        Ok(Accepted {
            provider_ref: name,
            cost_micro: 0,
            currency: None,
        })
    }

    async fn poll(&self, limit: usize) -> Result<Vec<Receipt>, SendFault> {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || waiting(&folder, limit));
        let found = read.await.map_err(|e| SendFault::Later(e.to_string()))?;
        let told =
            found.map_err(|e: io::Error| SendFault::Later(format!("folder: {}", e.kind())))?;
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let delivered = written.iter().take(limit).map(|name| Receipt {
            own: name.parse().ok(),
            provider_ref: name.clone(),
            at: None,
            kind: ReceiptKind::Delivered,
        });
        let receipts = delivered
            .chain(told.iter().map(|(_, receipt)| receipt.clone()))
            .collect();
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
        Ok(receipts)
    }

    async fn put_away(&self, done: &[Receipt]) -> Result<(), SendFault> {
        let delivered: BTreeSet<&str> = done
            .iter()
            .filter(|r| r.kind == ReceiptKind::Delivered)
            .map(|r| r.provider_ref.as_str())
            .collect();
        self.written
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|name| !delivered.contains(name.as_str()));
        let files: Vec<PathBuf> = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let gone = told.extract_if(.., |(_, receipt)| done.contains(receipt));
            gone.map(|(file, _)| file).collect()
        };
        let folder = self.folder.clone();
        let moved = tokio::task::spawn_blocking(move || put_away(&folder, &files));
        let moved = moved.await.map_err(|e| SendFault::Later(e.to_string()))?;
        moved.map_err(|e| SendFault::Later(format!("folder: {}", e.kind())))
    }
}
