//! Which certificates are good.

use pop3_proto::Peer;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;

/// How to do a handshake, and what a handshake that succeeds says of the server.
pub(crate) struct Tls {
    pub(crate) connector: TlsConnector,
    pub(crate) peer: Peer,
}

pub(crate) fn connector(ca: Option<&Path>, insecure: bool) -> Result<Tls, Box<dyn Error>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let (config, peer) = if insecure {
        let anybody = Arc::new(Anybody { provider });
        let config = builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth();
        (config, Peer::Unverified)
    } else {
        (builder.with_root_certificates(roots(ca)?).with_no_client_auth(), Peer::Verified)
    };
    Ok(Tls { connector: TlsConnector::from(Arc::new(config)), peer })
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, Box<dyn Error>> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(file) => {
            let named = |error: &dyn Error| format!("{}: {error}", file.display());
            for certificate in CertificateDer::pem_file_iter(file).map_err(|error| named(&error))? {
                roots.add(certificate.map_err(|error| named(&error))?).map_err(|error| named(&error))?;
            }
            if roots.is_empty() {
                return Err(format!("{} holds no certificate", file.display()).into());
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("this system has no certificates to trust: see --ca".into());
            }
        }
    }
    Ok(roots)
}

/// Takes every certificate, as long as the server has the key to it.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
