//! A message that is being read, a chunk at a time: no more of it is ever in memory.
//!
//! It is read where it is sent, on a worker of the runtime, and not on a thread for what blocks: a chunk that the system has in
//! memory is there in a few microseconds, and to have another thread fetch it would take longer than that. One that comes
//! from the disk holds up its worker, of which there are many (`WORKERS` in `maildir_server.rs`), and no session but its own.

use std::fs::File;
use std::io::{self, Read as _};

/// How much of a message is in memory at once: so little that it is still in the first cache of the processor when it is sent.
pub(crate) const CHUNK: usize = 32 * 1024;

/// What is left of it.
#[derive(Debug)]
pub(crate) struct Octets {
    file: File,
    left: u64,
}

impl Octets {
    /// Reads the first chunk of a file of that many octets.
    pub(crate) fn begin(file: File, octets: u64, chunk: &mut Vec<u8>) -> io::Result<Self> {
        let mut this = Self { file, left: octets };
        this.advance(chunk)?;
        Ok(this)
    }

    /// Whether there is more to come.
    pub(crate) const fn is_over(&self) -> bool {
        self.left == 0
    }

    /// Reads the next chunk. It is empty at the end.
    pub(crate) fn advance(&mut self, chunk: &mut Vec<u8>) -> io::Result<()> {
        let want = usize::try_from(self.left).unwrap_or(CHUNK).min(CHUNK);
        chunk.resize(want, 0);
        let mut filled = 0;
        while filled < want {
            match self.file.read(&mut chunk[filled..]) {
                // Shorter than it was: somebody has cut it. What there is, is sent.
                Ok(0) => {
                    self.left = 0;
                    chunk.truncate(filled);
                    return Ok(());
                }
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.left = self.left.saturating_sub(filled as u64);
        Ok(())
    }
}
