//! Mail that is the same in every run, and Maildirs full of it.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

/// How the lines of a stored message end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    Lf,
    Crlf,
}

impl Lines {
    const fn octets(self) -> &'static [u8] {
        match self {
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
        }
    }
}

/// A message of about `octets`: a short header, and base64 in lines of 76. `seed` makes it another one.
pub(crate) fn message(seed: u64, octets: usize, lines: Lines) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let end = lines.octets();
    let mut message = Vec::with_capacity(octets + 128);
    let _ = write!(message, "From: ford@example.com");
    message.extend_from_slice(end);
    let _ = write!(message, "Subject: number {seed}");
    message.extend_from_slice(end);
    message.extend_from_slice(end);
    let mut random = Random(seed);
    while message.len() + 78 < octets {
        let mut left = 76;
        while left > 0 {
            let mut word = random.next();
            for _ in 0..left.min(10) {
                message.push(ALPHABET[(word & 63) as usize]);
                word >>= 6;
            }
            left -= left.min(10);
        }
        message.extend_from_slice(end);
    }
    message
}

/// splitmix64.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// A message as RETR sends it: line ends CRLF, dots stuffed, the termination octet behind it.
pub(crate) fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(message.len() + message.len() / 32 + 8);
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        wire.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// Whether the names of the files tell the sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    WithSizes,
    Plain,
}

/// Fills `DIR/cur` with messages, made by `content` from their numbers.
pub(crate) fn maildir(
    path: &Path,
    messages: u32,
    names: Names,
    mut content: impl FnMut(u32) -> Vec<u8>,
) -> io::Result<()> {
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(path.join(folder))?;
    }
    for number in 1..=messages {
        let octets = content(number);
        let mut name = format!("{}.M{number}P1.example", 1_700_000_000 + number);
        if names == Names::WithSizes {
            let bare = bare_line_ends(&octets);
            name += &format!(",S={},W={}", octets.len(), octets.len() + bare);
        }
        fs::write(path.join("cur").join(name + ":2,"), octets)?;
    }
    Ok(())
}

fn bare_line_ends(octets: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', octets).filter(|&at| at == 0 || octets[at - 1] != b'\r').count()
}
