//! E-mail against a real server: Exim takes it, refuses it, and sends reports back into a Maildir.
//! Without `exim4` (or the right to start it) there is nothing to test against; with `MARCADOR_EXIM=1` that is
//! a failure.
#![expect(clippy::expect_used, reason = "a test without its server has failed")]

use domain::entity::{Channel, Language};
use domain::ids::MessageId;
use domain::pii::Pii;
use domain::ports::{Messenger as _, Outgoing, Receipt, ReceiptKind, SendFault};
use domain::time::UtcMs;
use gateways::messages::{SmtpGateway, SmtpSettings, SmtpTls, Tariff};
use std::io::{BufRead as _, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const EXIM: &str = "/usr/sbin/exim4";
const USER: &str = "Debian-exim";

/// A server of its own: what it takes for `cobranza` goes to `mail/ours`, the rest to `mail/theirs`.
struct Server {
    process: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ours alone; it may have ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn settings(folder: &Path, port: u16) -> String {
    let at = folder.display();
    format!(
        "spool_directory = {at}/spool
log_file_path = {at}/log/%slog
pid_file_path = {at}/spool/pid
primary_hostname = mail.example.test
domainlist local_domains = mail.example.test
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts =
deliver_drop_privilege = true
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
bounce_return_body = true
keep_environment =
begin acl
acl_rcpt:
  deny local_parts = nobody
       message = no such mailbox
  deny local_parts = unknown
       message = 5.1.1 no such mailbox
  deny local_parts = listed
       message = 5.7.1 your server is on a list
  deny domains = !+local_domains
       message = relay not permitted
  defer local_parts = busy
       message = try again
  accept
acl_data:
  accept
begin routers
gone:
  driver = redirect
  local_parts = gone
  allow_fail
  data = :fail: no such mailbox
ours:
  driver = accept
  local_parts = cobranza
  domains = +local_domains
  transport = ours
theirs:
  driver = accept
  domains = +local_domains
  transport = theirs
begin transports
ours:
  driver = appendfile
  maildir_format
  directory = {at}/mail/ours
  create_directory
theirs:
  driver = appendfile
  maildir_format
  directory = {at}/mail/theirs
  create_directory
begin retry
* * F,1m,1m
"
    )
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|out| out.stdout.starts_with(b"0\n"))
}

/// Starts a server; `None` where there is none to start.
fn server() -> Option<Server> {
    let must = std::env::var("MARCADOR_EXIM").is_ok_and(|v| v == "1");
    if !Path::new(EXIM).exists() || !is_root() {
        assert!(
            !must,
            "MARCADOR_EXIM=1: expected {EXIM} and the right to start it"
        );
        return None;
    }
    let folder = tempfile::Builder::new()
        .prefix("marcador-smtp-")
        .tempdir_in("/tmp")
        .expect("a folder");
    let at = folder.path();
    for part in ["spool", "log", "mail"] {
        std::fs::create_dir(at.join(part)).expect("a folder");
    }
    let owned = Command::new("chown").args(["-R", USER]).arg(at).status();
    assert!(owned.expect("chown").success());
    std::fs::set_permissions(at, PermissionsExt::from_mode(0o755)).expect("a mode");
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|l| l.local_addr())
        .expect("a port")
        .port();
    // Exim trusts a configuration only when it is the superuser's.
    let file = at.join("exim.conf");
    std::fs::write(&file, settings(at, port)).expect("written");
    let process = Command::new(EXIM)
        .arg("-C")
        .arg(&file)
        .args(["-bdf", "-q1s"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let server = Server {
        process,
        port,
        folder,
    };
    for _ in 0..300 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(server);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("exim does not listen");
}

fn gateway(port: u16, maildir: Option<PathBuf>) -> SmtpGateway {
    SmtpGateway::new(plain(port, maildir)).expect("a gateway")
}

fn plain(port: u16, maildir: Option<PathBuf>) -> SmtpSettings {
    SmtpSettings {
        name: "email".into(),
        host: "127.0.0.1".into(),
        port,
        tls: SmtpTls::None,
        login: None,
        from: "Cobranza <cobranza@mail.example.test>".into(),
        returns: "cobranza@mail.example.test".into(),
        maildir,
        per_minute: 60,
        tariff: Tariff::default(),
    }
}

fn mail(to: &str) -> Outgoing {
    Outgoing {
        id: MessageId(uuid::Uuid::now_v7()),
        channel: Channel::Email,
        to: Pii(to.to_owned()),
        language: Language::Es,
        subject: "Su cuenta vence mañana".into(),
        body: Pii("Hola Ana Núñez:\n.\nPague antes del 30 de noviembre.".into()),
        template: None,
        at: UtcMs(0),
    }
}

/// What the mailbox tells, as soon as it tells anything.
async fn told(gateway: &SmtpGateway) -> Vec<Receipt> {
    for _ in 0..600 {
        let receipts = gateway.poll(10).await.expect("a mailbox");
        if !receipts.is_empty() {
            gateway.put_away(&receipts).await.expect("a mailbox");
            return receipts;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing came back");
}

async fn read_one(folder: &Path) -> String {
    for _ in 0..600 {
        if let Some(Ok(file)) = std::fs::read_dir(folder).ok().and_then(|mut d| d.next()) {
            return std::fs::read_to_string(file.path()).expect("a mail");
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("nothing was delivered");
}

#[tokio::test]
async fn exim_takes_refuses_and_reports() {
    let Some(server) = server() else {
        return;
    };
    let at = server.folder.path();
    let gateway = gateway(server.port, Some(at.join("mail/ours")));
    let sent = mail("ana@mail.example.test");
    let taken = gateway.send(&sent).await.expect("taken");
    assert_eq!(
        taken.provider_ref,
        format!("{}@mail.example.test", sent.id.0.simple())
    );
    let delivered = read_one(&at.join("mail/theirs/new")).await;
    assert!(
        delivered.contains(&format!("<{}>", taken.provider_ref)),
        "{delivered}"
    );
    assert!(
        delivered.contains("Return-path: <cobranza@mail.example.test>")
            || delivered.contains("envelope-from <cobranza@mail.example.test>")
    );
    let parsed = mailparse::parse_mail(delivered.as_bytes()).expect("a mail");
    // The lone dot did not end it, and the accents came through.
    assert_eq!(
        parsed
            .get_body()
            .expect("a text")
            .replace("\r\n", "\n")
            .trim(),
        sent.body.reveal()
    );
    let refused = gateway.send(&mail("nobody@mail.example.test")).await;
    let code = "550".to_owned();
    assert_eq!(
        refused,
        Err(SendFault::Refused {
            code,
            bad_address: true
        })
    );
    refuses_the_sender(&gateway).await;
    let busy = gateway.send(&mail("busy@mail.example.test")).await;
    assert_eq!(busy, Err(SendFault::Later("code 451".to_owned())));
    let broken = gateway.send(&mail("not an address")).await;
    assert!(
        matches!(
            broken,
            Err(SendFault::Refused {
                bad_address: true,
                ..
            })
        ),
        "{broken:?}"
    );
    comes_back(&gateway).await;
}

/// A server that refuses us says nothing of the address, which stays a good one.
async fn refuses_the_sender(gateway: &SmtpGateway) {
    for (to, kept, bad_address) in [
        ("unknown@mail.example.test", "5.1.1", true),
        ("listed@mail.example.test", "5.7.1", false),
        ("ana@elsewhere.example.test", "550", false),
    ] {
        let refused = gateway.send(&mail(to)).await;
        let code = kept.to_owned();
        assert_eq!(refused, Err(SendFault::Refused { code, bad_address }));
    }
}

async fn comes_back(gateway: &SmtpGateway) {
    // Taken first, given back later: a report by RFC 3464, told once it was read and no more.
    let lost = gateway
        .send(&mail("gone@mail.example.test"))
        .await
        .expect("taken");
    let receipts = told(gateway).await;
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0].provider_ref, lost.provider_ref);
    let own = receipts[0].own.expect("our own name of the mail");
    assert!(lost.provider_ref.starts_with(&own.0.simple().to_string()));
    let failed =
        matches!(&receipts[0].kind, ReceiptKind::Failed { code, .. } if code.starts_with("5."));
    assert!(failed, "{:?}", receipts[0].kind);
    assert_eq!(gateway.poll(10).await.expect("a mailbox"), []);
    // A debtor answers by his own mail program.
    let answer = Outgoing {
        subject: "Re: Su cuenta vence mañana".into(),
        ..mail("cobranza@mail.example.test")
    };
    gateway.send(&answer).await.expect("taken");
    let receipts = told(gateway).await;
    let ReceiptKind::Reply { from, text, .. } = &receipts[0].kind else {
        panic!("an answer: {receipts:?}");
    };
    assert_eq!(from.reveal(), "cobranza@mail.example.test");
    assert!(text.reveal().starts_with("Hola Ana Núñez:"));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let gateway = gateway(free.expect("a port").port(), None);
    let away = gateway.send(&mail("ana@mail.example.test")).await;
    assert!(matches!(away, Err(SendFault::Later(_))), "{away:?}");
    assert_eq!(gateway.poll(10).await.expect("no mailbox"), []);
}

/// A server that knows no name and password.
fn without_login() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(mut answers) = stream.try_clone() else {
                continue;
            };
            let mut say = |text: &str| answers.write_all(text.as_bytes()).is_ok();
            say("220 mail.example.test\r\n");
            for line in std::io::BufReader::new(stream).lines() {
                let goes_on = match line.unwrap_or_default().split_whitespace().next() {
                    Some("EHLO") => say("250-mail.example.test\r\n250 AUTH PLAIN LOGIN\r\n"),
                    Some("AUTH") => say("535 5.7.8 authentication failed\r\n"),
                    Some("QUIT") | None => false,
                    Some(_) => say("250 OK\r\n"),
                };
                if !goes_on {
                    break;
                }
            }
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_refuses_our_password_takes_nothing_of_us() {
    let mut settings = plain(without_login(), None);
    settings.login = Some(("cobranza".into(), "old".into()));
    let gateway = SmtpGateway::new(settings).expect("a gateway");
    let refused = gateway.send(&mail("ana@mail.example.test")).await;
    assert!(matches!(refused, Err(SendFault::Closed(_))), "{refused:?}");
}
