//! Seeds of the parsers and constructors.

use super::Seeds;
use pop3_proto_fuzz::command_build::What;
use pop3_proto_fuzz::plan::Script;
use std::fs;
use std::path::Path;

/// One of the RFCs' exchanges: whose line it is (`C` or `S`), and its octets.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) name: String,
    pub(crate) lines: Vec<(char, String)>,
}

/// The transcripts in a folder, in the order of their names.
pub(crate) fn transcripts(folder: &Path) -> Vec<Transcript> {
    let Ok(entries) = fs::read_dir(folder) else { panic!("{} cannot be read", folder.display()) };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let mut lines: Vec<(char, String)> = vec![];
        for line in text.lines() {
            let mut characters = line.chars();
            let (side, mark, rest) = (characters.next(), characters.next(), characters.as_str());
            match (side, mark) {
                (Some(side @ ('C' | 'S')), Some(':')) => {
                    lines.push((side, rest.strip_prefix(' ').unwrap_or(rest).to_string()));
                }
                (Some('S'), Some('~')) => lines.push(('S', "Subject: hi\r\n\r\n..dot\r\ntext".into())),
                (Some('C' | 'S'), Some('|')) => {
                    let more = rest.strip_prefix(' ').unwrap_or(rest);
                    if let Some((_, line)) = lines.last_mut() {
                        line.push_str(more);
                    }
                }
                _ => {}
            }
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
        Transcript { name, lines }
    };
    paths.iter().map(read).collect()
}

/// What one side says in a transcript, with CRLF.
pub(crate) fn said(transcript: &Transcript, side: char) -> String {
    transcript.lines.iter().filter(|(who, _)| *who == side).map(|(_, line)| format!("{line}\r\n")).collect()
}

pub(crate) fn command_parse(transcripts: &[Transcript]) -> Seeds {
    let mut seeds = Seeds::of("command_parse");
    let strict = |line: &str| Script::new().octet(b'0').rest(line);
    for transcript in transcripts {
        for (place, (_, line)) in transcript.lines.iter().filter(|(side, _)| *side == 'C').enumerate() {
            let name = format!("{}-{place}", transcript.name);
            seeds.add(&name, strict(&format!("{line}\r\n")));
        }
    }
    for (name, line) in [
        ("cpython-143923-crlf-in-user", "USER mrose\r\nDELE 1\r\n"),
        ("commons-net-400-lf-in-pass", "PASS a\nQUIT\r\n"),
        ("nginx-1620-nul-in-user", "USER mrose\0x\r\n"),
        ("cve-2012-0036-encoded-crlf", "RETR 1%0d%0aDELE 1\r\n"),
        ("field-w4-number-wraps", "DELE 4294967297\r\n"),
        ("field-w4-number-wraps-64", "RETR 18446744073709551617\r\n"),
        ("field-w5-digit-and-letter", "RETR 1x\r\n"),
        ("field-w5-plus", "RETR +1\r\n"),
        ("field-w5-decimal", "RETR 1.0\r\n"),
        ("field-w5-two-numbers", "RETR 1 2\r\n"),
        ("field-w5-zero", "RETR 0\r\n"),
        ("field-w5-minus", "RETR -1\r\n"),
        ("field-w5-leading-zeros", "RETR 0001\r\n"),
        ("field-w7-leading-space", " NOOP\r\n"),
        ("field-w7-double-space", "USER  mrose\r\n"),
        ("field-w7-trailing-space", "NOOP \r\n"),
        ("field-w7-tab", "RETR\t1\r\n"),
        ("field-w7-quit-now", "QUIT now\r\n"),
        ("field-w8-bare-lf", "NOOP\nNOOP\r\n"),
        ("field-w8-cr-cr-lf", "NOOP\r\r\n"),
        ("field-w8-nul", "NOOP\0\r\n"),
        ("field-f35-spaces-in-password", "PASS  two  spaces \r\n"),
        ("field-f35-empty-password", "PASS \r\n"),
        ("field-f36-utf8-password", "PASS p\u{e4}ss\r\n"),
        ("field-f1-xoauth2-in-one-line", "AUTH XOAUTH2 dXNlcj1tcm9zZQFhdXRoPUJlYXJlciB0AQE=\r\n"),
        ("field-f48-auth-alone", "AUTH\r\n"),
        ("field-w12-empty-initial-response", "AUTH PLAIN =\r\n"),
        ("field-f50-top-without-lines", "TOP 1\r\n"),
        ("field-w17-top-minus", "TOP 1 -1\r\n"),
        ("field-w17-top-two-to-the-32", "TOP 1 4294967296\r\n"),
        ("field-w17-top-saturates", "TOP 1 99999999999999999999\r\n"),
        ("field-w13-upper-case-digest", "APOP mrose C4C9334BAC560ECC979E58001B3E22FB\r\n"),
        ("lower-case-keyword", "retr 1\r\n"),
        ("other-keyword", "XTND XMIT now\r\n"),
        ("lang-any", "LANG *\r\n"),
        ("utf8", "UTF8\r\n"),
        ("list-with-number", "LIST 2\r\nUIDL 2\r\n"),
        ("incomplete", "RETR 1\r"),
        ("empty-line", "\r\n"),
    ] {
        seeds.add(name, strict(line));
    }
    seeds.add("tolerant-bare-lf", Script::new().octet(b'1').rest("NOOP\nQUIT\n"));
    seeds.add("tolerant-trailing-spaces", Script::new().octet(b'2').rest("LIST 1  \r\n"));
    seeds.add("tolerant-spaces-in-name", Script::new().octet(b'4').rest("USER m rose\r\n"));
    seeds.add("tolerant-all", Script::new().octet(b'7').rest("USER m rose \n"));
    for length in [254, 255, 256, 509, 510, 511] {
        let line = format!("PASS {}\r\n", "x".repeat(length - 7));
        seeds.add(&format!("limit-{length}"), strict(&line));
    }
    seeds
}

pub(crate) fn reply_parse(transcripts: &[Transcript]) -> Seeds {
    let mut seeds = Seeds::of("reply_parse");
    let script = |letter: char, octets: &str| Script::new().octet(letter as u8).octet(b'0').rest(octets);
    for transcript in transcripts {
        let letter = match transcript.name.as_str() {
            name if name.contains("list-all") => 'l',
            name if name.contains("uidl-all") => 'u',
            name if name.contains("capa") => 'c',
            name if name.contains("retr") || name.ends_with("07-top") => 'm',
            name if name.contains("greeting") || name.ends_with("07-apop") => 'g',
            name if name.contains("stat") => 't',
            name if name.contains("list-one") => 'L',
            name if name.contains("uidl-one") => 'U',
            name if name.contains("lang-list") => 'A',
            name if name.contains("lang") => 'a',
            name if name.contains("plain") || name.contains("digest") || name.contains("kerberos") => 'h',
            _ => 's',
        };
        let skip = if letter == 'h' || transcript.name == "rfc5034-03-capa" { 1 } else { 0 };
        let lines: String = transcript
            .lines
            .iter()
            .filter(|(side, _)| *side == 'S')
            .skip(skip)
            .map(|(_, line)| format!("{line}\r\n"))
            .collect();
        if !lines.is_empty() {
            seeds.add(&transcript.name, script(letter, &lines));
        }
    }
    for (name, letter, octets) in [
        ("field-f7-plus-without-space", 'h', "+\r\n"),
        ("field-f4-text-challenge", 'h', "+ go ahead\r\n"),
        ("field-f5-ok-for-plus", 'h', "+OK\r\n"),
        ("field-f6-bare-ok", 's', "+OK\r\n"),
        ("field-w11-bare-err", 's', "-ERR\r\n"),
        ("field-w9-no-status", 's', "XXXXXXXX\r\n"),
        ("field-f12-err-in-list", 'c', "+OK\r\nTOP\r\n-ERR what\r\n.\r\n"),
        ("field-f15-lower-case-capabilities", 'c', "+OK\r\ntop\r\nutf8 user\r\nexpire never\r\n.\r\n"),
        ("field-f31-capability-with-dot", 'c', "+OK\r\n..hidden\r\n.hidden\r\n.\r\n"),
        ("field-w10-expirenever", 'c', "+OK\r\nEXPIRENEVER\r\nPIPELINE\r\n\r\nXOIP \r\n.\r\n"),
        ("field-f17-three-spaces", 'u', "+OK\r\n1   whqtswO00WBw418f9t5JxYwZ\r\n.\r\n"),
        ("field-f18-odd-unique-ids", 'u', "+OK\r\n1 two words\r\n2 \u{e9}\r\n3 \r\n4\r\n.\r\n"),
        ("field-f20-numbers-missing", 'u', "+OK\r\n3 c\r\n1 a\r\n1 a\r\n.\r\n"),
        ("field-f21-list-one-as-many", 'L', "+OK\r\n1 120\r\n.\r\n"),
        ("field-f22-negative-size", 't', "+OK 3 -2147483648\r\n"),
        ("field-f23-size-beyond-32-bits", 't', "+OK 3 5000000000\r\n"),
        ("field-f28-bare-lf", 'l', "+OK\n1 120\n2 200\n.\n"),
        ("field-f30-empty-list", 'l', "+OK\r\n.\r\n"),
        ("field-f41-imap", 'g', "* OK Gimap ready\r\n"),
        ("field-f41-refused", 'g', "-ERR [IN-USE] later\r\n"),
        ("field-f42-brackets-in-greeting", 'g', "+OK The server is ready. [QQBNADYAUABSADAA]\r\n"),
        ("field-f43-sys-temp", 's', "-ERR [SYS/TEMP] disk full\r\n"),
        ("field-f45-empty-line", 's', "\r\n"),
        ("field-f47-nul-in-message", 'm', "+OK\r\na\0b\r\n.\r\n"),
        ("field-f33-stuffed-message", 'm', "+OK\r\n..\r\n...\r\n.x\r\n.\r\n"),
        ("smuggling-lf-dot-lf", 'm', "+OK\r\nx\n.\n-ERR no\r\n.\r\n"),
        ("cve-2001-0996-dot-in-first-line", 'm', "+OK\r\n.\r\n+OK\r\n"),
        ("tls-record", 'g', "\x16\x03\x01\x02\r\n"),
        ("drop-listing-with-more", 't', "+OK 2 320 octets\r\n"),
        ("scan-listing-with-more", 'l', "+OK\r\n1 120 (unread)\r\n.\r\n"),
        ("numbers-too-big", 'l', "+OK\r\n4294967296 1\r\n1 18446744073709551616\r\n0 1\r\n.\r\n"),
        ("sasl-with-spaces", 'c', "+OK\r\nSASL  PLAIN  LOGIN \r\nIMPLEMENTATION\r\nLOGIN-DELAY 900 USER\r\n.\r\n"),
        ("codes", 's', "-ERR [X/Y/Z]no\r\n"),
        ("tab-behind-status", 's', "+OK\tx\r\n"),
        ("leading-spaces", 'l', "+OK\r\n  1 120\r\n 2  200\r\n.\r\n"),
        ("capability-with-spaces", 'c', "+OK\r\nTOP  \r\nUTF8  \r\nLOGIN-DELAY 900 \r\n.\r\n"),
        ("base64-behind-plus", 'h', "+dGFuc3RhYWY=\r\n"),
    ] {
        seeds.add(name, script(letter, octets));
        seeds.add(&format!("{name}-tolerant"), Script::new().octet(letter as u8).octet(b'1').rest(octets));
    }
    for length in [511, 512, 513] {
        let line = format!("+OK {}\r\n", "x".repeat(length - 6));
        seeds.add(&format!("limit-{length}"), script('s', &line));
    }
    seeds
}

pub(crate) fn command_build() -> Seeds {
    let mut seeds = Seeds::of("command_build");
    let mut add = |name: &str, what: What, number: u64, b: &str, a: &str| {
        let place = What::ALL.iter().position(|known| *known == what).unwrap_or_default() as u8;
        seeds.add(name, Script::new().octet(place).number(number).chunk(b).long_chunk(a));
    };
    let digest = "c4c9334bac560ecc979e58001b3e22fb";
    add("rfc1939-user", What::User, 0, "", "mrose");
    add("rfc1939-pass", What::Pass, 0, "", "tanstaaf");
    add("rfc1939-apop", What::Apop, 0, digest, "mrose");
    add("rfc5034-auth", What::Auth, 0, "", "DIGEST-MD5");
    add("rfc5034-auth-with-initial", What::AuthWithInitial, 0, "dGVzdAB0ZXN0AHRlc3Q=", "PLAIN");
    add("rfc1939-list", What::List, 2, "", "");
    add("rfc1939-retr", What::Retr, 1, "", "");
    add("rfc1939-dele", What::Dele, u64::from(u32::MAX), "", "");
    add("rfc1939-uidl", What::Uidl, 3, "", "");
    add("rfc1939-top", What::Top, 10 << 32 | 1, "", "");
    add("rfc6856-lang", What::Lang, 0, "", "en-boont");
    add("other", What::Other, 0, "", "XTND XMIT");
    add("cpython-143923-crlf-in-user", What::User, 0, "", "mrose\r\nDELE 1");
    add("lf-in-user", What::User, 0, "", "mrose\nDELE 1");
    add("nul-in-pass", What::Pass, 0, "", "secret\0");
    add("limit-unique-id-70", What::UniqueId, 2, &"x".repeat(70), "");
    add("limit-unique-id-71", What::UniqueId, 2, &"x".repeat(71), "");
    add("ruby-net-pop-31-lf-in-pass", What::Pass, 0, "", "secret\nQUIT");
    add("commons-net-400-cr-in-apop", What::Apop, 0, digest, "mrose\r");
    add("nginx-1620-nul-in-user", What::User, 0, "", "mrose\0");
    add("cve-2012-0036-crlf-in-other", What::Other, 0, "", "XFOO 1\r\nDELE 1");
    add("other-is-known", What::Other, 0, "", "stls");
    add("field-f36-name-beyond-ascii", What::User, 0, "", "m\u{e9}");
    add("plain", What::Plain, 0, "tanstaaf", "mrose");
    add("plain-nul", What::Plain, 0, "a\0b", "mrose");
    add("field-f2-plain-too-long", What::Plain, 0, &"p".repeat(200), "mrose");
    add("number-zero", What::Retr, 0, "", "");
    add("field-f34-crlf-in-reply", What::Ok, 0, "", "hello\r\n+OK");
    add("reply-with-bracket", What::Err, 0, "", "[AUTH] no");
    add("rfc2449-in-use", What::ErrWithCode, 0, "IN-USE", "Do you have another POP session running?");
    add("code-with-bracket", What::ErrWithCode, 0, "A]B", "x");
    add("code-lower-case", What::ErrWithCode, 0, "sys/temp", "x");
    add("rfc1939-unique-id", What::UniqueId, 2, "QhdPYR:00WBw1Ph7x7", "");
    add("unique-id-with-space", What::UniqueId, 2, "two words", "");
    add("rfc6856-language", What::Language, 0, "es", "Idioma cambiado");
    add("rfc1939-greeting", What::Greeting, 0, "<1896.697170952@dbc.mtview.ca.us>", "POP3 server ready");
    add("greeting-with-bracket", What::Greeting, 0, "<a@b>", "POP3 < ready");
    add("greeting-that-is-long", What::Greeting, 0, "<a@b>", &"ready ".repeat(100));
    add("greeting-beyond-ascii", What::Greeting, 0, "<a@b>", "pr\u{ea}t");
    add("reply-that-is-long", What::ErrWithCode, 0, "SYS/PERM", &"\u{20ac}".repeat(300));
    for length in [247, 248, 249] {
        add(&format!("limit-{length}"), What::Pass, 0, "", &"x".repeat(length));
    }
    seeds
}

pub(crate) fn greeting_apop() -> Seeds {
    let mut seeds = Seeds::of("greeting_apop");
    let mut add = |name: &str, stamp: &str, text: &str| {
        seeds.add(name, Script::new().chunk(stamp).rest(text));
    };
    let stamp = "<1896.697170952@dbc.mtview.ca.us>";
    add("rfc1939-07-apop", stamp, &format!("POP3 server ready {stamp}"));
    add("rfc2384-07-apop", "<1896.697170952@mail.eudora.com>", "POP3 server ready");
    add("rfc1939-04-greeting", "", "POP3 server ready");
    add("cve-2007-1558-octets-beyond-ascii", "<\u{e9}@b>", "ready <\u{e9}@b>");
    add("cve-2007-1558-control", "<a\x01@b>", "ready <a\x01@b>");
    add("cve-2007-1558-two", "<a@b> <c@d>", "ready <a@b> <c@d>");
    add("rfc6151-inner-brackets", "<a<b>@c>", "ready <a<b>@c>");
    add("no-at", "<ab>", "ready <ab>");
    add("two-at", "<a@b@c>", "ready <a@b@c>");
    add("nothing-before-at", "<@b>", "ready <@b>");
    add("nothing-behind-at", "<a@>", "ready <a@>");
    add("empty", "<>", "<>");
    add("space-inside", "<a @b>", "ready <a @b>");
    add("open-bracket-before", stamp, "ready < now");
    add("close-bracket-before", "<a@b>", "> ready");
    add("close-bracket-behind", "<a@b>", "<a@b> ready >");
    add("open-bracket-behind", "<a@b>", "<a@b> ready <");
    add("reversed", ">a@b<", "ready >a@b<");
    add("field-w13-timestamp-in-the-middle", stamp, &format!("Cyrus {stamp} server ready"));
    add("field-f42-brackets", "", "ready [QQBNADYAUABSADAA]");
    add("long", &format!("<{}@b>", "a".repeat(200)), "ready");
    add("limit-255", &format!("<{}@b>", "a".repeat(251)), "ready");
    add("text-that-is-long", stamp, &"x".repeat(600));
    add("text-alone", "", "");
    seeds
}
