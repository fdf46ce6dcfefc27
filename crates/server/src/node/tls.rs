//! HTTPS of the screens: certificate, and a listener whose handshakes hold nobody up.

use super::door::Room;
use crate::config::{Http, Tls};
use anyhow::Context as _;
use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

/// Longest handshake (`faults.md` §3).
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes at once; further connections are closed.
const HANDSHAKES: usize = 512;
/// Handshakes at once of one address.
const HANDSHAKES_PER_SOURCE: usize = 64;
/// Connections that wait to be served.
const READY: usize = 64;
/// Pause after the system gave no connection (too many open files).
const BREATH: Duration = Duration::from_millis(100);

/// A certificate chain and its key.
type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The server's side of TLS; `None` for plain HTTP.
///
/// # Errors
/// A file that cannot be read or is no certificate or key, each named; a pair that does not fit.
pub(super) fn configure(http: &Http) -> anyhow::Result<Option<Arc<ServerConfig>>> {
    if !http.tls.is_on() {
        return Ok(None);
    }
    voice::install_provider();
    let (chain, key) = match &http.tls {
        Tls::Files(files) => {
            let chain = CertificateDer::pem_file_iter(&files.cert)
                .and_then(Iterator::collect::<Result<Vec<_>, _>>)
                .with_context(|| format!("[http] tls cert {}", files.cert))?;
            anyhow::ensure!(
                !chain.is_empty(),
                "[http] tls cert {}: no certificate in it",
                files.cert
            );
            let key = PrivateKeyDer::from_pem_file(&files.key)
                .with_context(|| format!("[http] tls key {}", files.key))?;
            (chain, key)
        }
        Tls::Word(_) => own(&http.bind)?,
    };
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("[http] tls: certificate and key")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// A certificate for a trial: valid for this machine's names, trusted by nobody.
fn own(bind: &str) -> anyhow::Result<Pair> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let host = bind.rsplit_once(':').map_or(bind, |(host, _)| host);
    let host = host.trim_matches(['[', ']']);
    if !names.iter().any(|n| n == host) && !matches!(host, "0.0.0.0" | "::" | "") {
        names.push(host.to_owned());
    }
    let made = rcgen::generate_simple_self_signed(names).context("[http] tls: own certificate")?;
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}

/// Connections whose handshake is done.
pub(super) struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
    /// Ends with the listener.
    _door: tokio::task::JoinSet<()>,
}

impl TlsListener {
    /// Shakes hands at `listener`.
    ///
    /// # Errors
    /// When the listener has no address.
    pub(super) fn new(listener: TcpListener, config: Arc<ServerConfig>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(READY);
        let mut door = tokio::task::JoinSet::new();
        door.spawn(open(listener, TlsAcceptor::from(config), done));
        Ok(Self {
            ready,
            address,
            _door: door,
        })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

async fn open(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let waiting = Room::new(HANDSHAKES, HANDSHAKES_PER_SOURCE, &[]);
    let mut handshakes = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = handshakes.join_next() => continue,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "no connection could be taken");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let Some(guest) = waiting.enter(from.ip()) else {
            continue;
        };
        let (acceptor, done) = (acceptor.clone(), done.clone());
        handshakes.spawn(async move {
            // A card may not wait for the acknowledgement of the frame before it.
            let _ = stream.set_nodelay(true);
            let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
            drop(guest);
            if let Ok(Ok(stream)) = shaken {
                let _ = done.send((stream, from)).await;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TlsFiles;
    use axum::extract::ConnectInfo;

    fn http(tls: Tls) -> Http {
        let mut http = crate::config::default_config().expect("default").http;
        http.tls = tls;
        http
    }

    #[test]
    fn certificates_of_all_kinds() {
        assert!(configure(&http(Tls::off())).expect("off").is_none());
        let own = http(Tls::Word("self-signed".into()));
        assert!(configure(&own).expect("own").is_some());
        let dir = tempfile::tempdir().expect("folder");
        let made = rcgen::generate_simple_self_signed(vec!["x".into()]).expect("made");
        let (cert, key) = (dir.path().join("c.pem"), dir.path().join("k.pem"));
        std::fs::write(&cert, made.cert.pem()).expect("written");
        std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
        let files = |cert: &std::path::Path, key: &std::path::Path| {
            http(Tls::Files(TlsFiles {
                cert: cert.display().to_string(),
                key: key.display().to_string(),
            }))
        };
        assert!(configure(&files(&cert, &key)).expect("files").is_some());
        for (cert, key, named) in [
            (&key, &key, "no certificate"),
            (&cert, &cert, "tls key"),
            (&dir.path().join("none.pem"), &key, "none.pem"),
        ] {
            let error = format!("{:#}", configure(&files(cert, key)).expect_err("fault"));
            assert!(error.contains(named), "{error}");
        }
    }

    /// A client that trusts one certificate.
    fn trusting(der: &CertificateDer<'static>) -> tokio_rustls::TlsConnector {
        let mut roots = tokio_rustls::rustls::RootCertStore::empty();
        roots.add(der.clone()).expect("a certificate");
        let config = tokio_rustls::rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        tokio_rustls::TlsConnector::from(Arc::new(config))
    }

    #[tokio::test]
    async fn a_page_is_served_while_others_never_finish_their_handshake() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        voice::install_provider();
        let (chain, key) = own("127.0.0.1:0").expect("own");
        let client = trusting(&chain[0]);
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("fits");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let listener = TlsListener::new(listener, Arc::new(config)).expect("address");
        let address = listener.local_addr().expect("address");
        let app = axum::Router::new().route(
            "/",
            axum::routing::get(|ConnectInfo(from): ConnectInfo<SocketAddr>| async move {
                from.ip().to_string()
            }),
        );
        let (_stop, stopped) = tokio::sync::oneshot::channel();
        let serving = tokio::spawn(super::super::door::serve(
            listener,
            app,
            Vec::new(),
            stopped,
        ));
        let mut silent = Vec::new();
        for _ in 0..HANDSHAKES_PER_SOURCE - 1 {
            silent.push(TcpStream::connect(address).await.expect("connects"));
        }
        let stream = TcpStream::connect(address).await.expect("connects");
        let name = "127.0.0.1".try_into().expect("a name");
        let mut tls = client.connect(name, stream).await.expect("trusted");
        tls.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .expect("asks");
        let mut page = String::new();
        tls.read_to_string(&mut page).await.expect("answers");
        assert!(
            page.starts_with("HTTP/1.1 200") && page.ends_with("127.0.0.1"),
            "{page}"
        );
        // Every place of the address is taken: one more is closed.
        silent.push(TcpStream::connect(address).await.expect("connects"));
        let mut last = TcpStream::connect(address).await.expect("connects");
        let mut octet = [0; 1];
        assert_eq!(last.read(&mut octet).await.unwrap_or(0), 0);
        serving.abort();
    }
}
