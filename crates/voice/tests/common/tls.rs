//! Certificates, and a client that trusts one.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use voice::TlsFiles;

/// Certificate and key for `name`, signed by themselves.
pub fn certificate(folder: &Path, name: &str) -> TlsFiles {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("certificate");
    let files = TlsFiles {
        cert: folder.join(format!("{name}.pem")),
        key: folder.join(format!("{name}.key")),
    };
    std::fs::write(&files.cert, made.cert.pem()).expect("writes");
    std::fs::write(&files.key, made.signing_key.serialize_pem()).expect("writes");
    files
}

/// A connection to whoever has that certificate of that name.
pub async fn shake(to: SocketAddr, files: &TlsFiles, name: &'static str) -> TlsStream<TcpStream> {
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from_pem_file(&files.cert).expect("a certificate");
    roots.add(own).expect("a root");
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).expect("a name");
    let stream = TcpStream::connect(to).await.expect("connects");
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream);
    shaken.await.expect("shakes hands")
}
