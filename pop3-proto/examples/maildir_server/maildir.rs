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
//! To look through a Maildir and to remove from it takes long, and runs on threads of its own
//! ([`tokio::task::spawn_blocking`]). To read a message does not: see `message.rs`.

use crate::message::Octets;
use crate::sizes::{Counted, Sizes};
use pop3_proto::{Maildrop, UniqueId};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry, File};
use std::io;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::UNIX_EPOCH;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;

const LOCK_FILE: &str = "pop3.lock";

/// A Maildir, which one session at a time may open.
pub(crate) struct Maildir {
    path: Arc<Path>,
    /// The lock within this process.
    lock: Arc<Mutex<()>>,
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
        for folder in Folder::ALL {
            let folder = path.join(folder.name());
            fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        Ok(Self { path: path.into(), lock: Arc::default() })
    }

    /// Takes the lock and looks at what is there.
    pub(crate) async fn open(&self) -> Result<(Mailbox, Maildrop), NotOpened> {
        let lock = Arc::clone(&self.lock).try_lock_owned().map_err(|_| NotOpened::InUse)?;
        let path = Arc::clone(&self.path);
        spawn_blocking(move || Mailbox::open(path, lock)).await.map_err(io::Error::from)?
    }
}

/// The two that hold messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Folder {
    New,
    Cur,
}

impl Folder {
    /// `new` first: a message that a mail reader moves in the meantime shows up twice then, and not never.
    const ALL: [Self; 2] = [Self::New, Self::Cur];

    const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Cur => "cur",
        }
    }
}

/// A Maildir that is open, and locked as long as this value lives.
pub(crate) struct Mailbox {
    path: Arc<Path>,
    messages: Vec<Stored>,
    /// The lock among processes. The system takes it back when the file is closed, and so when the process dies.
    _file: File,
    /// The lock in this process: on some systems the one on the file knows processes only.
    _lock: OwnedMutexGuard<()>,
}

/// Where a message lies, and the octets of its file.
struct Stored {
    folder: Folder,
    name: Box<OsStr>,
    octets: u64,
}

impl Stored {
    fn path(&self, maildir: &Path) -> PathBuf {
        let mut path = PathBuf::with_capacity(maildir.as_os_str().len() + self.name.len() + 8);
        path.extend([maildir.as_os_str(), OsStr::new(self.folder.name()), &self.name]);
        path
    }

    /// The name without the flags.
    fn base(&self) -> &[u8] {
        base(&self.name)
    }
}

impl Mailbox {
    fn open(path: Arc<Path>, lock: OwnedMutexGuard<()>) -> Result<(Self, Maildrop), NotOpened> {
        let file = File::options().create(true).truncate(false).write(true).open(path.join(LOCK_FILE))?;
        fs4::FileExt::try_lock(&file).map_err(|error| match error {
            fs4::TryLockError::WouldBlock => NotOpened::InUse,
            fs4::TryLockError::Error(error) => NotOpened::Io(error),
        })?;

        let mut found = scan(&path)?;
        found.sort_unstable_by(|a, b| a.arrival.cmp(&b.arrival).then_with(|| a.stored.base().cmp(b.stored.base())));
        let mut sizes = Sizes::load(&path);
        for one in &mut found {
            one.octets = sizes.known(one.stored.base(), one.stored.octets, one.modified);
        }
        if count(&path, &mut found)? > 0 {
            let all = found.iter().filter_map(|one| {
                let counted = Counted { stored: one.stored.octets, modified: one.modified, octets: one.octets? };
                Some((one.stored.base(), counted))
            });
            if let Err(error) = Sizes::save(&path, all) {
                eprintln!("{}: the sizes cannot be kept, and are counted again: {error}", path.display());
            }
        }
        // What could not be read was said, or is gone. The next session sees where it went.
        found.retain(|one| one.octets.is_some());

        let rows = found.iter().map(|one| (one.octets.unwrap_or_default(), unique_id(one.stored.base())));
        let maildrop = Maildrop::new(rows).map_err(io::Error::other)?;
        let messages = found.into_iter().map(|one| one.stored).collect();
        Ok((Self { path, messages, _file: file, _lock: lock }, maildrop))
    }

    /// The message, opened, its first octets read into `chunk`.
    pub(crate) fn message(&self, index: usize, chunk: &mut Vec<u8>) -> io::Result<Octets> {
        let stored = self.messages.get(index).ok_or(io::ErrorKind::NotFound)?;
        let file = match File::open(stored.path(&self.path)) {
            // A mail reader has given it other flags.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut now = scan(&self.path)?.into_iter().map(|one| one.stored);
                let moved = now.find(|other| other.base() == stored.base()).ok_or(error)?;
                File::open(moved.path(&self.path))?
            }
            opened => opened?,
        };
        Octets::begin(file, stored.octets, chunk)
    }

    /// Removes messages, and releases the lock. All are tried; the error is the first that there was.
    pub(crate) async fn remove(self, deleted: Vec<usize>) -> io::Result<()> {
        if deleted.is_empty() {
            return Ok(());
        }
        spawn_blocking(move || {
            let mut outcome = Ok(());
            let mut moved = HashSet::new();
            for stored in deleted.into_iter().filter_map(|index| self.messages.get(index)) {
                match fs::remove_file(stored.path(&self.path)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        moved.insert(stored.base());
                    }
                    removed => outcome = outcome.and(removed),
                }
            }
            if !moved.is_empty() {
                // What is in neither folder any more is removed, whoever did it.
                for now in scan(&self.path)?.iter().filter(|now| moved.contains(now.stored.base())) {
                    outcome = outcome.and(fs::remove_file(now.stored.path(&self.path)));
                }
            }
            outcome
        })
        .await?
    }
}

/// A message that a scan comes upon.
struct Found {
    stored: Stored,
    /// Seconds and microseconds.
    arrival: (u64, u64),
    /// Nanoseconds since 1970.
    modified: u64,
    /// As RETR sends it, once that is known.
    octets: Option<u64>,
}

/// The messages in both folders, in no order, each base name once.
fn scan(maildir: &Path) -> io::Result<Vec<Found>> {
    let mut folders = [Vec::new(), Vec::new()];
    for (folder, found) in Folder::ALL.into_iter().zip(&mut folders) {
        let mut entries = fs::read_dir(maildir.join(folder.name()))?
            .map(|entry| entry.map(|entry| (entry, None)))
            .collect::<io::Result<Vec<_>>>()?;
        shared_out(&mut entries, |share| {
            share.iter_mut().try_for_each(|(entry, found)| {
                *found = look(folder, entry)?;
                Ok(())
            })
        })?;
        found.extend(entries.into_iter().filter_map(|(_, found)| found));
    }
    let [mut new, mut cur] = folders;
    if !new.is_empty() && !cur.is_empty() {
        // A message in both is on its way to `cur`.
        let seen: HashSet<&[u8]> = cur.iter().map(|one| one.stored.base()).collect();
        new.retain(|one| !seen.contains(one.stored.base()));
    }
    cur.append(&mut new);
    Ok(cur)
}

fn look(folder: Folder, entry: &DirEntry) -> io::Result<Option<Found>> {
    let name = entry.file_name().into_boxed_os_str();
    if name.as_encoded_bytes().starts_with(b".") || base(&name).is_empty() {
        return Ok(None);
    }
    let metadata = match entry.metadata() {
        // Some keep a message once and give it several names.
        Ok(link) if link.is_symlink() => fs::metadata(entry.path()),
        metadata => metadata,
    };
    let metadata = match metadata {
        Ok(metadata) if metadata.is_file() => metadata,
        // It is no file, or a mail reader has moved or removed it just now.
        Ok(_) => return Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let arrival = arrival(base(&name)).unwrap_or((modified.as_secs(), u64::from(modified.subsec_micros())));
    let modified = u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX);
    let stored = Stored { folder, name, octets: metadata.len() };
    Ok(Some(Found { stored, arrival, modified, octets: None }))
}

/// Counts what is not known yet, and says how many are known now that were not.
fn count(maildir: &Path, found: &mut [Found]) -> io::Result<usize> {
    let mut unknown: Vec<&mut Found> = found.iter_mut().filter(|one| one.octets.is_none()).collect();
    shared_out(&mut unknown, |share| count_share(maildir, share))?;
    Ok(unknown.iter().filter(|one| one.octets.is_some()).count())
}

/// Has the work done by several threads, if there is enough of it.
fn shared_out<T: Send>(all: &mut [T], work: impl Fn(&mut [T]) -> io::Result<()> + Sync) -> io::Result<()> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS);
    let share = all.len().div_ceil(threads).max(MIN_SHARE);
    thread::scope(|scope| {
        let mut shares = all.chunks_mut(share);
        let own = shares.next().unwrap_or_default();
        let others: Vec<_> = shares.map(|share| scope.spawn(|| work(share))).collect();
        let mut outcome = work(own);
        for other in others {
            outcome = outcome.and(other.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked"))));
        }
        outcome
    })
}

fn count_share(maildir: &Path, share: &mut [&mut Found]) -> io::Result<()> {
    let mut chunk = Vec::new();
    for one in share {
        let path = one.stored.path(maildir);
        let counted = File::open(&path)
            .and_then(|file| crate::sizes::octets(file, one.stored.base(), one.stored.octets, &mut chunk));
        match counted {
            Ok(octets) => one.octets = Some(octets),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // One file that is not for us should not keep all others away.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                eprintln!("left out: {}: {error}", path.display());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn base(name: &OsStr) -> &[u8] {
    let name = name.as_encoded_bytes();
    name.iter().position(|&octet| octet == b':').map_or(name, |colon| &name[..colon])
}

/// Seconds and microseconds, as a delivery agent writes them: `1700000000.M123456P7...`.
fn arrival(base: &[u8]) -> Option<(u64, u64)> {
    let (seconds, rest) = leading_number(base)?;
    let rest = rest.strip_prefix(b".")?;
    let micros = rest.strip_prefix(b"M").and_then(leading_number).map_or(0, |(micros, _)| micros);
    Some((seconds, micros))
}

pub(crate) fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let end = text.iter().position(|octet| !octet.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

/// The base name, or a digest of it where it is none that RFC 1939 section 7 allows, or could be taken for such a digest.
fn unique_id(base: &[u8]) -> Cow<'_, [u8]> {
    const DIGEST: &[u8] = b"sha256-";
    if UniqueId::new(base).is_ok() && base.get(..DIGEST.len()) != Some(DIGEST) {
        return base.into();
    }
    // With 63 of the 64 digits it is as long as a unique-id may be.
    let digits: String = Sha256::digest(base).iter().map(|octet| format!("{octet:02x}")).collect();
    [DIGEST, digits.as_bytes()].concat().into_iter().take(UniqueId::MAX).collect::<Vec<_>>().into()
}

/// So many threads look at files at most: more would only be in each other's way on the disk.
const MAX_THREADS: usize = 4;
/// For fewer files than this a thread does not pay.
const MIN_SHARE: usize = 500;
