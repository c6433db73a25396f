//! Whether the credentials are the right ones.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use pop3_proto::{Digest, Login, Name};
use sha2::Sha256;
use std::path::Path;
use subtle::ConstantTimeEq;

/// The one user. It has no `Debug`, so that nothing can print the password.
pub(crate) struct Account {
    name: Vec<u8>,
    password: Vec<u8>,
    /// The access token for XOAUTH2 and OAUTHBEARER. Without one no token is accepted.
    token: Option<Vec<u8>>,
}

/// What is made of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Admitted,
    /// With these words, which are for people.
    Refused(&'static str),
    /// With this JSON, in the challenge that the client waits for (RFC 7628 section 3.2.2).
    TokenRefused(&'static str),
}

const WRONG: Verdict = Verdict::Refused("wrong name or password");
const WRONG_TOKEN: Verdict = Verdict::TokenRefused(r#"{"status":"invalid_token"}"#);

impl Account {
    pub(crate) fn new(name: &str, password_file: &Path, token_file: Option<&Path>) -> Result<Self, String> {
        Ok(Self {
            name: name.as_bytes().to_vec(),
            password: first_line(password_file)?,
            token: token_file.map(first_line).transpose()?,
        })
    }

    /// Name and secret are both compared, whatever the first comparison gives: the time does not tell a wrong name from a
    /// wrong password.
    pub(crate) fn judge(&self, login: &Login<'_>, timestamp: Option<&str>) -> Verdict {
        let fits = match login {
            Login::Pass { name, password } => self.is_named(name) & same(password.reveal(), &self.password),
            // `Digest` compares in constant time by itself.
            Login::Apop { name, digest } => {
                self.is_named(name) & timestamp.is_some_and(|timestamp| Some(*digest) == self.apop_digest(timestamp))
            }
            // Who wants to be somebody else may not, even with the right password. (Who names himself twice comes as
            // `Login::Pass`.)
            Login::ActAs { .. } => return Verdict::Refused("nobody may act as somebody else here"),
            Login::External { .. } => {
                return Verdict::Refused("no certificate of yours was asked for, so it proves nothing");
            }
            Login::Anonymous { .. } => return Verdict::Refused("there is no maildrop for anonymous users"),
            // Without a name it is the token's user.
            Login::Bearer { name, token } => {
                let named = name.as_ref().is_none_or(|name| self.is_named(name));
                let accepted = self.token.as_ref().is_some_and(|accepted| same(token.reveal(), accepted));
                return if named & accepted { Verdict::Admitted } else { WRONG_TOKEN };
            }
            _ => false,
        };
        if fits { Verdict::Admitted } else { WRONG }
    }

    /// `name SP digest`, where the digest is "calculated by applying the keyed MD5 algorithm" to the challenge, in lower
    /// case hexadecimal (RFC 2195 section 2).
    pub(crate) fn judge_cram_md5(&self, challenge: &[u8], response: &[u8]) -> Verdict {
        let Some(space) = response.iter().rposition(|&octet| octet == b' ') else {
            return WRONG;
        };
        let (name, digest) = (&response[..space], &response[space + 1..]);
        let fits = match Hmac::<Md5>::new_from_slice(&self.password) {
            Ok(hmac) => {
                let expected = hexadecimal(&hmac.chain_update(challenge).finalize().into_bytes());
                same(name, &self.name) & same(digest, expected.as_bytes())
            }
            Err(_) => false,
        };
        if fits { Verdict::Admitted } else { WRONG }
    }

    fn is_named(&self, name: &Name<'_>) -> bool {
        same(name.as_bytes(), &self.name)
    }

    /// "The digest parameter is calculated by applying the MD5 algorithm to a string consisting of the timestamp
    /// (including angle-brackets) followed by a shared secret" (RFC 1939 section 7).
    fn apop_digest(&self, timestamp: &str) -> Option<Digest> {
        use md5::Digest as _;
        let digest = Md5::new().chain_update(timestamp).chain_update(&self.password).finalize();
        Digest::new(hexadecimal(&digest).as_bytes()).ok()
    }
}

/// A secret is the first line of its file, spaces included.
fn first_line(file: &Path) -> Result<Vec<u8>, String> {
    let path = file.display();
    let mut line = std::fs::read(file).map_err(|error| format!("{path}: {error}"))?;
    if let Some(end) = line.iter().position(|&octet| octet == b'\n') {
        line.truncate(end);
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    if line.is_empty() { Err(format!("{path}: the first line is empty")) } else { Ok(line) }
}

/// Compares digests, which are of one length: the time depends neither on where the octets differ nor on how long the
/// secret is.
fn same(given: &[u8], secret: &[u8]) -> bool {
    use sha2::Digest as _;
    Sha256::digest(given).as_slice().ct_eq(Sha256::digest(secret).as_slice()).into()
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
