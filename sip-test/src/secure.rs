//! What a carrier needs beyond plain calls: TLS with a certificate of its own, SRTP by SDES on calls
//! that come so (RFC 4568), and who may call at all.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use media::srtp::{Keys, MOST_ADDED, Protect, Suite, Unprotect};
use sip::Proto;
use sip::sdp::{Crypto, CryptoSuite, LocalMedia, MasterKey, Secured};
use sip::ua::{Auth, Secret};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::SipTestError;

/// Where TLS is listened for, and with which certificate.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Address; port 0 takes a free one.
    pub bind: SocketAddr,
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Who signs the certificates that callers must show, PEM; none: they show nothing.
    pub callers: Option<PathBuf>,
}

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    /// [`SipTestError::File`] for what cannot be read or does not fit together.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, SipTestError> {
        // Another part of the process may have installed one: then that one is used.
        let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
        let bad = |path: &Path, why: String| SipTestError::File {
            path: path.to_owned(),
            source: std::io::Error::other(why),
        };
        let read = |path: &Path| -> Result<Vec<CertificateDer<'static>>, SipTestError> {
            let found =
                CertificateDer::pem_file_iter(path).map_err(|e| bad(path, e.to_string()))?;
            let list: Result<Vec<_>, _> = found.collect();
            list.map_err(|e| bad(path, e.to_string()))
        };
        let chain = read(&self.cert)?;
        let key =
            PrivateKeyDer::from_pem_file(&self.key).map_err(|e| bad(&self.key, e.to_string()))?;
        let config = match &self.callers {
            None => ServerConfig::builder().with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(read(path)?);
                let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build();
                let verifier = verifier.map_err(|e| bad(path, e.to_string()))?;
                ServerConfig::builder().with_client_cert_verifier(verifier)
            }
        };
        let config = config
            .with_single_cert(chain, key)
            .map_err(|e| bad(&self.key, e.to_string()))?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Our side of a call that came by `proto`: by TLS SRTP and nothing else.
pub(crate) fn media(address: SocketAddr, session: u64, proto: Proto) -> LocalMedia {
    let mut local = LocalMedia::new(address, session);
    if proto == Proto::Tls {
        let suites = [
            CryptoSuite::AesCm128HmacSha1_80,
            CryptoSuite::AesCm128HmacSha1_32,
        ];
        local.crypto = suites
            .into_iter()
            .zip(1..)
            .map(|(suite, tag)| Crypto {
                tag,
                suite,
                key: MasterKey(std::array::from_fn(|_| rand::random())),
            })
            .collect();
    }
    local
}

/// Digest of one user that callers must show.
pub(crate) fn auth((user, password): (String, String)) -> Auth {
    let accounts = HashMap::from([(user, Secret::Password(password))]);
    Auth {
        realm: "carrier".to_owned(),
        nonce_key: rand::random(),
        algorithms: vec![sip::header::Algorithm::Sha256, sip::header::Algorithm::Md5],
        passwords: Arc::new(accounts),
    }
}

/// SRTP of one leg, both ways.
pub(crate) struct Shield {
    secured: Secured,
    protect: Protect,
    unprotect: Unprotect,
}

impl Shield {
    /// What was agreed; the one in use goes on where nothing changed.
    pub(crate) fn agree(shield: &mut Option<Self>, secured: Option<Secured>) {
        if shield.as_ref().map(|s| s.secured) == secured {
            return;
        }
        *shield = secured.map(|secured| {
            let suite = match secured.suite {
                CryptoSuite::AesCm128HmacSha1_80 => Suite::AesCm128HmacSha1_80,
                CryptoSuite::AesCm128HmacSha1_32 => Suite::AesCm128HmacSha1_32,
            };
            Self {
                protect: Protect::new(suite, &Keys::new(secured.ours.0)),
                unprotect: Unprotect::new(suite, &Keys::new(secured.theirs.0)),
                secured,
            }
        });
    }

    /// Proves and decrypts a packet; its length without protection.
    pub(crate) fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        self.unprotect.rtp(packet).ok()
    }

    /// Protects the first `length` bytes of a buffer that has room for [`MOST_ADDED`] more.
    pub(crate) fn seal(&mut self, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.protect.rtp(buffer, length).ok()
    }
}

/// Room that a packet needs beside its own bytes.
pub(crate) const ADDED: usize = MOST_ADDED;
