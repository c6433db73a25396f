//! tokio, with rustls: STLS, then AUTH PLAIN, then every message to standard output.
//!
//! ```text
//! tokio_client HOST:PORT CA.pem USER PASSWORD
//! ```
//!
//! The certificate must stand for HOST. The driver is in `session.rs`; here are arguments and certificates.

mod session;

use std::{error::Error, sync::Arc};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::{TlsConnector, rustls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ca, user, password] = arguments.as_slice() else {
        return Err("usage: tokio_client HOST:PORT CA.pem USER PASSWORD".into());
    };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca)?)?;
    let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    session::fetch(address, TlsConnector::from(Arc::new(tls)), user, password).await
}
