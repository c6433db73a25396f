//! Seeds of byte-stuffing.

use super::Seeds;
use pop3_proto_fuzz::plan::Script;

/// What breaks those who stuff and those who do not.
const MESSAGES: [(&str, &[u8]); 27] = [
    ("empty", b""),
    ("rfc1939-10-text", b"Subject: hi\r\n\r\ntext\r\n"),
    ("field-w2-one-dot", b"."),
    ("field-w2-dot-first", b".first\r\nsecond\r\n"),
    ("field-f31-dot-line", b".\r\n"),
    ("cve-2001-0996-dot-line-in-the-middle", b"a\r\n.\r\nb\r\n"),
    ("smuggling-lf-dot-lf", b"a\n.\nb\n"),
    ("smuggling-lf-dot-crlf", b"a\n.\r\nb\r\n"),
    ("smuggling-crlf-dot-lf", b"a\r\n.\nb\r\n"),
    ("smuggling-cr-dot-cr", b"a\r.\rb\r"),
    ("smuggling-nul", b"a\r\n.\0\r\nb\r\n"),
    ("rustsec-2021-0069-lf-dot", b"\n.\n"),
    ("field-w16-no-line-end", b"no line end"),
    ("field-w16-cr-at-the-end", b"ends in CR\r"),
    ("field-w18-nul", b"a\0b\r\n\0\r\n"),
    ("field-w18-bare-cr", b"a\rb\r\rc\r\n"),
    ("field-w18-cr-cr-lf", b"a\r\r\nb\r\r\n"),
    ("field-f32-dots", b".\r\n..\r\n...\r\n....\r\n"),
    ("field-f33-dots-inside", b"a.b\r\n a.\r\n.a\r\n"),
    ("mistake-3-eight-bit", b"\x80\xff\xc3\xa9\r\n"),
    ("lines-of-lf", b"a\nb\n\nc"),
    ("empty-lines", b"\r\n\r\n\n\n\r\n"),
    ("cr-lf-cut", b"a\r\nb\nc\rd"),
    ("looks-like-replies", b"+OK\r\n-ERR\r\n.\r\n+OK 1 2\r\n"),
    ("field-f27-long-line", &[b'x'; 1200]),
    ("dots-only", b"........"),
    ("cr-only", b"\r\r\r\r\r"),
];

pub(crate) fn body_decode() -> Seeds {
    let mut seeds = Seeds::of("body_decode");
    let cuts: [&[u8]; 3] = [&[], &[1, 1, 1, 1, 1, 1, 1, 1, 1, 1], &[3, 0, 2, 1]];
    for (place, (name, message)) in MESSAGES.into_iter().enumerate() {
        // As a server sends it that stuffs, and as one that does not.
        let stuffed = pop3_proto_fuzz::naive::dot::stuff(message);
        let cuts = cuts[place % cuts.len()];
        seeds.add(&format!("{name}-stuffed"), Script::new().octet(0).chunk(cuts).rest(&stuffed));
        let forgot = [message, b"\r\n.\r\n+OK"].concat();
        seeds.add(&format!("{name}-not-stuffed"), Script::new().octet(0).chunk(cuts).rest(&forgot));
        let latched = [message, b"\n.\n-ERR"].concat();
        seeds.add(&format!("{name}-bare-lf"), Script::new().octet(1).chunk(cuts).rest(&latched));
    }
    let terminators: [(&str, &[u8]); 8] = [
        ("field-f29-end-cut-behind-dot", b"a\r\n.\r\n"),
        ("field-f28-end-without-crlf", b"a\r\n."),
        ("end-half", b"a\r\n.\r"),
        ("dot-cr-x", b".\rx\r\n.\r\n"),
        ("dot-space", b"a\r\n. \r\n.\r\n"),
        ("dot-cr-cr-lf", b"a\r\n.\r\r\n.\r\n"),
        ("dot-dot-end", b"a\r\n..\r\n.\r\n"),
        ("end-at-once", b".\r\n+OK\r\n"),
    ];
    for (name, octets) in terminators {
        for cut in 1..=4 {
            seeds.add(&format!("{name}-cut-{cut}"), Script::new().octet(0).chunk([cut, 1, 1]).rest(octets));
        }
    }
    seeds
}

pub(crate) fn body_encode() -> Seeds {
    let mut seeds = Seeds::of("body_encode");
    for (name, message) in MESSAGES {
        for (policy, place) in [("canonical", 0), ("canonical-all", 1), ("reject", 2), ("trusted", 3)] {
            let cuts: &[u8] = if place % 2 == 0 { &[1, 2, 1, 1] } else { &[2, 0, 1, 3] };
            seeds.add(&format!("{name}-{policy}"), Script::new().octet(place).chunk(cuts).rest(message));
        }
    }
    seeds
}
