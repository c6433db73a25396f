//! TLS with rustls: whom to trust, and the handshake.

use crate::connection::Line;
use pop3_proto::Peer;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme, StreamOwned};
use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

/// Whose word counts for the server being who it says.
pub(crate) enum Trust {
    /// The system's certification authorities.
    System,
    /// Those of `--ca` alone.
    Authorities(RootCertStore),
    /// Nobody's: `--insecure`.
    Nobody,
}

/// Who we are, to a server that wants to see it in TLS.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// What a handshake needs.
pub(crate) struct Tls {
    name: ServerName<'static>,
    trust: Trust,
    identity: Option<Identity>,
}

impl Trust {
    /// The certificates in a PEM file.
    pub(crate) fn file(file: &Path) -> Result<Self, String> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
        }
        Ok(Self::Authorities(roots))
    }
}

impl Identity {
    /// A certificate, with the chain behind it, and its key.
    pub(crate) fn files(chain: &Path, key: &Path) -> Result<Self, String> {
        let private_key = PrivateKeyDer::from_pem_file(key).map_err(|error| format!("{}: {error}", key.display()))?;
        Ok(Self { chain: certificates(chain)?, key: private_key })
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match found {
        Ok(found) if found.is_empty() => Err(format!("{}: no certificate (PEM) is in it", file.display())),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

impl Tls {
    /// For the server of that name or address; its certificate has to stand for it.
    pub(crate) fn new(host: &str, trust: Trust, identity: Option<Identity>) -> Result<Self, String> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| format!("{host:?} is not a name that a certificate can stand for"))?;
        Ok(Self { name, trust, identity })
    }

    /// The handshake. Whatever comes back has been through it whole: nothing of the session is sent before.
    pub(crate) fn handshake(self, mut socket: TcpStream) -> io::Result<(Line, Peer)> {
        let peer = match self.trust {
            Trust::Nobody => Peer::Unverified,
            Trust::System | Trust::Authorities(_) => Peer::Verified,
        };
        let config = config(self.trust, self.identity).map_err(io::Error::other)?;
        let mut tls = ClientConnection::new(Arc::new(config), self.name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            if tls.complete_io(&mut socket)? == (0, 0) {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok((Line::Tls(Box::new(StreamOwned::new(tls, socket))), peer))
    }
}

fn config(trust: Trust, identity: Option<Identity>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match trust {
        Trust::System => builder.with_root_certificates(system()?),
        Trust::Authorities(roots) => builder.with_root_certificates(roots),
        Trust::Nobody => builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))),
    };
    match identity {
        None => Ok(builder.with_no_client_auth()),
        Some(Identity { chain, key }) => {
            let own = builder.with_client_auth_cert(chain, key);
            own.map_err(|error| format!("the client's certificate and key cannot be used: {error}"))
        }
    }
}

/// Certificates among them that make no sense are left out: they are the system's, and the others do their work.
fn system() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let why = found.errors.first().map_or_else(String::new, |error| format!(" ({error})"));
    Err(format!("no certification authorities are installed here{why}: name one with --ca"))
}

/// Takes every certificate. What is signed in the handshake is checked all the same, so that it is one party on the whole
/// way; who it is, nobody knows.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
