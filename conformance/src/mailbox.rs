//! The mailbox that cases run against: a few messages, each made to catch one kind of mistake.
//!
//! All of them are plain octets with CRLF, as RETR has to deliver them; [`Mail::stored`] gives the same as a file with
//! LF. A message is told from the others by what it holds, never by its number.

/// A message of the mailbox.
///
/// ```
/// use pop3_conformance::mailbox::Mail;
///
/// // A server that stores lines with LF has to deliver them with CRLF.
/// assert_eq!(Mail::First.octets().len(), 120);
/// assert!(Mail::First.stored().len() < 120);
/// assert_eq!(Mail::find(&Mail::Dots.stored()), Some(Mail::Dots));
/// assert!(Mail::Dots.octets().starts_with(b".\r\n..\r\n"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mail {
    /// 120 octets, as in the examples of RFC 1939.
    First,
    /// 200 octets, as in the examples of RFC 1939.
    Second,
    /// Its first octet is a dot; lines `.`, `..`, `.x`, `...`, `a.b`; the last line is `.`.
    Dots,
    /// Folded header fields, an empty line, and 12 numbered lines of body.
    TwelveLines,
    /// A header, and no empty line behind it.
    HeaderOnly,
    /// UTF-8 in a header field, and 8-bit octets that are no UTF-8 in the body.
    EightBit,
    /// NUL and bare CR in the body.
    Raw,
    /// A line of 5000 octets.
    LongLine,
    /// It may be removed by a case that deletes for good.
    Spare,
    /// As [`Mail::Spare`].
    Spare2,
    /// As [`Mail::Spare`].
    Spare3,
}

impl Mail {
    /// All of them, in the order in which they stand in the mailbox, from message-number 1.
    pub const ALL: [Self; 11] = [
        Self::First,
        Self::Second,
        Self::Dots,
        Self::TwelveLines,
        Self::HeaderOnly,
        Self::EightBit,
        Self::Raw,
        Self::LongLine,
        Self::Spare,
        Self::Spare2,
        Self::Spare3,
    ];

    /// What no other message holds.
    #[must_use]
    pub const fn mark(self) -> &'static str {
        match self {
            Self::First => "pop3-conformance.first",
            Self::Second => "pop3-conformance.second",
            Self::Dots => "pop3-conformance.dots",
            Self::TwelveLines => "pop3-conformance.twelve",
            Self::HeaderOnly => "pop3-conformance.header",
            Self::EightBit => "pop3-conformance.eight",
            Self::Raw => "pop3-conformance.raw",
            Self::LongLine => "pop3-conformance.long",
            Self::Spare => "pop3-conformance.spare-1",
            Self::Spare2 => "pop3-conformance.spare-2",
            Self::Spare3 => "pop3-conformance.spare-3",
        }
    }

    /// The unique-id that our own server gives it.
    #[must_use]
    pub fn unique_id(self) -> String {
        self.mark().replace("pop3-conformance.", "uid-")
    }

    /// The message as RETR delivers it, without stuffing: every line ends in CRLF.
    #[must_use]
    pub fn octets(self) -> Vec<u8> {
        let mark = self.mark();
        let subject = format!("Subject: {mark}\r\nFrom: mrose@example.org\r\n\r\n");
        let text = |body: &[u8]| [subject.as_bytes(), body].concat();
        match self {
            Self::First => filled(&subject, 120),
            Self::Second => filled(&subject, 200),
            Self::Dots => [b".\r\n..\r\n.x\r\n...\r\na.b ", mark.as_bytes(), b"\r\n\r\n.text\r\n.\r\n"].concat(),
            Self::TwelveLines => {
                let mut message =
                    format!("Subject: {mark}\r\n\tfolded\r\nFrom: mrose@example.org\r\nX-Folded: one\r\n two\r\n\r\n");
                for number in 1..=12 {
                    let dots = if number % 3 == 1 { "." } else { "" };
                    message.push_str(&format!("{dots}line {number} of 12\r\n"));
                }
                message.into_bytes()
            }
            Self::HeaderOnly => format!("Subject: {mark}\r\nFrom: mrose@example.org\r\n").into_bytes(),
            Self::EightBit => {
                let header = format!("Subject: {mark} Gr\u{fc}\u{df}e\r\nFrom: mrose@example.org\r\n\r\n");
                [header.as_bytes(), b"8 bit: \xE9\xFF\x80\xC3\xA4\r\n\xFE\r\n"].concat()
            }
            Self::Raw => text(b"a\0b\r\nbare\rCR\r\n\rx\r\n\0\r\nend\r\n"),
            Self::LongLine => text(&["x".repeat(5000).as_bytes(), b"\r\nbehind it\r\n"].concat()),
            Self::Spare | Self::Spare2 | Self::Spare3 => text(b"This message may be removed.\r\n"),
        }
    }

    /// The message as a file on a disk has it: lines end in LF.
    #[must_use]
    pub fn stored(self) -> Vec<u8> {
        let octets = self.octets();
        let mut stored = Vec::with_capacity(octets.len());
        for (at, &octet) in octets.iter().enumerate() {
            if octet != b'\r' || octets.get(at + 1) != Some(&b'\n') {
                stored.push(octet);
            }
        }
        stored
    }

    /// Which message that is.
    #[must_use]
    pub fn find(octets: &[u8]) -> Option<Self> {
        let holds = |mark: &str| octets.windows(mark.len()).any(|window| window == mark.as_bytes());
        Self::ALL.into_iter().find(|mail| holds(mail.mark()))
    }
}

/// Lines of body up to exactly that many octets.
fn filled(header: &str, octets: usize) -> Vec<u8> {
    let mut message = header.to_owned();
    while message.len() < octets {
        let left = octets - message.len();
        let line = if left <= 40 { left } else { 38 };
        message.push_str(&"a line that fills the message, no more.".chars().take(line - 2).collect::<String>());
        message.push_str("\r\n");
    }
    message.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_messages_have_the_sizes_of_the_rfcs_examples() {
        assert_eq!((Mail::First.octets().len(), Mail::Second.octets().len()), (120, 200));
    }

    #[test]
    fn what_is_stored_with_lf_is_delivered_with_crlf_and_nothing_is_lost() {
        for mail in Mail::ALL {
            let delivered: Vec<u8> = mail
                .stored()
                .iter()
                .flat_map(|&octet| if octet == b'\n' { b"\r\n".to_vec() } else { vec![octet] })
                .collect();
            assert_eq!(delivered, mail.octets());
        }
    }

    #[test]
    fn each_message_is_found_by_its_own_mark_in_either_form() {
        for mail in Mail::ALL {
            assert_eq!(Mail::find(&mail.octets()), Some(mail));
            assert_eq!(Mail::find(&mail.stored()), Some(mail));
            assert!(mail.octets().ends_with(b"\r\n"));
        }
    }
}
