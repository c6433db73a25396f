//! The maildrop as it lies on disk: a Maildir, which is a directory with a file for each message.
//!
//! ```text
//! DIR/new/1700000001.M1P7.host               delivered, and not yet seen by a mail reader
//! DIR/cur/1700000000.M9P7.host,S=61,W=64:2,S seen; behind the colon are flags, and they change
//!         ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~ the base name: it never changes, and is the unique-id
//! ```
//!
//! It is plain `std::fs`. The crate `maildir` was tried: it takes a directory that it cannot read for an empty one and a
//! file in `cur/` without flags for an error, looks through all names for each message that it removes, and brings a MIME
//! parser. What is left to gain is less than this file.
//!
//! All of it blocks, and so runs on threads that may ([`tokio::task::spawn_blocking`]).

use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Maildrop, UniqueId};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;

/// How much of a message is in memory at once.
const CHUNK: usize = 64 * 1024;
const LOCK_FILE: &str = "pop3.lock";
/// `new` first: a message that a mail reader moves in the meantime shows up twice then, and not never.
const FOLDERS: [&str; 2] = ["new", "cur"];

/// A Maildir, which one session at a time may open.
pub(crate) struct Maildir {
    path: PathBuf,
    sizes: Arc<Mutex<Sizes>>,
}

/// What was counted in earlier sessions, by base name: a message in a Maildir does not change. Its mutex is the lock within
/// this process.
#[derive(Default)]
struct Sizes(HashMap<Vec<u8>, Counted>);

#[derive(Clone, Copy)]
struct Counted {
    stored: u64,
    /// As RETR sends it.
    octets: u64,
}

/// Why a maildrop cannot be opened.
pub(crate) enum NotOpened {
    /// Another session has it.
    InUse,
    Io(io::Error),
}

impl From<io::Error> for NotOpened {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Maildir {
    /// # Errors
    ///
    /// If there is no Maildir.
    pub(crate) fn new(path: &Path) -> Result<Self, String> {
        for folder in FOLDERS {
            let folder = path.join(folder);
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(Self { path: path.to_owned(), sizes: Arc::default() })
    }

    /// Takes the lock and looks at what is there.
    pub(crate) async fn open(&self) -> Result<(Mailbox, Maildrop), NotOpened> {
        let sizes = Arc::clone(&self.sizes).try_lock_owned().map_err(|_| NotOpened::InUse)?;
        let path = self.path.clone();
        spawn_blocking(move || Mailbox::open(path, sizes)).await.map_err(io::Error::from)?
    }
}

/// A Maildir that is open, and locked as long as this value lives.
pub(crate) struct Mailbox {
    path: PathBuf,
    messages: Vec<Stored>,
    /// The lock among processes. The system takes it back when the file is closed, and so when the process dies.
    _lock: File,
    /// The lock in this process: on some systems the one on the file knows processes only.
    _sizes: OwnedMutexGuard<Sizes>,
}

/// Where a message lies.
#[derive(Clone)]
struct Stored {
    folder: &'static str,
    name: OsString,
}

impl Stored {
    fn path(&self, maildir: &Path) -> PathBuf {
        maildir.join(self.folder).join(&self.name)
    }

    /// The name without the flags.
    fn base(&self) -> &[u8] {
        base(&self.name)
    }
}

impl Mailbox {
    fn open(path: PathBuf, mut sizes: OwnedMutexGuard<Sizes>) -> Result<(Self, Maildrop), NotOpened> {
        let lock = File::options().create(true).truncate(false).write(true).open(path.join(LOCK_FILE))?;
        fs4::FileExt::try_lock(&lock).map_err(|error| match error {
            fs4::TryLockError::WouldBlock => NotOpened::InUse,
            fs4::TryLockError::Error(error) => NotOpened::Io(error),
        })?;

        let mut found = Vec::new();
        let mut counted = HashMap::new();
        let mut chunk = vec![0; CHUNK];
        for (base, stored) in listing(&path)? {
            match look(&stored.path(&path), &base, sizes.0.get(&base), &mut chunk) {
                Ok((arrival, size)) => {
                    found.push((arrival, stored, size.octets));
                    counted.insert(base, size);
                }
                // It is no file, or a mail reader has moved or removed it just now. The next session sees where it went.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // One file that is not for us should not keep all others away.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    eprintln!("left out: {}: {error}", stored.path(&path).display());
                }
                Err(error) => return Err(error.into()),
            }
        }
        sizes.0 = counted;
        found.sort_unstable_by(|(a, stored_a, _), (b, stored_b, _)| (a, stored_a.base()).cmp(&(b, stored_b.base())));

        let maildrop = Maildrop::new(found.iter().map(|(_, stored, octets)| (*octets, unique_id(stored.base()))))
            .map_err(io::Error::other)?;
        let messages = found.into_iter().map(|(_, stored, _)| stored).collect();
        Ok((Self { path, messages, _lock: lock, _sizes: sizes }, maildrop))
    }

    /// The message's octets, the first of them read already.
    pub(crate) async fn message(&self, index: usize) -> io::Result<Octets> {
        let stored = self.messages.get(index).cloned().ok_or(io::ErrorKind::NotFound)?;
        let path = self.path.clone();
        spawn_blocking(move || {
            let file = match File::open(stored.path(&path)) {
                // A mail reader has given it other flags.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let moved = listing(&path)?.remove(stored.base()).ok_or(error)?;
                    File::open(moved.path(&path))?
                }
                opened => opened?,
            };
            Octets { file: Some(file), chunk: Vec::with_capacity(CHUNK) }.fill()
        })
        .await?
    }

    /// Removes messages, and releases the lock. All are tried; the error is the first that there was.
    pub(crate) async fn remove(self, deleted: Vec<usize>) -> io::Result<()> {
        if deleted.is_empty() {
            return Ok(());
        }
        spawn_blocking(move || {
            let mut outcome = Ok(());
            let mut moved = Vec::new();
            for stored in deleted.into_iter().filter_map(|index| self.messages.get(index)) {
                match fs::remove_file(stored.path(&self.path)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => moved.push(stored),
                    removed => outcome = outcome.and(removed),
                }
            }
            if !moved.is_empty() {
                let mut now = listing(&self.path)?;
                // What is in neither folder any more is removed, whoever did it.
                for stored in moved.into_iter().filter_map(|stored| now.remove(stored.base())) {
                    outcome = outcome.and(fs::remove_file(stored.path(&self.path)));
                }
            }
            outcome
        })
        .await?
    }
}

/// A message that is being read, a chunk at a time.
pub(crate) struct Octets {
    /// Until the end was seen.
    file: Option<File>,
    chunk: Vec<u8>,
}

impl Octets {
    pub(crate) fn chunk(&self) -> &[u8] {
        &self.chunk
    }

    /// Reads the next chunk. `false`: there is none.
    pub(crate) async fn advance(&mut self) -> io::Result<bool> {
        if self.file.is_none() {
            return Ok(false);
        }
        let this = Self { file: self.file.take(), chunk: std::mem::take(&mut self.chunk) };
        *self = spawn_blocking(|| this.fill()).await??;
        Ok(!self.chunk.is_empty())
    }

    fn fill(mut self) -> io::Result<Self> {
        self.chunk.clear();
        if let Some(file) = self.file.take() {
            let n = (&file).take(CHUNK as u64).read_to_end(&mut self.chunk)?;
            self.file = (n == CHUNK).then_some(file);
        }
        Ok(self)
    }
}

/// The messages in both folders, by base name.
fn listing(maildir: &Path) -> io::Result<HashMap<Vec<u8>, Stored>> {
    let mut found = HashMap::new();
    for folder in FOLDERS {
        for entry in fs::read_dir(maildir.join(folder))? {
            let entry = entry?;
            let stored = Stored { folder, name: entry.file_name() };
            let hidden = stored.name.as_encoded_bytes().starts_with(b".");
            if !hidden && !stored.base().is_empty() {
                found.insert(stored.base().to_vec(), stored);
            }
        }
    }
    Ok(found)
}

fn base(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes().split(|&octet| octet == b':').next().unwrap_or_default()
}

/// When a message arrived, and its sizes.
fn look(path: &Path, base: &[u8], known: Option<&Counted>, chunk: &mut [u8]) -> io::Result<((u64, u64), Counted)> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let stored = metadata.len();
    let size = match known {
        Some(known) if known.stored == stored => *known,
        _ => Counted { stored, octets: octets(path, base, stored, chunk)? },
    };
    let arrival = arrival(base).unwrap_or_else(|| {
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        modified.map_or((u64::MAX, 0), |time| (time.as_secs(), u64::from(time.subsec_micros())))
    });
    Ok((arrival, size))
}

/// Seconds and microseconds, as a delivery agent writes them: `1700000000.M123456P7...`.
fn arrival(base: &[u8]) -> Option<(u64, u64)> {
    let (seconds, rest) = leading_number(base)?;
    let rest = rest.strip_prefix(b".")?;
    let micros = rest.strip_prefix(b"M").and_then(leading_number).map_or(0, |(micros, _)| micros);
    Some((seconds, micros))
}

fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// How many octets RETR sends of the message: each line end counts two, the last one also where it is missing.
fn octets(path: &Path, base: &[u8], stored: u64, chunk: &mut [u8]) -> io::Result<u64> {
    let mut file = File::open(path)?;
    if let Some(octets) = announced(base, stored) {
        // It does not count the line end that a last line without one gets.
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        return Ok(if last == *b"\n" { octets } else { octets.saturating_add(2) });
    }
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

/// The base name, or a digest of it where it is none that RFC 1939 section 7 allows, or could be taken for such a digest.
fn unique_id(base: &[u8]) -> Vec<u8> {
    const DIGEST: &[u8] = b"sha256-";
    if UniqueId::new(base).is_ok() && base.get(..DIGEST.len()) != Some(DIGEST) {
        return base.to_vec();
    }
    // With 63 of the 64 digits it is as long as a unique-id may be.
    let digits: String = Sha256::digest(base).iter().map(|octet| format!("{octet:02x}")).collect();
    [DIGEST, digits.as_bytes()].concat().into_iter().take(UniqueId::MAX).collect()
}
