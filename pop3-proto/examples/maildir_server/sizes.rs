//! How many octets RETR sends of each message: counted once, and kept in the Maildir.
//!
//! STAT and LIST want the octets as they are sent, with two for each line end (RFC 1939 section 11), and the file's length
//! is not that. A delivery agent may have written the number into the name (`W=`); else the whole file is to be read. What
//! came of it is kept in the file `pop3.sizes`, so that neither the next session nor the next process reads it again:
//!
//! ```text
//! pop3-sizes 1 LF
//! STORED SP MODIFIED SP OCTETS SP BASE-NAME NUL      for each message: the octets of its file, its time of
//! ...                                                modification (nanoseconds since 1970), and what RETR sends
//! 32 octets, SHA-256 of all before
//! ```
//!
//! An entry counts for a file with the same base name, length and time of modification, and for no other. So a stale or a
//! foreign file gives nothing, and one that is torn or damaged does not have its digest. In each of these cases the
//! messages are counted as if it were not there. It is replaced as a whole, by a rename, and may be removed at any time.

use crate::maildir::leading_number;
use pop3_proto::wire::dot::{Newlines, Size};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

const FILE: &str = "pop3.sizes";
const TITLE: &[u8] = b"pop3-sizes 1\n";
const DIGEST: usize = 32;
/// How much of a message is in memory at once.
const CHUNK: usize = 64 * 1024;

/// What is known of a message's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// The length of the file.
    pub(crate) stored: u64,
    /// Nanoseconds since 1970.
    pub(crate) modified: u64,
    /// As RETR sends it.
    pub(crate) octets: u64,
}

/// What earlier sessions counted.
#[derive(Debug, Default)]
pub(crate) struct Sizes {
    file: Vec<u8>,
    /// Where the entry begins that should be asked for next: they were written in the order of the messages.
    next: usize,
    /// Where each entry begins, by base name, once the order was of no help.
    by_name: Option<HashMap<Box<[u8]>, usize>>,
}

impl Sizes {
    /// What the file says; nothing, where it is not there or not whole.
    pub(crate) fn load(maildir: &Path) -> Self {
        let mut file = fs::read(maildir.join(FILE)).unwrap_or_default();
        let entries = file.len().saturating_sub(DIGEST);
        if !file.starts_with(TITLE) || Sha256::digest(&file[..entries])[..] != file[entries..] {
            return Self::default();
        }
        file.truncate(entries);
        Self { file, next: TITLE.len(), by_name: None }
    }

    /// The octets that RETR sends of the message, if they were counted.
    pub(crate) fn known(&mut self, base: &[u8], stored: u64, modified: u64) -> Option<u64> {
        let (counted, name, behind) = match entry(&self.file, self.next) {
            Some(entry) if entry.1 == base => entry,
            _ => {
                let Self { file, by_name, .. } = self;
                let by_name = by_name.get_or_insert_with(|| index(file));
                entry(file, *by_name.get(base)?)?
            }
        };
        let found = name == base && counted.stored == stored && counted.modified == modified;
        self.next = behind;
        found.then_some(counted.octets)
    }

    /// Writes a new file in the place of the old one.
    pub(crate) fn save<'m>(maildir: &Path, all: impl Iterator<Item = (&'m [u8], Counted)>) -> io::Result<()> {
        let mut file = TITLE.to_vec();
        for (base, Counted { stored, modified, octets }) in all {
            write!(file, "{stored} {modified} {octets} ")?;
            file.extend_from_slice(base);
            file.push(0);
        }
        let digest = Sha256::digest(&file);
        file.extend_from_slice(&digest);
        // Who writes has the lock, so that nobody else writes here. A crash may leave half a file behind, for the digest
        // to find.
        let new = maildir.join("tmp").join(FILE);
        fs::write(&new, file)?;
        fs::rename(new, maildir.join(FILE))
    }
}

fn index(file: &[u8]) -> HashMap<Box<[u8]>, usize> {
    let mut index = HashMap::new();
    let mut at = TITLE.len();
    while let Some((_, name, behind)) = entry(file, at) {
        index.insert(name.into(), at);
        at = behind;
    }
    index
}

/// The entry that begins there, its name, and where the next one begins.
fn entry(file: &[u8], at: usize) -> Option<(Counted, &[u8], usize)> {
    let number = |text| {
        let (number, rest) = leading_number(text)?;
        Some((number, rest.strip_prefix(b" ")?))
    };
    let (stored, rest) = number(file.get(at..)?)?;
    let (modified, rest) = number(rest)?;
    let (octets, rest) = number(rest)?;
    let end = rest.iter().position(|&octet| octet == 0)?;
    let behind = file.len() - rest.len() + end + 1;
    Some((Counted { stored, modified, octets }, &rest[..end], behind))
}

/// How many octets RETR sends of the message: each line end counts two, the last one also where it is missing.
pub(crate) fn octets(mut file: File, base: &[u8], stored: u64, chunk: &mut Vec<u8>) -> io::Result<u64> {
    if let Some(octets) = announced(base, stored) {
        // It does not count the line end that a last line without one gets.
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        return Ok(if last == *b"\n" { octets } else { octets.saturating_add(2) });
    }
    chunk.resize(CHUNK, 0);
    let mut size = Size::new(Newlines::Canonical);
    loop {
        match file.read(chunk) {
            Ok(0) => return Ok(size.octets()),
            Ok(n) => size.add(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// `W=` in the name: the size with every line end counted as two octets, put there by the delivery agent. It is believed if
/// `S=`, the size of the file, stands beside it and is right, and if it can be.
fn announced(base: &[u8], stored: u64) -> Option<u64> {
    let field = |key: &[u8]| {
        let mut fields = base.split(|&octet| octet == b',').skip(1);
        let value = fields.find_map(|field| field.strip_prefix(key))?;
        leading_number(value).filter(|(_, rest)| rest.is_empty()).map(|(number, _)| number)
    };
    let possible = stored..=stored.saturating_mul(2);
    (stored > 0 && field(b"S=") == Some(stored)).then(|| field(b"W=")).flatten().filter(|w| possible.contains(w))
}
