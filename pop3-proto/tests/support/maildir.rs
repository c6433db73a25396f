//! A Maildir in a directory of its own, removed with the value.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::corpus::Message;

pub(crate) struct Maildir {
    room: TempDir,
    delivered: usize,
}

impl Maildir {
    /// An empty maildrop.
    pub(crate) fn new() -> Self {
        let room = tempfile::Builder::new().prefix("pop3-").tempdir().unwrap();
        open_to_others(room.path(), 0o755);
        for folder in ["cur", "new", "tmp"] {
            fs::create_dir_all(room.path().join("maildir").join(folder)).unwrap();
        }
        Self { room, delivered: 0 }
    }

    /// A maildrop with these messages, in this order.
    pub(crate) fn with(messages: &[Message]) -> Self {
        let mut maildir = Self::new();
        for message in messages {
            maildir.deliver(&message.stored);
        }
        maildir
    }

    /// Puts a message into `new`, as a delivery agent does: written elsewhere, then moved.
    pub(crate) fn deliver(&mut self, octets: &[u8]) {
        self.delivered += 1;
        // The name is a time, a number unique within it, and a host; numbers grow in the order of delivery.
        let name = format!("{}.M{:06}P1.example", 1_700_000_000 + self.delivered, self.delivered);
        let written = self.path().join("tmp").join(&name);
        fs::write(&written, octets).unwrap();
        open_to_others(&written, 0o644);
        fs::rename(written, self.path().join("new").join(&name)).unwrap();
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.room.path().join("maildir")
    }

    /// Files of the test besides the mail, removed with it.
    pub(crate) fn room(&self) -> &Path {
        self.room.path()
    }

    /// How many messages lie in `new` and `cur` now.
    pub(crate) fn count(&self) -> usize {
        ["new", "cur"].iter().map(|folder| fs::read_dir(self.path().join(folder)).unwrap().count()).sum()
    }
}

/// Dovecot serves mail as another user where the tests run as root, and that user has to get through.
fn open_to_others(path: &Path, mode: u32) {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    #[cfg(not(unix))]
    let _ = (path, mode);
}
