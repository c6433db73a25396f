//! tokio, with rustls: a server with STLS and AUTH PLAIN, one task for each connection, over two messages in memory.
//!
//! ```text
//! tokio_server 127.0.0.1:0 [CERT.pem KEY.pem]     without a certificate it takes logins in the clear
//! ```
//!
//! The driver is in `session.rs`; here are arguments, certificates and the listener. The user is mrose, the password
//! tanstaaf.

mod session;

use pop3_proto::{Builtin, Config};
use std::{error::Error, sync::Arc};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{TlsAcceptor, rustls};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (config, tls) = match arguments.as_slice() {
        [_, cert, key] => {
            let (cert, key) = (CertificateDer::from_pem_file(cert)?, PrivateKeyDer::from_pem_file(key)?);
            let tls = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert], key)?;
            (Config::new().with_stls(), Some(TlsAcceptor::from(Arc::new(tls))))
        }
        [_] => (Config::new().allow_cleartext_login(), None),
        _ => return Err("usage: tokio_server HOST:PORT [CERT.pem KEY.pem]".into()),
    };
    let config = Arc::new(config.builtin_mechanisms([Builtin::Plain]));
    let listener = tokio::net::TcpListener::bind(&arguments[0]).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let session = session::serve(Box::new(socket), Arc::clone(&config), tls.clone());
        tokio::spawn(async move {
            if let Err(error) = session.await {
                eprintln!("a session ended early: {error}");
            }
        });
    }
}
