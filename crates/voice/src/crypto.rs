//! The one cryptographic library of the process.

use tokio_rustls::rustls::crypto::aws_lc_rs;

/// Makes aws-lc-rs the library of every TLS connection of the process. Two of them would make the
/// first handshake panic, so whoever opens TLS calls this first; a second call changes nothing.
pub fn install_provider() {
    // An error only says that it is there already.
    let _ = aws_lc_rs::default_provider().install_default();
}
