//! Messages on disk: whole or not at all, each in a file of its own that nothing overwrites.
//!
//! ```text
//! octets --> .fetch-XXXXXX.part --fsync--> rename to the final name --> fsync of the directory
//! ```
//!
//! A run that is killed may leave a `.part` behind: it is nobody's message, and can be removed.
//!
//! Final names: `uid-...` made from the unique-id, `longuid-...` from the digest of one that is too long for that, and
//! `sha256-...` from the message's own digest where there is no unique-id. A name that is taken by a different message
//! (a server may use a unique-id again) gets `+2`, `+3` and so on behind it, and no id or digest ever has a `+`.

use crate::session::hexadecimal;
use pop3_proto::UniqueId;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Seek, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The directory that takes the messages in.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
}

/// A message that is being written. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Part {
    file: BufWriter<NamedTempFile>,
    name: Name,
}

/// Where the final name comes from.
#[derive(Debug)]
enum Name {
    UniqueId(String),
    Content(Box<Sha256>),
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It has a file of its own.
    New,
    /// A file with these octets was there.
    Already,
    /// It has a file of its own, but another name, because a different message has the one it should get.
    Beside(PathBuf),
}

impl Store {
    /// The directory, made if it is not there.
    pub(crate) fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Begins a message.
    pub(crate) fn begin(&self, id: Option<&UniqueId<'_>>) -> io::Result<Part> {
        let file = tempfile::Builder::new().prefix(".fetch-").suffix(".part").tempfile_in(&self.directory)?;
        let name = match id {
            Some(id) => Name::UniqueId(
                id.file_name().unwrap_or_else(|| format!("longuid-{}", hexadecimal(&Sha256::digest(id.as_bytes())))),
            ),
            None => Name::Content(Box::default()),
        };
        // Big slices go past a buffer that is smaller than they are; it is for the many small ones of a message with many
        // dots at the beginning of lines.
        Ok(Part { file: BufWriter::with_capacity(8 * 1024, file), name })
    }

    /// The message is complete: gives it its final name, once its octets are on disk.
    pub(crate) fn keep(&self, part: Part) -> io::Result<Kept> {
        let name = match part.name {
            Name::UniqueId(name) => name,
            Name::Content(digest) => format!("sha256-{}", hexadecimal(&digest.finalize())),
        };
        let mut file = part.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        for copy in 1..=MAX_COPIES {
            let path = self.directory.join(if copy == 1 { name.clone() } else { format!("{name}+{copy}") });
            // A rename that fails if the name is taken, so that nobody can get in between.
            file = match file.persist_noclobber(&path) {
                Ok(_) if copy == 1 => return Ok(Kept::New),
                Ok(_) => return Ok(Kept::Beside(path)),
                Err(taken) if taken.error.kind() == ErrorKind::AlreadyExists => taken.file,
                Err(failed) => return Err(failed.error),
            };
            if !fs::symlink_metadata(&path)?.is_file() {
                return Err(io::Error::other(format!("{} is there already and is not a file", path.display())));
            }
            if same_octets(file.as_file_mut(), &path)? {
                // Whoever wrote it may not have made sure of it.
                OpenOptions::new().read(true).write(cfg!(windows)).open(&path)?.sync_all()?;
                return Ok(Kept::Already);
            }
        }
        Err(io::Error::other(format!("too many different messages want the name {name}")))
    }

    /// Makes sure of the names: before this, a crash may lose them.
    pub(crate) fn sync(&self) -> io::Result<()> {
        sync_directory(&self.directory)
    }
}

impl Part {
    /// Writes octets of the message.
    pub(crate) fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        if let Name::Content(digest) = &mut self.name {
            digest.update(octets);
        }
        self.file.write_all(octets)
    }
}

/// Makes sure of the names in a directory, where the system can.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

fn same_octets(ours: &mut File, path: &Path) -> io::Result<bool> {
    let theirs = File::open(path)?;
    if ours.metadata()?.len() != theirs.metadata()?.len() {
        return Ok(false);
    }
    ours.rewind()?;
    let (mut ours, mut theirs) = (BufReader::new(ours), BufReader::new(theirs));
    loop {
        let (left, right) = (ours.fill_buf()?, theirs.fill_buf()?);
        let both = left.len().min(right.len());
        if left[..both] != right[..both] {
            return Ok(false);
        }
        if both == 0 {
            return Ok(left.len() == right.len());
        }
        ours.consume(both);
        theirs.consume(both);
    }
}

/// A server that gives one unique-id to ever more messages is out of its mind.
const MAX_COPIES: u32 = 1000;
