//! A gateway for development and the demo: each message is a file, and files that are put beside them are
//! what debtors do with it.

use async_trait::async_trait;
use domain::entity::Channel;
use domain::pii::Pii;
use domain::ports::{Accepted, Messenger, Outgoing, REPLY_MAX, Receipt, ReceiptKind, SendFault};
use serde::Deserialize;
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
    /// Messages written since the last poll: a folder delivers at once.
    written: Mutex<Vec<String>>,
    told: Mutex<Vec<PathBuf>>,
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
        },
        _ => return None,
    };
    let own = matches!(kind, ReceiptKind::Reply { .. });
    let stem = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Some(Receipt {
        provider_ref: if own { stem } else { told.name },
        at: None,
        kind,
    })
}

fn waiting(folder: &Path, limit: usize) -> io::Result<(Vec<PathBuf>, Vec<Receipt>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder.join("in"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
    files.sort();
    files.truncate(limit);
    let mut receipts = Vec::new();
    for file in &files {
        if std::fs::metadata(file)?.len() > FILE_MAX {
            continue;
        }
        let told: Option<Told> = serde_json::from_slice(&std::fs::read(file)?).ok();
        match told.and_then(|t| receipt(file, t)) {
            Some(found) => receipts.push(found),
            None => {
                tracing::warn!("a file of the message folder cannot be read and is passed over")
            }
        }
    }
    Ok((files, receipts))
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
        let before = std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || {
            for file in &before {
                let name = file.file_name().unwrap_or_default();
                std::fs::rename(file, folder.join("seen").join(name))?;
            }
            waiting(&folder, limit)
        });
        let found = read.await.map_err(|e| SendFault::Later(e.to_string()))?;
        let (files, told) =
            found.map_err(|e: io::Error| SendFault::Later(format!("folder: {}", e.kind())))?;
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = files;
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let most = written.len().min(limit);
        let mut receipts: Vec<Receipt> = written
            .drain(..most)
            .map(|name| Receipt {
                provider_ref: name,
                at: None,
                kind: ReceiptKind::Delivered,
            })
            .collect();
        receipts.extend(told);
        Ok(receipts)
    }
}
