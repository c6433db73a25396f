//! TLS on both sides of the wire, and the certificate that is made for a run.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, Connection, DigitallySignedStruct, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
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

/// A client's certificate with its key: it stands for the user (SASL EXTERNAL, RFC 8314 §4.2), and is shown to a server that
/// asks for one.
#[derive(Debug)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// What is in two files, in PEM: the certificate, with what leads from it to an authority behind it, and the key.
    ///
    /// # Errors
    ///
    /// What is wrong with which file.
    pub fn in_files(certificate: &Path, key: &Path) -> Result<Self, String> {
        let wrong = |path: &Path, error: String| format!("{}: {error}", path.display());
        let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(certificate, error.to_string()))?;
        if chain.is_empty() {
            return Err(wrong(certificate, "it holds no certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, error.to_string()))?;
        Ok(Self { chain, key })
    }
}

/// Certificates made at run time and gone with the process: one for localhost and 127.0.0.1, and a client's.
#[derive(Debug)]
pub struct Generated {
    /// The certificate of the authority that has signed them, in PEM.
    pub ca: String,
    /// The client's certificate, in PEM.
    pub certificate: String,
    /// Its key, in PEM.
    pub key: String,
    server: Arc<ServerConfig>,
    asking: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
    certified: Arc<ClientConfig>,
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

        let mut params = rcgen::CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(rcgen::DnType::CommonName, super::house::account().user);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        let users = rcgen::KeyPair::generate()?;
        let certificate = params.signed_by(&users, &issuer)?;

        let mut roots = RootCertStore::empty();
        roots.add(authority.der().clone())?;
        let roots = Arc::new(roots);
        let asks = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider()).build()?;
        let server = || ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let private = || PrivateKeyDer::try_from(key.serialize_der());
        let chain = vec![own.der().clone()];
        let identity =
            Identity { chain: vec![certificate.der().clone()], key: PrivateKeyDer::try_from(users.serialize_der())? };
        Ok(Self {
            ca: authority.pem(),
            certificate: certificate.pem(),
            key: users.serialize_pem(),
            server: Arc::new(server()?.with_no_client_auth().with_single_cert(chain.clone(), private()?)?),
            asking: Arc::new(server()?.with_client_cert_verifier(asks).with_single_cert(chain, private()?)?),
            client: Arc::new(client_builder()?.with_root_certificates(Arc::clone(&roots)).with_no_client_auth()),
            certified: Arc::new(showing(client_builder()?.with_root_certificates(roots), Some(&identity))?),
        })
    }

    /// Our own server's side and our own client's; with a certificate of the client's, or without.
    pub(super) fn sides(&self, certificate: bool) -> (Side, Side) {
        if !certificate {
            return (self.server(), self.client());
        }
        let Side::Client(_, name) = self.client() else { unreachable!("it is the client's side") };
        (self.asking(), Side::Client(Arc::clone(&self.certified), name))
    }

    /// The server's side, which asks for a certificate of the client's that the authority has signed, and takes nobody else.
    #[must_use]
    pub fn asking(&self) -> Side {
        Side::Server(Arc::clone(&self.asking))
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

fn client_builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, rustls::Error> {
    ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()
}

/// The settings of a client that shows this certificate where it is asked for one.
fn showing(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    identity: Option<&Identity>,
) -> Result<ClientConfig, rustls::Error> {
    match identity {
        Some(Identity { chain, key }) => builder.with_client_auth_cert(chain.clone(), key.clone_key()),
        None => Ok(builder.with_no_client_auth()),
    }
}

/// The client's side towards a live server.
///
/// # Errors
///
/// What is wrong with the file, the name, or the system's certificates.
pub fn towards(host: &str, trust: &Trust, identity: Option<&Identity>) -> Result<Side, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no host's name"))?;
    let builder = client_builder().map_err(|error| error.to_string())?;
    let builder = match trust {
        Trust::Anything => builder.dangerous().with_custom_certificate_verifier(Arc::new(Told { known: None })),
        Trust::File(path) => {
            let (certificates, roots) = in_file(path)?;
            let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
                .build()
                .map_err(|error| error.to_string())?;
            builder.dangerous().with_custom_certificate_verifier(Arc::new(Told { known: Some((certificates, inner)) }))
        }
        Trust::System => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err("the system has no trusted certificates: give --ca FILE or --insecure".to_owned());
            }
            builder.with_root_certificates(roots)
        }
    };
    let config = showing(builder, identity).map_err(|error| format!("the client's certificate: {error}"))?;
    Ok(Side::Client(Arc::new(config), name))
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

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Takes a server as the run says. `--insecure`: whoever it is. `--ca FILE`: what the authorities in the file have signed,
/// and a certificate that stands in the file itself, as the certificates do that people sign themselves.
#[derive(Debug)]
struct Told {
    known: Option<(Vec<CertificateDer<'static>>, Arc<WebPkiServerVerifier>)>,
}

impl ServerCertVerifier for Told {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.known {
            Some((certificates, inner)) if !certificates.iter().any(|known| known == end_entity) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
