//! E-mail by SMTP; what comes back is read from a Maildir that the mail server delivers to.

use super::{GatewayError, Tariff, dsn};
use async_trait::async_trait;
use domain::entity::Channel;
use domain::money::Currency;
use domain::ports::{Accepted, Messenger, Outgoing, Receipt, SendFault};
use lettre::address::Envelope;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longest wait for one answer of the server.
const ANSWER: Duration = Duration::from_secs(20);
/// Largest mail that is read, bytes: a report may hold the mail it is about.
const MAIL_MAX: u64 = 1_048_576;

/// Words of a server that says without an enhanced code that it does not want us, rather than that there is no
/// such mailbox.
const POLICY: [&str; 6] = ["relay", "prohibit", "policy", "spam", "blocked", "black"];

/// How the connection is kept secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// Not at all: a server on this machine.
    None,
    /// `STARTTLS`, refused without.
    Start,
    /// From the first byte (port 465).
    Wrapped,
}

/// Settings.
#[derive(Clone)]
pub struct SmtpSettings {
    /// Name of the gateway.
    pub name: String,
    /// Server.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Secrecy.
    pub tls: SmtpTls,
    /// User and password, where the server asks for them.
    pub login: Option<(String, String)>,
    /// `Name <address>` that is shown.
    pub from: String,
    /// Address that reports come back to; the Maildir is its.
    pub returns: String,
    /// Maildir of reports and answers.
    pub maildir: Option<PathBuf>,
    /// Most mails a minute.
    pub per_minute: u32,
    /// Cost.
    pub tariff: Tariff,
}

/// The gateway.
pub struct SmtpGateway {
    settings: SmtpSettings,
    from: Mailbox,
    returns: Address,
    mailer: AsyncSmtpTransport<Tokio1Executor>,
    /// Mails told last time: they stay where they are until what they tell is written down.
    told: Mutex<Vec<(PathBuf, Receipt)>>,
}

impl SmtpGateway {
    /// Makes it.
    ///
    /// # Errors
    /// When an address or the server's name cannot be read.
    pub fn new(settings: SmtpSettings) -> Result<Self, GatewayError> {
        let fault = |reason: String| GatewayError::new(&settings.name, reason);
        let from: Mailbox = settings
            .from
            .parse()
            .map_err(|_| fault("from: expected Name <address>".to_owned()))?;
        let returns: Address = settings
            .returns
            .parse()
            .map_err(|_| fault("returns: expected an address".to_owned()))?;
        let tls =
            || TlsParameters::new(settings.host.clone()).map_err(|e| fault(format!("host: {e}")));
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(settings.host.clone())
                .port(settings.port)
                .timeout(Some(ANSWER))
                .tls(match settings.tls {
                    SmtpTls::None => Tls::None,
                    SmtpTls::Start => Tls::Required(tls()?),
                    SmtpTls::Wrapped => Tls::Wrapper(tls()?),
                });
        if let Some((user, password)) = settings.login.clone() {
            builder = builder.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            mailer: builder.build(),
            from,
            returns,
            told: Mutex::new(Vec::new()),
            settings,
        })
    }

    fn mail(&self, message: &Outgoing, name: &str) -> Option<(Envelope, Vec<u8>)> {
        let to: Address = message.to.reveal().parse().ok()?;
        let mail = Message::builder()
            .from(self.from.clone())
            .reply_to(Mailbox::new(None, self.returns.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(message.subject.clone())
            .message_id(Some(format!("<{name}>")))
            .header(ContentType::TEXT_PLAIN)
            .body(message.body.reveal().clone())
            .ok()?;
        let envelope = Envelope::new(Some(self.returns.clone()), vec![to]).ok()?;
        Some((envelope, mail.formatted()))
    }
}

/// The enhanced status code that a refusal begins with (RFC 2034 §4).
fn enhanced(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let number = |p: &str| (1..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_digit());
    let three = word.split('.').count() == 3 && word.split('.').all(number);
    (three && word.starts_with("5.")).then_some(word)
}

/// What a server's final no is about: the code that is kept of it, and whether the address is at fault. A server
/// that refuses us refuses every address.
fn refused(gateway: &str, code: String, text: &str) -> SendFault {
    let (bad_address, policy, code) = match enhanced(text) {
        Some(exact) => (
            dsn::of_address(exact),
            exact.starts_with("5.7."),
            exact.to_owned(),
        ),
        None => {
            let said = text.to_lowercase();
            let policy = POLICY.iter().any(|word| said.contains(word));
            // 550, 551, 553: about the mailbox (RFC 5321 §4.2.3).
            let mailbox = matches!(code.as_str(), "550" | "551" | "553");
            (mailbox && !policy, policy, code)
        }
    };
    if policy {
        tracing::warn!(
            gateway,
            code,
            "the mail server refuses us by its policy: the address is not at fault"
        );
    }
    SendFault::Refused { code, bad_address }
}

/// Why the server did not take it.
fn fault(gateway: &str, error: &lettre::transport::smtp::Error) -> SendFault {
    let code = error.status().map(|c| c.to_string()).unwrap_or_default();
    if error.is_permanent() {
        let text = std::error::Error::source(error).map(ToString::to_string);
        refused(gateway, code, &text.unwrap_or_default())
    } else if error.is_transient() {
        SendFault::Later(format!("code {code}"))
    } else {
        SendFault::Unknown("connection lost".to_owned())
    }
}

/// Why the server is not ready for a mail. A final no before any was told is about us: our name, our password.
fn unready(error: &lettre::transport::smtp::Error) -> SendFault {
    let code = error.status().map(|c| c.to_string()).unwrap_or_default();
    if error.is_permanent() {
        SendFault::Closed(format!("the mail server refuses us: code {code}"))
    } else {
        SendFault::Later("server out of reach".to_owned())
    }
}

/// What was there to read; `None` where nothing is yet, or where another reader of the mailbox was first.
fn there<T>(read: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Mails that wait, the oldest first, with what they tell; those that tell nothing are put away.
fn waiting(folder: &Path, limit: usize) -> std::io::Result<Vec<(PathBuf, Receipt)>> {
    let mut files = Vec::new();
    // Servers make a mailbox with the first mail that they put into it.
    let Some(entries) = there(std::fs::read_dir(folder.join("new")))? else {
        return Ok(Vec::new());
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort();
    files.truncate(limit);
    let mut told = Vec::new();
    let mut silent = Vec::new();
    for file in files {
        let Some(about) = there(std::fs::metadata(&file))? else {
            continue;
        };
        if about.len() > MAIL_MAX {
            tracing::warn!(
                limit_bytes = MAIL_MAX,
                "a mail of the mailbox is too large and is passed over"
            );
            silent.push(file);
            continue;
        }
        match there(std::fs::read(&file))?.map(|mail| dsn::read(&mail)) {
            Some(Some(receipt)) => told.push((file, receipt)),
            Some(None) => silent.push(file),
            None => {}
        }
    }
    put_away(folder, &silent)?;
    Ok(told)
}

/// Moves mails to `cur`, as read.
fn put_away(folder: &Path, files: &[PathBuf]) -> std::io::Result<()> {
    let cur = folder.join("cur");
    std::fs::create_dir_all(&cur)?;
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        there(std::fs::rename(file, cur.join(format!("{name}:2,S"))))?;
    }
    Ok(())
}

#[async_trait]
impl Messenger for SmtpGateway {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    fn per_minute(&self) -> u32 {
        self.settings.per_minute
    }

    fn price(&self) -> (i64, Option<Currency>) {
        let tariff = self.settings.tariff;
        (tariff.cost_micro, tariff.currency)
    }

    async fn send(&self, message: &Outgoing) -> Result<Accepted, SendFault> {
        let name = format!("{}@{}", message.id.0.simple(), self.returns.domain());
        let Some((envelope, mail)) = self.mail(message, &name) else {
            let code = "address".to_owned();
            return Err(SendFault::Refused {
                code,
                bad_address: true,
            });
        };
        // A server that does not answer is told from one that was lost in the middle of a mail.
        match self.mailer.test_connection().await {
            Ok(true) => {}
            Ok(false) => return Err(SendFault::Later("server not ready".to_owned())),
            Err(error) => return Err(unready(&error)),
        }
        self.mailer
            .send_raw(&envelope, &mail)
            .await
            .map_err(|e| fault(&self.settings.name, &e))?;
        Ok(Accepted {
            provider_ref: name,
            cost_micro: self.settings.tariff.cost_micro,
            currency: self.settings.tariff.currency,
        })
    }

    async fn poll(&self, limit: usize) -> Result<Vec<Receipt>, SendFault> {
        let Some(folder) = self.settings.maildir.clone() else {
            return Ok(Vec::new());
        };
        let read = tokio::task::spawn_blocking(move || waiting(&folder, limit));
        let found = read.await.map_err(|e| SendFault::Later(e.to_string()))?;
        let told = found.map_err(|e| SendFault::Later(format!("mailbox: {}", e.kind())))?;
        let receipts = told.iter().map(|(_, receipt)| receipt.clone()).collect();
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = told;
        Ok(receipts)
    }

    async fn put_away(&self, written: &[Receipt]) -> Result<(), SendFault> {
        let Some(folder) = self.settings.maildir.clone() else {
            return Ok(());
        };
        let files: Vec<PathBuf> = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let done = told.extract_if(.., |(_, receipt)| written.contains(receipt));
            done.map(|(file, _)| file).collect()
        };
        let moved = tokio::task::spawn_blocking(move || put_away(&folder, &files));
        let moved = moved.await.map_err(|e| SendFault::Later(e.to_string()))?;
        moved.map_err(|e| SendFault::Later(format!("mailbox: {}", e.kind())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(folder: &Path) -> SmtpGateway {
        SmtpGateway::new(SmtpSettings {
            name: "mail".into(),
            host: "127.0.0.1".into(),
            port: 9,
            tls: SmtpTls::None,
            login: None,
            from: "Acme <cobranza@b.mx>".into(),
            returns: "cobranza@b.mx".into(),
            maildir: Some(folder.into()),
            per_minute: 60,
            tariff: Tariff::default(),
        })
        .unwrap()
    }

    #[test]
    fn a_server_that_refuses_us_is_no_bad_address() {
        for (code, text, kept, bad) in [
            ("550", "no such mailbox", "550", true),
            ("553", "mailbox name not allowed", "553", true),
            ("550", "5.1.1 <ana@b.mx>: user unknown", "5.1.1", true),
            ("550", "5.2.1 mailbox disabled", "5.2.1", true),
            ("553", "5.1.8 sender's domain unknown", "5.1.8", false),
            ("552", "5.2.2 mailbox full", "5.2.2", false),
            ("550", "5.7.1 listed at rbl.example", "5.7.1", false),
            ("554", "5.7.1 relay access denied", "5.7.1", false),
            ("550", "relay not permitted", "550", false),
            ("550", "Administrative prohibition", "550", false),
            ("550", "5.1 is no code", "550", true),
            ("554", "no", "554", false),
        ] {
            let right = SendFault::Refused {
                code: kept.to_owned(),
                bad_address: bad,
            };
            assert_eq!(refused("mail", code.to_owned(), text), right, "{text}");
        }
    }

    #[tokio::test]
    async fn a_mail_is_told_until_it_is_written_down() {
        let folder = tempfile::tempdir().unwrap();
        let gateway = reads(folder.path());
        assert_eq!(gateway.poll(10).await.unwrap(), [], "no mail ever came");
        let fresh = folder.path().join("new");
        std::fs::create_dir_all(&fresh).unwrap();
        for name in ["1", "2"] {
            let mail = format!("From: a@b.mx\r\nMessage-ID: <{name}@b.mx>\r\n\r\nBAJA\r\n");
            std::fs::write(fresh.join(name), mail).unwrap();
        }
        std::fs::write(fresh.join("3"), "noise").unwrap();
        let told = gateway.poll(10).await.unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!(gateway.poll(10).await.unwrap(), told);
        gateway.put_away(&told[..1]).await.unwrap();
        assert_eq!(gateway.poll(10).await.unwrap(), told[1..]);
        gateway.put_away(&told[1..]).await.unwrap();
        assert_eq!(gateway.poll(10).await.unwrap(), []);
        let kept = std::fs::read_dir(folder.path().join("cur")).unwrap();
        assert_eq!(kept.count(), 3);
    }
}
