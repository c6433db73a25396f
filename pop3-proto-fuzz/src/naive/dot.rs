//! Byte-stuffing (RFC 1939 §3), naively, and four kinds of reader that look for the end of a message.

/// Message text with the stuffing removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unstuffed {
    /// The text.
    pub text: Vec<u8>,
    /// How many octets were taken when the end was there; `None` if it was not.
    pub end: Option<usize>,
    /// For each octet taken, how long the text was known to be behind it.
    pub known: Vec<usize>,
}

/// Takes the stuffing out of message text, an octet at a time.
#[derive(Clone, Debug)]
pub struct Body {
    bare_lf: bool,
    keeps_stuffing: bool,
    line_start: bool,
    /// What began a line and may yet be the end.
    held: Vec<u8>,
    before: u8,
}

impl Body {
    /// At the beginning. With `bare_lf` every LF ends a line, a CR before it not counted at the end of the message; else
    /// only CRLF does.
    #[must_use]
    pub fn new(bare_lf: bool) -> Self {
        Self { bare_lf, keeps_stuffing: false, line_start: true, held: vec![], before: 0 }
    }

    /// Leaves the stuffing in the text.
    #[must_use]
    pub fn keeping_stuffing(self) -> Self {
        Self { keeps_stuffing: true, ..self }
    }

    /// Takes an octet, and appends text. `true`: that was the end.
    pub fn take(&mut self, octet: u8, text: &mut Vec<u8>) -> bool {
        match (&self.held[..], octet) {
            ([], b'.') if self.line_start => self.held.push(octet),
            (b".", b'\r') => self.held.push(octet),
            (b".\r", b'\n') => return true,
            (b".", b'\n') if self.bare_lf => return true,
            _ => {
                // The first dot goes, whatever is behind it.
                text.extend(self.held.drain(..).skip(usize::from(!self.keeps_stuffing)));
                text.push(octet);
            }
        }
        self.line_start = octet == b'\n' && (self.bare_lf || self.before == b'\r');
        self.before = octet;
        false
    }
}

/// Takes the stuffing out of the whole of `octets`; see [`Body`].
pub fn unstuff(octets: &[u8], bare_lf: bool) -> Unstuffed {
    let (mut found, mut body) = (Unstuffed::default(), Body::new(bare_lf));
    for (at, &octet) in octets.iter().enumerate() {
        let end = body.take(octet, &mut found.text);
        found.known.push(found.text.len());
        if end {
            found.end = Some(at + 1);
            break;
        }
    }
    found
}

/// What becomes of line ends that are not CRLF when a message is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// A bare LF becomes CRLF, a bare CR passes.
    Canonical,
    /// A bare CR becomes CRLF too.
    CanonicalAll,
    /// A bare LF or CR is refused.
    Reject,
    /// Everything passes.
    Trusted,
}

impl Policy {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Canonical, Self::CanonicalAll, Self::Reject, Self::Trusted];
}

/// The message as it is to arrive, with CRLF at its end; `None` if it is refused.
pub fn canonical(message: &[u8], policy: Policy) -> Option<Vec<u8>> {
    let mut text = vec![];
    for (at, &octet) in message.iter().enumerate() {
        let before = if at > 0 { message[at - 1] } else { 0 };
        let behind = message.get(at + 1).copied();
        let bare_lf = octet == b'\n' && before != b'\r';
        let bare_cr = octet == b'\r' && behind != Some(b'\n');
        match policy {
            Policy::Reject if bare_lf || bare_cr => return None,
            Policy::Canonical | Policy::CanonicalAll if bare_lf => text.extend_from_slice(b"\r\n"),
            Policy::CanonicalAll if bare_cr => text.extend_from_slice(b"\r\n"),
            _ => text.push(octet),
        }
    }
    if !text.is_empty() && !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    Some(text)
}

/// The text with its dots stuffed, behind every LF and at its beginning, and `.` CRLF behind it.
pub fn stuff(text: &[u8]) -> Vec<u8> {
    let mut wire = vec![];
    let mut line_start = true;
    for &octet in text {
        if line_start && octet == b'.' {
            wire.push(b'.');
        }
        wire.push(octet);
        line_start = octet == b'\n';
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// Who looks for the end of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Splits at CRLF alone.
    Crlf,
    /// Splits at LF, and does not count a CR before it.
    Lf,
    /// The same, and of a line sees what is before its first NUL.
    Nul,
    /// Splits at CR and at LF.
    CrOrLf,
}

impl Reader {
    /// How many octets there are up to the end of the message, as this reader sees it.
    #[must_use]
    pub fn end(self, wire: &[u8]) -> Option<usize> {
        let mut line: Vec<u8> = vec![];
        for (at, &octet) in wire.iter().enumerate() {
            let before = if at > 0 { wire[at - 1] } else { 0 };
            let ends = match self {
                Self::Crlf => octet == b'\n' && before == b'\r',
                Self::Lf | Self::Nul => octet == b'\n',
                Self::CrOrLf => octet == b'\r' || octet == b'\n',
            };
            if !ends {
                line.push(octet);
                continue;
            }
            if self != Self::CrOrLf && line.last() == Some(&b'\r') {
                line.pop();
            }
            if self == Self::Nul {
                line = line.split(|&octet| octet == 0).next().unwrap_or_default().to_vec();
            }
            if line == b"." {
                // Who splits at CR has the LF of CRLF still before it.
                let lf_follows = self == Self::CrOrLf && octet == b'\r' && wire.get(at + 1) == Some(&b'\n');
                return Some(at + 1 + usize::from(lf_follows));
            }
            line.clear();
        }
        None
    }
}
