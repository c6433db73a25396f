//! Who may log in, and whether the credentials are the right ones.

use crate::maildir::Maildir;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use pop3_proto::{Digest, Login};
use sha2::Sha256;
use std::collections::HashMap;
use std::path::Path;
use subtle::ConstantTimeEq;

/// All users. It has no `Debug`, so that nothing can print a password.
pub(crate) struct Accounts {
    all: Vec<Account>,
    by_name: HashMap<Vec<u8>, usize>,
}

/// A user, and the maildrop.
pub(crate) struct Account {
    name: Vec<u8>,
    password: Vec<u8>,
    /// The access token for XOAUTH2 and OAUTHBEARER. Without one no token is accepted.
    token: Option<Vec<u8>>,
    pub(crate) maildir: Maildir,
}

/// What is made of credentials.
#[derive(Clone, Copy)]
pub(crate) enum Verdict<'a> {
    Admitted(&'a Account),
    /// With these words, which are for people.
    Refused(&'static str),
    /// With this JSON, in the challenge that the client waits for (RFC 7628 section 3.2.2).
    TokenRefused(&'static str),
}

const WRONG: Verdict<'static> = Verdict::Refused("wrong name or password");
const WRONG_TOKEN: Verdict<'static> = Verdict::TokenRefused(r#"{"status":"invalid_token"}"#);

impl Accounts {
    /// One user.
    pub(crate) fn one(
        name: &str,
        password_file: &Path,
        token_file: Option<&Path>,
        maildir: &Path,
    ) -> Result<Self, String> {
        Self::new(vec![Account {
            name: name.as_bytes().to_vec(),
            password: first_line(password_file)?,
            token: token_file.map(first_line).transpose()?,
            maildir: Maildir::new(maildir)?,
        }])
    }

    /// Those of a file: a line for each, with name, password and Maildir, a TAB between them.
    pub(crate) fn listed(file: &Path) -> Result<Self, String> {
        let path = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| format!("{path}: {error}"))?;
        let account = |(number, line): (usize, &str)| {
            let mut fields = line.split('\t');
            let (Some(name), Some(password), Some(maildir), None) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(format!("{path}: line {}: not name, password and Maildir", number + 1));
            };
            if name.is_empty() || password.is_empty() {
                return Err(format!("{path}: line {}: a name or a password is empty", number + 1));
            }
            let maildir = Maildir::new(Path::new(maildir))?;
            Ok(Account { name: name.into(), password: password.into(), token: None, maildir })
        };
        Self::new(text.lines().enumerate().map(account).collect::<Result<_, _>>()?)
    }

    fn new(all: Vec<Account>) -> Result<Self, String> {
        let mut by_name = HashMap::new();
        for (index, account) in all.iter().enumerate() {
            if by_name.insert(account.name.clone(), index).is_some() {
                return Err("a user is listed twice".to_owned());
            }
        }
        if all.is_empty() { Err("there is no user".to_owned()) } else { Ok(Self { all, by_name }) }
    }

    /// Name and secret are both compared, whatever the first comparison gives: the time does not tell a wrong name from a
    /// wrong password.
    pub(crate) fn judge(&self, login: &Login<'_>, timestamp: Option<&str>) -> Verdict<'_> {
        let (account, fits) = match login {
            Login::Pass { name, password } => {
                let account = self.named(name.as_bytes());
                (account, account.is_named(name.as_bytes()) & same(password.reveal(), &account.password))
            }
            // `Digest` compares in constant time by itself.
            Login::Apop { name, digest } => {
                let account = self.named(name.as_bytes());
                let right = timestamp.is_some_and(|timestamp| Some(*digest) == account.apop_digest(timestamp));
                (account, account.is_named(name.as_bytes()) & right)
            }
            // Who wants to be somebody else may not, even with the right password. (Who names himself twice comes as
            // `Login::Pass`.)
            Login::ActAs { .. } => return Verdict::Refused("nobody may act as somebody else here"),
            Login::External { .. } => {
                return Verdict::Refused("no certificate of yours was asked for, so it proves nothing");
            }
            Login::Anonymous { .. } => return Verdict::Refused("there is no maildrop for anonymous users"),
            // Without a name it is the token's user: only where there is one user are there tokens.
            Login::Bearer { name, token } => {
                let account = &self.all[0];
                let named = name.as_ref().is_none_or(|name| account.is_named(name.as_bytes()));
                let accepted = account.token.as_ref().is_some_and(|accepted| same(token.reveal(), accepted));
                return if named & accepted { Verdict::Admitted(account) } else { WRONG_TOKEN };
            }
            _ => return WRONG,
        };
        if fits { Verdict::Admitted(account) } else { WRONG }
    }

    /// `name SP digest`, where the digest is "calculated by applying the keyed MD5 algorithm" to the challenge, in lower
    /// case hexadecimal (RFC 2195 section 2).
    pub(crate) fn judge_cram_md5(&self, challenge: &[u8], response: &[u8]) -> Verdict<'_> {
        let Some(space) = response.iter().rposition(|&octet| octet == b' ') else {
            return WRONG;
        };
        let (name, digest) = (&response[..space], &response[space + 1..]);
        let account = self.named(name);
        let fits = match Hmac::<Md5>::new_from_slice(&account.password) {
            Ok(hmac) => {
                let expected = hexadecimal(&hmac.chain_update(challenge).finalize().into_bytes());
                account.is_named(name) & same(digest, expected.as_bytes())
            }
            Err(_) => false,
        };
        if fits { Verdict::Admitted(account) } else { WRONG }
    }

    /// The account of that name, or another one: who it is, is compared once more together with the secret, so that a name
    /// that nobody has takes as long as one that somebody has.
    fn named(&self, name: &[u8]) -> &Account {
        &self.all[self.by_name.get(name).copied().unwrap_or_default()]
    }
}

impl Account {
    fn is_named(&self, name: &[u8]) -> bool {
        same(name, &self.name)
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
