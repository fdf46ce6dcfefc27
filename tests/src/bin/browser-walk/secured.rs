//! Services that speak HTTPS by themselves: one with the certificate it makes at its start and a carrier on its line, one
//! with certificate files. Who works there is put in place by the walk (tests/browser/secured.mjs).

use anyhow::Context as _;
use marcador_tests::process::program;
use marcador_tests::rules;
use marcador_tests::service::Service;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Name by which the browser reaches both: unlike an address of loopback, a page there gets a microphone by HTTPS alone.
const NAME: &str = "marcador.example";
/// Header by which the carrier names what a debtor heard.
const ATTEMPT: &str = "X-Marcador-Attempt";

/// The demo's carrier as a process; its end is the end of its input.
struct Carrier {
    child: Child,
    address: String,
}

impl Carrier {
    fn start(dir: &Path) -> anyhow::Result<Self> {
        let people = dir.join("people.json");
        std::fs::write(&people, super::talkers()?)?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let child = Command::new(program()?)
            .args(["carrier", "--child", "--bind", &address, "--profile"])
            .arg(people)
            .arg("--log")
            .arg(dir.join("carrier.jsonl"))
            .arg("--heard")
            .arg(dir.join("heard"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("start the carrier")?;
        Ok(Self { child, address })
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Free for UDP and TCP.
fn free_port() -> anyhow::Result<u16> {
    for _ in 0..50 {
        let udp = UdpSocket::bind("127.0.0.1:0")?;
        let port = udp.local_addr()?.port();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no free port on 127.0.0.1")
}

/// `tls` is what stands behind `tls =`, `trunks` are tables behind the others.
fn service(dir: &Path, tls: &str, trunks: &str) -> anyhow::Result<Service> {
    std::fs::create_dir_all(dir)?;
    rules::open(dir)?;
    let at = dir.display();
    let config = dir.join("marcador.toml");
    let text = format!(
        r#"[http]
bind = "127.0.0.1:0"
tls = {tls}
[database]
url = "sqlite://{at}/marcador.db"
[recordings]
url = "file://{at}/recordings"
key_file = "{at}/recordings.key"
[sip]
bind = ["udp://127.0.0.1:0"]
[media]
webrtc = "0.0.0.0:0"
[law]
packs = "{at}/packs"
[auth]
secret_file = "{at}/marcador.secret"
second_factor = false
{trunks}"#
    );
    std::fs::write(&config, text)?;
    Service::start(dir, &config.display().to_string())
}

/// Certificate files of the name, signed by an authority, and the authority's own certificate.
struct Files {
    tls: String,
    authority: PathBuf,
}

fn files(dir: &Path) -> anyhow::Result<Files> {
    let mut above = CertificateParams::new(Vec::<String>::new())?;
    above.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let called = "Authority of the walk";
    above.distinguished_name.push(DnType::CommonName, called);
    let key = KeyPair::generate()?;
    let authority = dir.join("authority.pem");
    std::fs::write(&authority, above.self_signed(&key)?.pem())?;
    let issuer = Issuer::new(above, key);
    let mut ours = CertificateParams::new(vec![NAME.to_owned()])?;
    ours.distinguished_name.push(DnType::CommonName, NAME);
    let key = KeyPair::generate()?;
    let signed = ours.signed_by(&key, &issuer)?;
    let (cert_file, key_file) = (dir.join("chain.pem"), dir.join("key.pem"));
    std::fs::write(&cert_file, signed.pem())?;
    std::fs::write(&key_file, key.serialize_pem())?;
    let (cert, key) = (cert_file.display(), key_file.display());
    Ok(Files {
        tls: format!(r#"{{ cert = "{cert}", key = "{key}" }}"#),
        authority,
    })
}

/// The walk by HTTPS.
pub(super) fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path();
    let carrier = Carrier::start(dir)?;
    let trunk = format!(
        "[[trunks]]\nname = \"carrier\"\nuri = \"sip:{}\"\nheaders = {{ {ATTEMPT} = \"{{attempt}}\" }}\n",
        carrier.address
    );
    let own = service(&dir.join("own"), "\"self-signed\"", &trunk)?;
    let files = files(dir)?;
    let filed = service(&dir.join("filed"), &files.tls, "")?;
    let mut node = super::walk_at(&own.url, dir, &[super::SECURED.to_owned()]);
    node.env("ADMIN_LOGIN", format!("admin:{}", own.admin_password))
        .env("FILES_URL", &filed.url)
        .env("FILES_LOGIN", format!("admin:{}", filed.admin_password))
        .env("FILES_AUTHORITY", &files.authority)
        .env("SECURED_NAME", NAME)
        .env("PHONE_HEARD", dir.join("heard"))
        // Nobody signed the first one's; whose certificate it is the walk looks at by itself.
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    super::run(node, || {
        let logs = ["own", "filed"].map(|name| dir.join(name).join("serve.log"));
        let texts = logs.map(|log| std::fs::read_to_string(log).unwrap_or_default());
        texts.concat()
    })
}
