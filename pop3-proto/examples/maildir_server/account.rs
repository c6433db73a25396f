//! Whether the credentials are the right ones.

use pop3_proto::{Digest, Login};
use sha2::Sha256;
use std::path::Path;
use subtle::ConstantTimeEq;

/// The one user. It has no `Debug`, so that nothing can print the password.
pub(crate) struct Account {
    name: Vec<u8>,
    password: Vec<u8>,
}

impl Account {
    /// The password is the first line of the file, spaces included.
    pub(crate) fn new(name: &str, password_file: &Path) -> Result<Self, String> {
        let path = password_file.display();
        let mut password = std::fs::read(password_file).map_err(|error| format!("{path}: {error}"))?;
        if let Some(end) = password.iter().position(|&octet| octet == b'\n') {
            password.truncate(end);
        }
        if password.ends_with(b"\r") {
            password.pop();
        }
        if password.is_empty() {
            return Err(format!("{path}: the first line holds no password"));
        }
        Ok(Self { name: name.as_bytes().to_vec(), password })
    }

    /// Name and password are both compared, whatever the first comparison gives: the time does not tell a wrong name from
    /// a wrong password.
    pub(crate) fn admits(&self, login: &Login<'_>, timestamp: Option<&str>) -> bool {
        match (login, timestamp) {
            (Login::Pass { name, password }, _) => {
                same(name.as_bytes(), &self.name) & same(password.reveal(), &self.password)
            }
            // `Digest` compares in constant time by itself.
            (Login::Apop { name, digest }, Some(timestamp)) => {
                same(name.as_bytes(), &self.name) & (Some(*digest) == self.apop_digest(timestamp))
            }
            _ => false,
        }
    }

    /// "The digest parameter is calculated by applying the MD5 algorithm to a string consisting of the timestamp
    /// (including angle-brackets) followed by a shared secret" (RFC 1939 section 7).
    fn apop_digest(&self, timestamp: &str) -> Option<Digest> {
        use md5::Digest as _;
        let digest = md5::Md5::new().chain_update(timestamp).chain_update(&self.password).finalize();
        let digits: String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
        Digest::new(digits.as_bytes()).ok()
    }
}

/// Compares digests, which are of one length: the time depends neither on where the octets differ nor on how long the
/// secret is.
fn same(given: &[u8], secret: &[u8]) -> bool {
    use sha2::Digest as _;
    Sha256::digest(given).as_slice().ct_eq(Sha256::digest(secret).as_slice()).into()
}
