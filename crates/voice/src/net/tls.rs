//! SIP inside TLS: our certificate for those who come, a check of theirs for those we go to.

use crate::VoiceError;
use crate::config::{TlsFiles, TlsTrust};
use crate::limits;
use sip::{ConnId, Target};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, TlsStream};

/// Whose certificate is expected at an address.
#[derive(Clone)]
pub(crate) struct Expected {
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

/// Both sides of TLS.
#[derive(Default)]
pub(super) struct Tls {
    acceptor: Option<TlsAcceptor>,
    peers: RwLock<Peers>,
}

/// Whose certificate is expected, and which of ours is shown.
#[derive(Default)]
pub(crate) struct Peers {
    /// On the line of a trunk to one of its addresses.
    pub(crate) lines: HashMap<ConnId, Expected>,
    /// At an address, for what is sent on no line.
    pub(crate) addrs: HashMap<SocketAddr, Expected>,
}

fn bad(what: &str, path: &Path, reason: impl std::fmt::Display) -> VoiceError {
    VoiceError::config(what, format!("{}: {reason}", path.display()))
}

fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, VoiceError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|e| bad(what, path, e))?;
    let list: Result<Vec<_>, _> = read.collect();
    let list = list.map_err(|e| bad(what, path, e))?;
    if list.is_empty() {
        return Err(bad(what, path, "no certificate in it"));
    }
    Ok(list)
}

/// A certificate of ours with its key.
fn own(
    cert: &str,
    key: &str,
    files: &TlsFiles,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), VoiceError> {
    let chain = certificates(cert, &files.cert)?;
    let secret = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| bad(key, &files.key, e))?;
    Ok((chain, secret))
}

impl Tls {
    /// With our certificate, where `tls://` is listened on.
    pub(super) fn open(files: Option<&TlsFiles>) -> Result<Self, VoiceError> {
        crate::crypto::install_provider();
        let Some(files) = files else {
            return Ok(Self::default());
        };
        let (chain, key) = own("sip.tls_cert", "sip.tls_key", files)?;
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| bad("sip.tls_key", &files.key, e))?;
        Ok(Self {
            acceptor: Some(TlsAcceptor::from(Arc::new(config))),
            ..Self::default()
        })
    }

    /// Replaces whose certificate is expected where.
    pub(super) fn expect(&self, peers: Peers) {
        *self.peers.write().unwrap_or_else(PoisonError::into_inner) = peers;
    }

    /// Whether somebody's certificate is expected there.
    pub(super) fn expects(&self, to: &Target) -> bool {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        let line = to.conn.is_some_and(|line| peers.lines.contains_key(&line));
        line || peers.addrs.contains_key(&to.dest)
    }

    /// The handshake of a connection that came in.
    pub(super) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let acceptor = self.acceptor.clone()?;
        let shaken = tokio::time::timeout(limits::TLS_HANDSHAKE, acceptor.accept(stream));
        shaken.await.ok()?.ok().map(TlsStream::Server)
    }

    /// The handshake of one we opened. Where no name is expected none is made: a certificate that
    /// nobody checks would be worth nothing.
    pub(super) async fn connect(
        &self,
        (to, line): (SocketAddr, ConnId),
        stream: TcpStream,
    ) -> Option<TlsStream<TcpStream>> {
        let expected = {
            let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
            let by_line = peers.lines.get(&line);
            by_line.or_else(|| peers.addrs.get(&to)).cloned()?
        };
        let connector = TlsConnector::from(expected.config);
        let shaken = connector.connect(expected.name, stream);
        match tokio::time::timeout(limits::TLS_HANDSHAKE, shaken).await {
            Ok(Ok(stream)) => Some(TlsStream::Client(stream)),
            Ok(Err(error)) => {
                tracing::warn!(%to, %error, "a trunk's TLS handshake failed");
                None
            }
            Err(_) => None,
        }
    }
}

/// What a trunk's certificate must show: its name, signed by an authority of its own file or of the
/// system.
///
/// # Errors
/// A file cannot be read, no authority is known, or the name is none.
pub(crate) fn expected(host: &str, trust: &TlsTrust) -> Result<Expected, VoiceError> {
    crate::crypto::install_provider();
    let mut roots = RootCertStore::empty();
    match &trust.ca_file {
        Some(path) => {
            for certificate in certificates("tls_ca_file", path)? {
                roots
                    .add(certificate)
                    .map_err(|e| bad("tls_ca_file", path, e))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(found.certs);
        }
    }
    if roots.is_empty() {
        let what = "the system has no certificate authorities; name a file";
        return Err(VoiceError::config("tls_ca_file", what));
    }
    let name = trust.name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name)
        .map_err(|_| VoiceError::config("tls_name", "expected a host name or an IP address"))?;
    let config = ClientConfig::builder().with_root_certificates(roots);
    let config = match &trust.own {
        None => config.with_no_client_auth(),
        Some(files) => {
            let (chain, key) = own("tls_cert_file", "tls_key_file", files)?;
            config
                .with_client_auth_cert(chain, key)
                .map_err(|e| bad("tls_key_file", &files.key, e))?
        }
    };
    Ok(Expected {
        name,
        config: Arc::new(config),
    })
}
