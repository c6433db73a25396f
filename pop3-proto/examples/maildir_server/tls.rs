//! TLS around the stream, with rustls.

use crate::session::within;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// When TLS begins.
pub(crate) enum Tls {
    /// Never.
    None,
    /// When the client asks for it (RFC 2595).
    Stls(TlsAcceptor),
    /// At once (RFC 8314 section 3).
    Implicit(TlsAcceptor),
}

/// Reads certificate and key.
pub(crate) fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let in_cert = |error: rustls::pki_types::pem::Error| format!("{}: {error}", cert.display());
    let certs =
        CertificateDer::pem_file_iter(cert).map_err(in_cert)?.collect::<Result<Vec<_>, _>>().map_err(in_cert)?;
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(certs, private_key))
        .map_err(|error| format!("{} and {}: {error}", cert.display(), key.display()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The handshake.
pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    acceptor: &TlsAcceptor,
    stream: S,
    patience: Option<Duration>,
) -> io::Result<TlsStream<S>> {
    let handshake = within(patience, acceptor.accept(stream)).await;
    handshake
        .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))
        .map_err(|error| io::Error::new(error.kind(), format!("the TLS handshake failed: {error}")))
}
