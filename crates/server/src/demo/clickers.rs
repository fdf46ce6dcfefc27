//! Debtors of the demo who open the payment links that messages brought them: some pay, some only look, most
//! have other things to do. They come as anybody comes: by HTTP, with the end of their document.

use domain::entity::Debtor;
use domain::ids::MessageId;
use domain::ports::Store;
use reqwest::header::{LOCATION, ORIGIN};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinHandle, JoinSet};

/// Between two looks at the folder.
const LOOK: Duration = Duration::from_secs(2);
/// Longest wait for a page.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// Most who have a page open at once; who comes then comes later.
const AT_ONCE: usize = 4;
/// Last characters of a document that prove who one is.
const PROOF_CHARS: usize = 4;

/// What somebody does with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Pays,
    Looks,
    Nothing,
}

/// By the message's own number.
fn does(number: u128) -> Does {
    match number % 100 {
        0..45 => Does::Pays,
        45..60 => Does::Looks,
        _ => Does::Nothing,
    }
}

/// When: 3 to 20 seconds after it came.
fn after(number: u128) -> Duration {
    Duration::from_secs(3 + u64::try_from(number / 100 % 18).unwrap_or(0))
}

/// They at work.
pub(super) struct Clickers(JoinHandle<()>);

impl Clickers {
    /// They begin to read what is written to `folder`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn start(
        folder: PathBuf,
        store: Arc<dyn Store>,
        node: SocketAddr,
    ) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let base = format!("http://127.0.0.1:{}", node.port());
        Ok(Self(tokio::spawn(watch(folder, store, client, base))))
    }

    /// Nobody clicks any more.
    pub(super) fn stop(self) {
        self.0.abort();
    }
}

/// A link in a message: the message's number and the path of the page.
type Found = (uuid::Uuid, String);

/// The path of the page in a text, `/p/…`.
fn path_in(text: &str) -> Option<String> {
    let at = text.find("/p/")?;
    let rest = &text[at + 3..];
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
        .unwrap_or(rest.len());
    (end > 0).then(|| format!("/p/{}", &rest[..end]))
}

/// Messages that were not seen yet and carry a link.
fn look(
    folder: &Path,
    mut seen: BTreeSet<String>,
) -> std::io::Result<(BTreeSet<String>, Vec<Found>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.join("out"))? {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.ends_with(".json") || name.starts_with('.') || !seen.insert(name) {
            continue;
        }
        let sent: serde_json::Value = serde_json::from_slice(&std::fs::read(&path)?)
            .map_err(|e| std::io::Error::new(std::io::ErrorKind::InvalidData, e))?;
        let number = sent["ref"].as_str().and_then(|r| r.parse().ok());
        let page = sent["body"].as_str().and_then(path_in);
        found.extend(number.zip(page));
    }
    Ok((seen, found))
}

async fn watch(folder: PathBuf, store: Arc<dyn Store>, client: reqwest::Client, base: String) {
    let mut seen = BTreeSet::new();
    let mut open: JoinSet<()> = JoinSet::new();
    loop {
        tokio::time::sleep(LOOK).await;
        let (of, before) = (folder.clone(), std::mem::take(&mut seen));
        let looked = tokio::task::spawn_blocking(move || look(&of, before)).await;
        let found = match looked {
            Ok(Ok((all, found))) => {
                seen = all;
                found
            }
            Ok(Err(error)) => {
                tracing::warn!(kind = %error.kind(), "message folder not read");
                continue;
            }
            Err(_) => return,
        };
        for (message, page) in found {
            let does = does(message.as_u128());
            if does == Does::Nothing {
                continue;
            }
            while open.len() >= AT_ONCE {
                open.join_next().await;
            }
            let (store, client, base) = (Arc::clone(&store), client.clone(), base.clone());
            open.spawn(async move {
                tokio::time::sleep(after(message.as_u128())).await;
                let url = format!("{base}{page}");
                if let Err(error) = visit(&*store, &client, (message, &url, &base), does).await {
                    tracing::debug!(%error, "a debtor of the demo left the page");
                }
            });
        }
        while open.try_join_next().is_some() {}
    }
}

fn proof(debtor: &Debtor) -> String {
    let document = debtor.document.reveal();
    let plain: Vec<char> = document.chars().filter(|c| c.is_alphanumeric()).collect();
    let from = plain.len().saturating_sub(PROOF_CHARS);
    plain[from..].iter().collect::<String>().to_uppercase()
}

/// He opens the page, proves who he is and, when he means to, pays at the provider's.
async fn visit(
    store: &dyn Store,
    client: &reqwest::Client,
    (message, url, base): (uuid::Uuid, &str, &str),
    does: Does,
) -> anyhow::Result<()> {
    let message = store.get_message(MessageId(message)).await?;
    let debtor = store.get_debtor(message.debtor_id).await?;
    client.get(url).send().await?.error_for_status()?;
    let form = [("proof", proof(&debtor))];
    let sent = client.post(url).header(ORIGIN, base).form(&form);
    let shown = sent.send().await?.error_for_status()?.text().await?;
    let proved = shown
        .split("name=\"proved\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    let (Does::Pays, Some(proved)) = (does, proved) else {
        return Ok(());
    };
    let form = [("proved", proved)];
    let sent = client
        .post(format!("{url}/pay"))
        .header(ORIGIN, base)
        .form(&form);
    let led = sent.send().await?;
    let page = led.headers().get(LOCATION).and_then(|v| v.to_str().ok());
    let page = page.ok_or_else(|| anyhow::anyhow!("no page of the provider"))?;
    client.post(format!("{page}/pagar")).send().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_found_in_a_text_and_some_pay() {
        let text = "Esta es: http://127.0.0.1:8080/p/AbC-_9. Gracias";
        assert_eq!(path_in(text).as_deref(), Some("/p/AbC-_9"));
        assert_eq!(path_in("sin liga"), None);
        let pays = (0..1_000).filter(|n| does(*n) == Does::Pays).count();
        let looks = (0..1_000).filter(|n| does(*n) == Does::Looks).count();
        assert_eq!((pays, looks), (450, 150));
    }
}
