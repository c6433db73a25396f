//! Messages that break mail software, and the octets that POP3 must deliver for them.
//!
//! "Deliver" means after the client has removed the dots: what a correct client holds in the end. The rule is RFC 1939's
//! lines-ended-by-CRLF, applied to stored mail:
//!
//! * a bare LF becomes CRLF (it is a line end in the local form of the store);
//! * CRLF stays, so that both ways of storing the same mail give the same octets;
//! * a bare CR is no line end and stays, wherever it stands;
//! * a last line without its line end gets one, because the termination octet needs a line of its own;
//! * a message of no octets has no line and stays empty.

/// One message: as it lies in the maildrop, and as it has to arrive.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) stored: Vec<u8>,
    pub(crate) canonical: Vec<u8>,
}

impl Message {
    fn new(name: &'static str, stored: impl Into<Vec<u8>>) -> Self {
        let stored = stored.into();
        let canonical = canonical(&stored);
        Self { name, stored, canonical }
    }
}

/// The canonical octets, by the plainest loop that could be right: one octet at a time, one octet of memory.
pub(crate) fn canonical(stored: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut previous = 0;
    for &octet in stored {
        if octet == b'\n' && previous != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        previous = octet;
    }
    if !out.is_empty() && !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// What stands on the wire between the status line and the end of the reply, termination octet and its CRLF included.
/// Takes canonical octets, whose lines all end in CRLF.
pub(crate) fn on_the_wire(canonical: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at_line_start = true;
    for &octet in canonical {
        if at_line_start && octet == b'.' {
            out.push(b'.');
        }
        out.push(octet);
        at_line_start = octet == b'\n';
    }
    out.extend_from_slice(b".\r\n");
    out
}

/// All messages of moderate size (the largest has a few hundred thousand octets), in a fixed order, with distinct names.
pub(crate) fn corpus() -> Vec<Message> {
    let mut all = Vec::new();
    let mut add = |name, stored: Vec<u8>| all.push(Message::new(name, stored));

    // Ordinary mail first: if these fail, the rest need not be looked at.
    add("plain", b"From: a@example.org\nSubject: plain\n\nHello.\nBye.\n".to_vec());
    add("plain-stored-crlf", b"From: a@example.org\r\nSubject: crlf\r\n\r\nHello.\r\nBye.\r\n".to_vec());
    add(
        "utf-8",
        "Subject: \u{e9}t\u{e9}\n\nGr\u{fc}\u{df}e, \u{65e5}\u{672c}\u{8a9e}, \u{1f4ee}\n".as_bytes().to_vec(),
    );
    add("mbox-lookalike", b"Subject: From\nContent-Length: 3\n\nFrom here on\n>From there\nX-UIDL: 7\n".to_vec());

    // Dots. RFC 1939 section 3: a line that begins with the termination octet is byte-stuffed, the first line of all included.
    add("dot-first-octet", b".first octet of the message\n\nbody\n".to_vec());
    add("dot-first-octet-twice", b"..two of them\n\nbody\n".to_vec());
    add("dot-only", b".".to_vec());
    add("dot-only-lf", b".\n".to_vec());
    add("dot-only-crlf", b".\r\n".to_vec());
    add("dot-dot-only", b"..".to_vec());
    add("dot-lines-only", b".\n.\n.\n".to_vec());
    let dots = "Subject: dots\n\n.\n..\n...\n.x\n..x\n. \n.\t\n a.\n .\n\n.\n\n.\n.end\n..end\nend.\n.\n";
    add("dots-everywhere", dots.as_bytes().to_vec());
    add("dots-everywhere-stored-crlf", dots.replace('\n', "\r\n").into_bytes());
    add("dots-last-line-dot-unended", dots.trim_end().as_bytes().to_vec());
    add("dots-last-line-dot-dot-unended", b"Subject: x\n\nbody\n..".to_vec());
    add("dots-in-the-header", b"Subject: x\n.X-Odd: y\n.\n\n.body\n".to_vec());
    add("dots-one-long-line", [b"Subject: x\n\n".as_slice(), &b".".repeat(100_000)].concat());
    // Five octets on the wire for each line end and dot, so that every place in the pattern falls on every buffer's edge.
    add("dots-across-every-edge", [b"Subject: x\n".as_slice(), &b"\n.".repeat(40_000), b"\nend\n"].concat());

    // The last line, and line ends in general.
    add("end-missing", b"Subject: x\n\nthe last line has no end".to_vec());
    add("end-missing-stored-crlf", b"Subject: x\r\n\r\nthe last line has no end".to_vec());
    add("end-bare-cr", b"Subject: x\n\nthe last octet is CR\r".to_vec());
    add("end-cr-cr-lf", b"Subject: x\n\nCR CR LF\r\r\n".to_vec());
    add("end-many-blank-lines", b"Subject: x\n\nbody\n\n\n\n\n".to_vec());
    add("lf-and-crlf-mixed", b"Subject: x\r\nX-A: b\n\r\none\ntwo\r\nthree\n\r\n\nfour\r\n".to_vec());
    add("lf-once-in-crlf", b"Subject: x\r\n\r\none\ntwo\r\nthree\r\n".to_vec());
    add("crlf-once-in-lf", b"Subject: x\n\none\r\ntwo\nthree\n".to_vec());
    add("blank-lines-only", b"\n".repeat(3_000));

    // Bare CR: content, wherever it stands.
    add("cr-inside-lines", b"Subject: x\n\none\rtwo\n\rthree\nfour\r\r\rfive\n".to_vec());
    add("cr-before-dot", b"Subject: x\n\none\r.\ntwo\r.\rthree\n\r.\n.\r\n.\r.\n".to_vec());
    add("cr-before-dot-stored-crlf", b"Subject: x\r\n\r\none\r.\r\ntwo\r.\rthree\r\n\r.\r\n.\r\r\n".to_vec());
    add("cr-after-last-dot", b"Subject: x\n\nbody\n.\r".to_vec());
    add("cr-only-line-ends", b"Subject: x\r\rone\r.\rtwo\r".to_vec());
    add("cr-runs", b"Subject: x\n\n\r\r\r\n\r\r\n\r\n\n\r\r".to_vec());
    add("lf-cr", b"Subject: x\n\none\n\rtwo\n\r".to_vec());

    // Smuggling: an LF "." LF in a message of CRLF lines, and its relatives, with what an attacker would put behind it.
    for (name, end) in [
        ("smuggle-lf-dot-lf", b"\n.\n".as_slice()),
        ("smuggle-lf-dot-crlf", b"\n.\r\n"),
        ("smuggle-crlf-dot-lf", b"\r\n.\n"),
        ("smuggle-crlf-dot-crlf", b"\r\n.\r\n"),
        ("smuggle-cr-dot-cr", b"\r.\r"),
        ("smuggle-cr-dot-crlf", b"\r.\r\n"),
        ("smuggle-crlf-dot-cr-cr-lf", b"\r\n.\r\r\n"),
        ("smuggle-lf-cr-dot-crlf", b"\n\r.\r\n"),
        ("smuggle-crlf-nul-dot-crlf", b"\r\n\0.\r\n"),
        ("smuggle-crlf-dot-nul-crlf", b"\r\n.\0\r\n"),
    ] {
        let behind = b"+OK 1 messages\r\n1 evil\r\n.\r\n-ERR no\r\n";
        add(name, [b"Subject: x\r\n\r\nabove".as_slice(), end, behind].concat());
    }

    // Lines that look like protocol.
    add(
        "replies",
        b"Subject: x\n\n+OK\n-ERR\n+OK 2 200\n+ \n+\n.\n+OK\n1 120\n2 200\n.\n-ERR no such message\n".to_vec(),
    );
    add("replies-first", b"+OK this is the header\n\n-ERR\n".to_vec());
    add("replies-stored-crlf", b"Subject: x\r\n\r\n+OK\r\n.\r\n+OK\r\n-ERR\r\n.\r\n".to_vec());
    add("commands", b"QUIT\r\nDELE 1\r\n\r\nQUIT\r\n".to_vec());

    // Octets that text functions lose.
    add("nul", b"Subject: \0x\n\n\0\none\0two\n\0.\n.\0\n\0\n".to_vec());
    add("nul-only", b"\0".to_vec());
    add("eight-bit-every-octet", [b"Subject: x\n\n".to_vec(), (0..=255).collect(), (0..=255).rev().collect()].concat());
    let pairs = (0..=255u8).flat_map(|a| (0..=255u8).flat_map(move |b| [a, b]));
    add("eight-bit-every-pair", b"Subject: x\n\n".iter().copied().chain(pairs).collect());
    add("ctrl-z", b"Subject: x\n\none\x1a\x04two\n\x1a\n".to_vec());

    // Shapes.
    add("empty", Vec::new());
    add("header-only", b"Subject: x\nFrom: a@example.org\n\n".to_vec());
    add("header-only-no-blank-line", b"Subject: x\nFrom: a@example.org\n".to_vec());
    add("header-only-unended", b"Subject: x\nFrom: a@example.org".to_vec());
    add("header-missing", b"\nbody at once\n".to_vec());
    add("lf-only", b"\n".to_vec());
    add("crlf-only", b"\r\n".to_vec());
    add("cr-only", b"\r".to_vec());
    add("one-octet", b"x".to_vec());
    add("long-lines", (990..=1010).chain(4_090..=4_100).flat_map(|n| [vec![b'x'; n], vec![b'\n']].concat()).collect());
    all
}

/// Ten million octets without a line end, none at the end either. Every octet but CR and LF occurs.
pub(crate) fn ten_megabytes_on_one_line() -> Message {
    let mut stored = b"Subject: ten megabytes on one line\n\n".to_vec();
    let mut random = Random(10);
    while stored.len() < 10_000_000 {
        stored.extend(random.next().to_le_bytes().iter().filter(|octet| !matches!(octet, b'\r' | b'\n')));
    }
    stored.truncate(10_000_000);
    Message::new("ten-megabytes-on-one-line", stored)
}

/// Fifty million octets in lines of 0 to 199 octets of any value, one in eight beginning with dots, ended by LF or CRLF.
///
/// Made of one block of about a million octets that is repeated behind a counting line (so that a block lost, doubled or out of
/// place shows). A block begins and ends at a line end, which makes the canonical octets of the whole those of its parts:
/// the octet loop has to run over one block only, and a debug build gets there in no time.
pub(crate) fn fifty_megabytes() -> Message {
    let mut block = Vec::new();
    let mut random = Random(50);
    while block.len() < 1_000_000 {
        let kind = random.next();
        block.extend_from_slice(&b"..."[..if kind & 7 == 0 { 1 + (kind >> 8) as usize % 3 } else { 0 }]);
        for _ in 0..(kind >> 16) % 200 {
            match (random.next() >> 24) as u8 {
                b'\r' | b'\n' => block.push(b'.'),
                octet => block.push(octet),
            }
        }
        block.extend_from_slice(if (kind >> 32) & 3 == 0 { b"\r\n" } else { b"\n" });
    }
    let block_canonical = canonical(&block);

    let mut stored = b"Subject: fifty megabytes\n\n".to_vec();
    let mut canonical = canonical(&stored);
    let mut number = 0;
    while stored.len() < 50_000_000 {
        stored.extend_from_slice(format!("{number:08}\n").as_bytes());
        stored.extend_from_slice(&block);
        canonical.extend_from_slice(format!("{number:08}\r\n").as_bytes());
        canonical.extend_from_slice(&block_canonical);
        number += 1;
    }
    Message { name: "fifty-megabytes", stored, canonical }
}

/// xorshift64: the same octets on every machine and in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
