//! The state file: the unique-ids that were fetched before.
//!
//! Text, one unique-id a line, behind a first line that says what the file is. RFC 1939 §7 has unique-ids without spaces
//! and control characters; servers send others, and so all but visible ASCII is written with `%`, as `%` itself is.

use crate::store::sync_directory;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, percent_encode};
use pop3_proto::{Finding, Reconciliation, TooManyUniqueIds, UniqueIdListing};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// What a state file holds, and what the maildrop's listing says to it.
#[derive(Debug)]
pub(crate) struct Known {
    file: PathBuf,
    mail: Reconciliation,
}

impl Known {
    /// Reads the file. One that is not there, or is empty, holds nothing.
    pub(crate) fn load(file: &Path) -> io::Result<Self> {
        let octets = match fs::read(file) {
            Ok(octets) => octets,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut lines = octets.split(|&octet| octet == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        // The file is going to be replaced, and must not be one that is dear to somebody for another reason.
        if !octets.is_empty() && lines.next() != Some(TITLE.as_bytes()) {
            return Err(io::Error::new(ErrorKind::InvalidData, "it is not a state file of this program"));
        }
        let mut mail = Reconciliation::new(MAX_OCTETS);
        for line in lines.filter(|line| !line.is_empty()) {
            let id: Vec<u8> = percent_decode(line).collect();
            mail.remember(&id).map_err(io::Error::other)?;
        }
        Ok(Self { file: file.to_owned(), mail })
    }

    /// What a line of the unique-id listing is to us.
    pub(crate) fn listed(&mut self, row: &UniqueIdListing<'_>) -> Result<Finding, TooManyUniqueIds> {
        self.mail.listed(row)
    }

    /// The ids that the file holds and the listing did not have.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &[u8]> {
        self.mail.gone()
    }

    /// Writes the file anew, in one step.
    pub(crate) fn save(&self, ids: &BTreeSet<&[u8]>) -> io::Result<()> {
        // The file itself is to be replaced, not the symbolic link to it.
        let file = fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone());
        let directory = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let new = tempfile::Builder::new().prefix(".fetch-").suffix(".part").tempfile_in(directory)?;
        let mut new = BufWriter::new(new);
        writeln!(new, "{TITLE}")?;
        for id in ids {
            writeln!(new, "{}", percent_encode(id, ODD))?;
        }
        let new = new.into_inner().map_err(io::IntoInnerError::into_error)?;
        new.as_file().sync_all()?;
        new.persist(&file)?;
        sync_directory(directory)
    }
}

/// So many octets of unique-ids, those of the file and those of the listing together, are kept in memory.
const MAX_OCTETS: usize = 128 * 1024 * 1024;
const TITLE: &str = "# unique-ids that pop3-proto's fetch has fetched, one a line";
const ODD: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
