//! A maildrop behind TLS: `maildir_server` with a certificate, and a line to it, read by rustls and nothing of the crate's.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::maildir::Maildir;
use super::peers::MaildirServer;

/// A maildrop, and an authority that says who the server is: `localhost` and 127.0.0.1.
pub(crate) struct Room {
    pub(crate) maildir: Maildir,
    authority: CertificateDer<'static>,
}

impl Room {
    pub(crate) fn new(maildir: Maildir) -> Self {
        // As strict as the strictest reader of certificates wants it: an authority and its certificate are two, and name each
        // other's keys.
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "authority of a test");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority_key = KeyPair::generate().unwrap();
        let authority_cert = authority.self_signed(&authority_key).unwrap();

        let mut server = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        server.use_authority_key_identifier_extension = true;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().unwrap();
        let cert = server.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();

        let room = Self { maildir, authority: authority_cert.der().clone() };
        fs::write(room.file("authority.pem"), authority_cert.pem()).unwrap();
        fs::write(room.file("cert.pem"), cert.pem()).unwrap();
        fs::write(room.file("key.pem"), key.serialize_pem()).unwrap();
        room
    }

    /// For clients: `authority.pem` is what they trust.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.maildir.room().join(name)
    }

    /// STLS, unless `--implicit-tls` is among the options.
    pub(crate) fn serve(&self, options: &[&str]) -> MaildirServer {
        let (cert, key) = (self.file("cert.pem"), self.file("key.pem"));
        let tls = ["--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
        MaildirServer::start_with(&self.maildir, &[options, &tls].concat())
    }

    pub(crate) fn handshake(&self, clear: BufReader<TcpStream>) -> io::Result<BufReader<Tls>> {
        assert!(clear.buffer().is_empty(), "octets in front of the handshake");
        let mut connection = self.client();
        let mut stream = clear.into_inner();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(BufReader::new(Tls(StreamOwned::new(connection, stream))))
    }

    /// The client's side of a handshake.
    pub(crate) fn client(&self) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap()
    }

    /// A line on which STLS is done, at its first octet behind the handshake.
    #[track_caller]
    pub(crate) fn behind_stls(&self, server: SocketAddr) -> BufReader<Tls> {
        let mut clear = connect(server);
        assert!(status(&mut clear).starts_with("+OK"));
        clear.write_all(b"STLS\r\n").unwrap();
        assert_eq!(status(&mut clear), "+OK begin TLS negotiation\r\n");
        self.handshake(clear).unwrap()
    }
}

pub(crate) struct Tls(StreamOwned<ClientConnection, TcpStream>);

impl Read for Tls {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

/// So that what is read may be buffered, and what is written not.
pub(crate) trait Line: BufRead {
    fn write_all(&mut self, octets: &[u8]) -> io::Result<()>;
}

impl Line for BufReader<Tls> {
    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.get_mut().0.write_all(octets)
    }
}

impl Line for BufReader<TcpStream> {
    fn write_all(&mut self, octets: &[u8]) -> io::Result<()> {
        self.get_mut().write_all(octets)
    }
}

pub(crate) fn connect(address: SocketAddr) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::new(stream)
}

#[track_caller]
pub(crate) fn status(line: &mut impl Line) -> String {
    let mut status = String::new();
    line.read_line(&mut status).unwrap();
    status
}

#[track_caller]
pub(crate) fn ask(line: &mut impl Line, command: &str) -> String {
    line.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    status(line).trim_end_matches("\r\n").to_owned()
}

#[track_caller]
pub(crate) fn capabilities(line: &mut impl Line) -> Vec<String> {
    line.write_all(b"CAPA\r\n").unwrap();
    assert_eq!(status(line), "+OK capability list follows\r\n");
    let rows = std::iter::repeat_with(|| status(line)).take_while(|row| row != ".\r\n");
    rows.map(|row| row.trim_end().to_owned()).collect()
}

/// What comes until the server closes the connection, which it does with TLS's own word for the end (close_notify): rustls
/// reports an error otherwise.
#[track_caller]
pub(crate) fn rest(line: &mut impl Line) -> String {
    let mut rest = String::new();
    line.read_to_string(&mut rest).unwrap();
    rest
}
