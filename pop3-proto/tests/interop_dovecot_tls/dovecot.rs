//! Dovecot with a certificate, and with whatever else its configuration is told.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::support::naive::Naive;
use crate::support::peers::{self, USER};
use crate::support::tls::Room;

/// It ends by itself after this time, should the test be killed before it can end it.
const SECONDS: &str = "300";

pub(crate) struct Dovecot {
    /// Where STLS is.
    pub(crate) stls: SocketAddr,
    /// Where TLS begins with the first octet.
    pub(crate) tls: SocketAddr,
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Dovecot {
    /// With these mechanisms, and more lines for its configuration.
    pub(crate) fn start(room: &Room, mechanisms: &str, settings: &[String]) -> Self {
        // Between finding free ports and Dovecot's binding them, somebody else may take one: then with others.
        (0..5).find_map(|_| Self::try_start(room, mechanisms, settings)).expect("Dovecot does not start; see above")
    }

    fn try_start(room: &Room, mechanisms: &str, settings: &[String]) -> Option<Self> {
        let free = [(); 2].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [stls, tls] = free.map(|listener| listener.local_addr().unwrap());
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/peers/dovecot.sh"));
        command.args(["--user", USER, "--for", SECONDS, "--mechanisms", mechanisms]);
        command.args(["--port", &stls.port().to_string(), "--tls-port", &tls.port().to_string()]);
        for (option, file) in [
            ("--tls-cert", room.file("cert.pem")),
            ("--tls-key", room.file("key.pem")),
            ("--maildir", room.maildir.path()),
            ("--password-file", peers::password_file(&room.maildir)),
            ("--state", room.file("dovecot")),
        ] {
            command.arg(option).arg(file);
        }
        for line in settings {
            command.args(["--setting", line]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut octets = Vec::new();
            let _ = stderr.read_to_end(&mut octets);
            String::from_utf8_lossy(&octets).into_owned()
        });
        let mut server = Self { stls, tls, child, log: Some(log) };
        for _ in 0..300 {
            match Naive::connect(stls) {
                Ok(_) => return Some(server),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) => eprintln!("Dovecot at {stls}: {error}"),
            }
            if server.child.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        eprintln!("{}", server.end());
        None
    }

    fn end(&mut self) -> String {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            // SIGTERM: it is what `timeout` hands on to the process it bounds, and what lets Dovecot end its children.
            let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
            let _ = self.child.wait();
        }
        self.log.take().and_then(|log| log.join().ok()).unwrap_or_default()
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let log = self.end();
        if thread::panicking() {
            eprintln!("--- what Dovecot wrote to stderr\n{log}---");
        }
    }
}

/// The key with which tokens are signed; Dovecot checks them by itself, and nobody else is asked.
const KEY: &[u8] = b"a key for tokens that are good for nothing";

/// Tokens for XOAUTH2 and OAUTHBEARER: a database of passwords of their own.
pub(crate) fn tokens(room: &Room) -> Vec<String> {
    // The key's path is what the token does not say: for whom, by which algorithm, and which of its keys.
    let keys = room.file("keys");
    fs::create_dir_all(keys.join("default/HS256")).unwrap();
    fs::write(keys.join("default/HS256/default"), Base64::encode_string(KEY)).unwrap();
    let file = room.file("oauth2.conf");
    let lines = [
        "introspection_mode = local".to_owned(),
        format!("local_validation_key_dict = fs:posix:prefix={}/", keys.display()),
        "username_attribute = sub".to_owned(),
    ];
    fs::write(&file, lines.join("\n") + "\n").unwrap();
    let passdb = ["passdb {", "driver = oauth2", "mechanisms = xoauth2 oauthbearer"].map(str::to_owned);
    [&passdb[..], &[format!("args = {}", file.display()), "}".to_owned()]].concat()
}

/// A token (JWT, RFC 7519) that says who its bearer is, signed with `key`.
pub(crate) fn token(user: &str, key: &[u8]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let claims = format!(r#"{{"sub":"{user}","iat":{},"nbf":{},"exp":{}}}"#, now - 60, now - 60, now + 3600);
    let signed = [header, &claims].map(|part| Base64UrlUnpadded::encode_string(part.as_bytes())).join(".");
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(&signed).finalize();
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(&mac.into_bytes()))
}

/// The same, in a file, and signed with the key that Dovecot has.
pub(crate) fn token_file(room: &Room) -> PathBuf {
    let file = room.file("token");
    fs::write(&file, token(USER, KEY) + "\n").unwrap();
    file
}
