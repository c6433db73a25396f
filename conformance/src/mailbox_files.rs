//! The mailbox as files, for a server that is to be checked.

use crate::mailbox::Mail;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// Writes the mailbox into a Maildir, in `cur`; what is there already stays.
///
/// # Errors
///
/// The operating system's, with the file's name.
pub fn maildir(dir: &Path) -> io::Result<()> {
    for part in ["tmp", "new", "cur"] {
        let path = dir.join(part);
        fs::create_dir_all(&path).map_err(|error| named(&path, &error))?;
    }
    for (index, mail) in Mail::ALL.into_iter().enumerate() {
        // Servers number messages by the time that the name begins with.
        let path = dir.join("cur").join(format!("{}.{}.localhost:2,", 1_000_000_001 + index, mail.mark()));
        fs::write(&path, mail.stored()).map_err(|error| named(&path, &error))?;
    }
    Ok(())
}

/// Writes the mailbox into a new mbox file.
///
/// # Errors
///
/// The operating system's; [`io::ErrorKind::AlreadyExists`], if the file is there.
pub fn mbox(path: &Path) -> io::Result<()> {
    let mut file = fs::File::create_new(path).map_err(|error| named(path, &error))?;
    for mail in Mail::ALL {
        let mut text = b"From mrose@example.org Thu Jan  1 00:00:00 1998\n".to_vec();
        text.extend_from_slice(&mail.stored());
        text.push(b'\n');
        file.write_all(&text).map_err(|error| named(path, &error))?;
    }
    Ok(())
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
