//! TLS on both sides of the wire, and the certificate that is made for a run.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme,
};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// What one side needs for a handshake.
#[derive(Clone, Debug)]
pub enum Side {
    /// It connects to a server of that name.
    Client(Arc<ClientConfig>, ServerName<'static>),
    /// It is the server.
    Server(Arc<ServerConfig>),
}

impl Side {
    /// A connection before its handshake.
    ///
    /// # Errors
    ///
    /// rustls's words.
    pub fn connection(&self) -> Result<Connection, String> {
        match self {
            Self::Client(config, name) => ClientConnection::new(Arc::clone(config), name.clone())
                .map(Connection::from)
                .map_err(|error| error.to_string()),
            Self::Server(config) => {
                ServerConnection::new(Arc::clone(config)).map(Connection::from).map_err(|error| error.to_string())
            }
        }
    }
}

/// A certificate for localhost and 127.0.0.1, made at run time and gone with the process.
#[derive(Debug)]
pub struct Generated {
    /// The certificate of the authority that has signed it, in PEM.
    pub ca: String,
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Generated {
    /// The certificate of this process.
    ///
    /// # Panics
    ///
    /// If the machine has no random numbers.
    pub fn get() -> &'static Self {
        static ONCE: OnceLock<Generated> = OnceLock::new();
        ONCE.get_or_init(|| Self::new().expect("a certificate can be made"))
    }

    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let mut params = rcgen::CertificateParams::new(Vec::new())?;
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "pop3-conformance");
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign, rcgen::KeyUsagePurpose::DigitalSignature];
        let key = rcgen::KeyPair::generate()?;
        let authority = params.self_signed(&key)?;
        let issuer = rcgen::Issuer::new(params, key);
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        params.distinguished_name.push(rcgen::DnType::CommonName, "localhost");
        let key = rcgen::KeyPair::generate()?;
        let own = params.signed_by(&key, &issuer)?;

        let private = PrivateKeyDer::try_from(key.serialize_der())?;
        let server = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], private)?;
        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        let client = trusting(roots)?;
        Ok(Self { ca: authority.pem(), server: Arc::new(server), client })
    }

    /// The server's side.
    #[must_use]
    pub fn server(&self) -> Side {
        Side::Server(Arc::clone(&self.server))
    }

    /// The client's side, which trusts this certificate.
    #[must_use]
    pub fn client(&self) -> Side {
        let name = ServerName::try_from("localhost").unwrap_or_else(|_| unreachable!("localhost is a name"));
        Side::Client(Arc::clone(&self.client), name)
    }
}

/// Which certificates of a live server are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those that the system trusts.
    System,
    /// Those signed by the authorities in this file.
    File(std::path::PathBuf),
    /// Any.
    Anything,
}

/// The client's side towards a live server.
///
/// # Errors
///
/// What is wrong with the file, the name, or the system's certificates.
pub fn towards(host: &str, trust: &Trust) -> Result<Side, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no host's name"))?;
    let config = match trust {
        Trust::Anything => {
            let config = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(TakeAnything(provider())))
                .with_no_client_auth();
            Arc::new(config)
        }
        Trust::File(path) => {
            let (certificates, roots) = in_file(path)?;
            let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .map_err(|error| error.to_string())?;
            let config = ClientConfig::builder_with_provider(provider())
                .with_safe_default_protocol_versions()
                .map_err(|error| error.to_string())?
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(InFile { certificates, inner }))
                .with_no_client_auth();
            Arc::new(config)
        }
        Trust::System => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("the system has no trusted certificates: give --ca FILE or --insecure".to_owned());
            }
            trusting(roots).map_err(|error| error.to_string())?
        }
    };
    Ok(Side::Client(config, name))
}

fn in_file(path: &Path) -> Result<(Vec<CertificateDer<'static>>, RootCertStore), String> {
    let wrong = |error: String| format!("{}: {error}", path.display());
    let (mut certificates, mut roots) = (Vec::new(), RootCertStore::empty());
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(error.to_string()))? {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate.clone()).map_err(|error| wrong(error.to_string()))?;
        certificates.push(certificate);
    }
    if certificates.is_empty() { Err(wrong("it holds no certificate".to_owned())) } else { Ok((certificates, roots)) }
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// `--insecure`: what the server says is taken, whoever it is.
#[derive(Debug)]
struct TakeAnything(Arc<CryptoProvider>);

impl ServerCertVerifier for TakeAnything {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// `--ca FILE`: what the authorities in the file have signed, and a certificate that stands in the file itself, as the
/// certificates do that people sign themselves.
#[derive(Debug)]
struct InFile {
    certificates: Vec<CertificateDer<'static>>,
    inner: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for InFile {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.certificates.iter().any(|known| known == end_entity) {
            return Ok(ServerCertVerified::assertion());
        }
        self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
