//! Message text and lines of the kinds that are measured, the same on every machine.

/// How much text a row measures, unless it says otherwise.
pub const OCTETS: usize = 512 * 1024;

/// The first octets of every message.
const HEADER: &[u8] = b"Received: from a.example by b.example; Fri, 21 Nov 1997 09:55:06 -0600\r\n\
From: John Doe <jdoe@machine.example>\r\n\
To: Mary Smith <mary@example.net>\r\n\
Subject: Saying Hello\r\n\
Message-ID: <1234@local.machine.example>\r\n\r\n";

/// A xorshift generator: no dependency, and the same numbers everywhere.
struct Numbers(u64);

impl Numbers {
    const fn new() -> Self {
        Self(0x9E37_79B9_7F4A_7C15)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 33) % bound as u64).unwrap_or(0)
    }
}

fn lines(mut line: impl FnMut(&mut Numbers, &mut Vec<u8>)) -> Vec<u8> {
    let (mut numbers, mut text) = (Numbers::new(), HEADER.to_vec());
    while text.len() < OCTETS {
        line(&mut numbers, &mut text);
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// An attachment in base64: lines of 76, and no dot behind the header.
#[must_use]
pub fn base64() -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    lines(|numbers, text| text.extend((0..76).map(|_| ALPHABET[numbers.below(64)])))
}

/// Sentences, in lines of about 72.
fn prose(numbers: &mut Numbers, text: &mut Vec<u8>) {
    let end = text.len() + 66 + numbers.below(8);
    while text.len() < end {
        text.extend((0..1 + numbers.below(9)).map(|_| b"etaoinshrdlu"[numbers.below(12)]));
        text.extend_from_slice([&b" "[..], b" ", b" ", b" ", b", ", b" ", b" ", b" ", b". "][numbers.below(9)]);
    }
}

/// Plain text, with dots at the end of its sentences.
#[must_use]
pub fn text() -> Vec<u8> {
    lines(prose)
}

/// Plain text of which `percent` of the lines begin with a dot, stuffed.
#[must_use]
pub fn dotted(percent: usize) -> Vec<u8> {
    lines(|numbers, text| {
        if numbers.below(100) < percent {
            text.extend_from_slice(b"..");
        }
        prose(numbers, text);
    })
}

/// Quoted-printable text whose soft line breaks leave many dots at the beginning of a line.
#[must_use]
pub fn quoted_printable() -> Vec<u8> {
    lines(|numbers, text| {
        if numbers.below(10) == 0 {
            text.extend_from_slice(b"..");
        }
        let end = text.len() + 68;
        while text.len() < end {
            match numbers.below(5) {
                0 => text.extend_from_slice(b"=C3=A4"),
                1 => text.extend_from_slice(b".example=3D"),
                _ => text.extend((0..1 + numbers.below(9)).map(|_| b"etaoinshrdlu"[numbers.below(12)])),
            }
        }
        text.push(b'=');
    })
}

/// The worst that stuffed text can be: every line is a dot.
#[must_use]
pub fn dots() -> Vec<u8> {
    b"..\r\n".repeat(OCTETS / 4)
}

/// What looks like the end of a message or like stuffing in text whose lines end in CRLF, and is neither. No line of it ends.
#[must_use]
pub fn near_misses() -> Vec<u8> {
    b"\n.\n.\r\r.\n\n.x".iter().copied().cycle().take(OCTETS).collect()
}

/// One line, with nothing in it that could be an end.
#[must_use]
pub fn one_line(octets: usize) -> Vec<u8> {
    vec![b'x'; octets]
}

/// One line of dots.
#[must_use]
pub fn line_of_dots(octets: usize) -> Vec<u8> {
    let mut line = vec![b'.'; octets];
    line[0] = b'x';
    line
}

/// The text as it is stored by a system whose lines end in LF.
#[must_use]
pub fn stored(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|&octet| octet != b'\r').collect()
}

/// The text before it was stuffed.
#[must_use]
pub fn plain(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|&octet| octet == b'\n') {
        plain.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
    plain
}
