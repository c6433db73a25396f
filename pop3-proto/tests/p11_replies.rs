//! P11: nothing that an application passes as a text, a response code or a row, and nothing that a client sent, can add a
//! line, a status indicator or an early `.` to what a server says, nor make a line longer than 512 octets. An unchecked
//! field, or a cut that counts characters for octets, would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::given;
use pop3_proto::{
    Capability, Command, Config, Expiry, Greeting, Incoming, LanguageListing, LanguageTag, MessageNumber, Misuse,
    PerUser, Reply, ResponseCode, Row, ScanListing, Server, Status, StatusLine, Text, UniqueId, UniqueIdListing,
    grammar,
};
use proptest::prelude::*;

/// The octets are one line: CRLF at the end, no control character inside, 512 octets at most.
fn one_line(octets: &[u8]) -> &[u8] {
    let shown = octets.escape_ascii();
    let text = octets.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("no CRLF at the end of {shown}"));
    assert!(text.iter().all(|octet| !octet.is_ascii_control()), "a control character in {shown}");
    assert!(octets.len() <= Reply::MAX, "{} octets: {shown}", octets.len());
    text
}

fn encoded(reply: &Reply<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    reply.encode(&mut out);
    out
}

/// The line of a reply, which must be one and be read back with its own status and code.
fn reply_line(reply: &Reply<'_>, code: Option<&ResponseCode<'_>>) -> Vec<u8> {
    let line = encoded(reply);
    one_line(&line);
    let (rest, read) = grammar::status_line(&line).unwrap_or_else(|error| panic!("{}: {error:?}", line.escape_ascii()));
    assert_eq!((rest, read.status, read.code.as_ref()), (&b""[..], reply.status(), code), "{}", line.escape_ascii());
    line
}

/// Texts that would do harm if they passed.
fn hostile() -> Vec<String> {
    let mut texts = Vec::new();
    for octet in (0..0x80_u8).map(char::from) {
        texts.extend([format!("{octet}"), format!("{octet}a"), format!("a{octet}b"), format!("a{octet}")]);
    }
    for ending in ["\r\n", "\n", "\r", "\0", "\r\r\n", "\n\r", "\0\r\n"] {
        for (front, back) in [("", "+OK"), ("gone", "+OK more"), ("gone", ""), ("x", "."), ("", ".")] {
            texts.push(format!("{front}{ending}{back}"));
            texts.push(format!("{front}{ending}{back}{ending}"));
        }
    }
    texts.extend(
        ["", ".", "..", "[", "[AUTH", "[AUTH] no", "]", "<a@b>", "+OK", "-ERR", "grüße", "\u{85}", "\u{2028}"]
            .map(Into::into),
    );
    texts
}

#[test]
fn the_text_of_a_reply_is_refused_or_stays_on_its_line() {
    for text in hostile() {
        let harmless = !text.bytes().any(|octet| octet.is_ascii_control()) && !text.starts_with('[');
        for reply in [Reply::ok(&text), Reply::err(&text)] {
            assert_eq!(reply.is_ok(), harmless, "{text:?}");
            let Ok(reply) = reply else { continue };
            let status = if reply.status() == Status::Ok { "+OK" } else { "-ERR" };
            let space = if text.is_empty() { "" } else { " " };
            assert_eq!(reply_line(&reply, None), format!("{status}{space}{text}\r\n").as_bytes());
            let line = reply_line(&reply.with_code(ResponseCode::InUse), Some(&ResponseCode::InUse));
            assert_eq!(line, format!("{status} [IN-USE]{space}{text}\r\n").as_bytes());
        }
    }
}

#[test]
fn a_response_code_is_refused_or_stays_between_its_brackets() {
    for text in hostile() {
        let Ok(code) = ResponseCode::new(&text) else { continue };
        let reply = Reply::err("no").unwrap().with_code(code.clone());
        assert_eq!(reply_line(&reply, Some(&code)), format!("-ERR [{text}] no\r\n").as_bytes());
    }
    for bad in ["", "/", "A/", "/A", "A//B", "A B", "A]", "A\r\n", "\u{e9}"] {
        assert!(ResponseCode::new(bad).is_err(), "{bad:?}");
    }
}

/// `ResponseCode::Other` is an open variant: it can be filled without `ResponseCode::new`.
#[test]
fn a_response_code_that_was_filled_by_hand_adds_no_line() {
    for octets in [&b"X]\r\n+OK mine"[..], b"X\r\n.", b"X\n", b"\0", b"X] +OK", b"\xff"] {
        let code = ResponseCode::Other(Text::from(octets));
        let mut server = oracle::server(Config::new());
        assert!(given(&mut server, b"NOOP\r\n").is_some());
        let mut out = Vec::new();
        let refused = server.reply(&Reply::err("no").unwrap().with_code(code), &mut out).is_err();
        if refused {
            assert!(out.is_empty(), "{}", out.escape_ascii());
        } else {
            one_line(&out);
        }
    }
}

#[test]
fn a_long_response_code_does_not_make_the_line_too_long() {
    for length in [70, 400, 495, 500, 503, 504, 505, 510, 600, 5000] {
        let text = "A".repeat(length);
        let Ok(code) = ResponseCode::new(&text) else { continue };
        let id =
            UniqueIdListing { number: MessageNumber::new(u32::MAX).unwrap(), id: UniqueId::new(&[b'u'; 70]).unwrap() };
        for reply in [Reply::ok("text").unwrap(), Reply::err("").unwrap(), Reply::unique_id(id.clone()).unwrap()] {
            let line = encoded(&reply.with_code(code.clone()));
            assert!(line.len() <= Reply::MAX, "{} octets for a code of {length}", line.len());
        }
    }
}

#[test]
fn a_text_that_is_too_long_is_cut_at_the_end_of_a_character() {
    for (character, octets) in [("a", 1), ("é", 2), ("€", 3), ("😀", 4)] {
        for shift in 0..4 {
            let text = "x".repeat(shift) + &character.repeat(300);
            for (reply, before) in [
                (Reply::ok(&text).unwrap(), "+OK "),
                (Reply::err(&text).unwrap(), "-ERR "),
                (Reply::err(&text).unwrap().with_code(ResponseCode::SysTemp), "-ERR [SYS/TEMP] "),
                (Reply::language(LanguageTag::new("de").unwrap(), &text).unwrap(), "+OK de "),
            ] {
                let line = encoded(&reply);
                let sent = std::str::from_utf8(one_line(&line)).expect("cut between characters");
                let kept = sent.strip_prefix(before).unwrap();
                assert!(text.starts_with(kept));
                let room = Reply::MAX - before.len() - 2;
                let fitting = (shift + octets * 300).min(shift + (room - shift) / octets * octets);
                assert_eq!(kept.len(), fitting, "as much as fits in {room} octets: {line:?}");
            }
        }
    }
}

#[test]
fn the_limit_of_a_reply_is_512_octets_to_the_octet() {
    for (length, whole) in [(505, true), (506, true), (507, false), (508, false), (100_000, false)] {
        let text = "a".repeat(length);
        let line = encoded(&Reply::ok(&text).unwrap());
        assert_eq!(line.len(), (length + 6).min(512));
        assert_eq!(line.len() == length + 6, whole);
    }
}

#[test]
fn a_greeting_is_one_line_with_its_timestamp_whole() {
    let timestamp = format!("<{}@b>", "a".repeat(251));
    assert_eq!(timestamp.len(), 255);
    assert!(Greeting::text("").unwrap().with_timestamp(&timestamp.replace("@b", "@bb")).is_err());
    let mut texts = hostile();
    texts.extend(["é".repeat(300), "x".to_owned() + &"é".repeat(300), "a".repeat(600)]);
    for text in texts {
        let Ok(greeting) = Greeting::text(&text) else { continue };
        let mut out = Vec::new();
        let _ = Server::new(Config::new(), greeting.clone(), &mut out);
        assert!(std::str::from_utf8(one_line(&out)).unwrap().starts_with("+OK"));
        assert!(grammar::status_line(&out).is_ok_and(|(_, line)| line.status == Status::Ok && line.code.is_none()));

        out.clear();
        let apop = Config::new().allow_apop_md5().allow_cleartext_login();
        let _ = Server::new(apop, greeting.with_timestamp(&timestamp).unwrap(), &mut out);
        assert!(std::str::from_utf8(one_line(&out)).unwrap().ends_with(&timestamp));
    }
    for bad in ["[AUTH] x", "<", "a\r\n", "a\0", "x\n+OK"] {
        assert!(Greeting::text(bad).is_err(), "{bad:?}");
    }
    for bad in ["<a@b>\r\n", "<a@\r\nb>", "<a@b>\n", "x<a@b>"] {
        assert_eq!(Greeting::text("x").unwrap().with_timestamp(bad), Err(Misuse::Timestamp), "{bad:?}");
    }
}

#[test]
fn a_language_tag_is_letters_digits_and_hyphens() {
    for octet in 0..=u8::MAX {
        for tag in [vec![octet], vec![octet, b'e'], vec![b'd', octet, b'e'], vec![b'd', octet]] {
            let plain = octet.is_ascii_alphanumeric() || octet == b'-' || tag == b"*";
            assert_eq!(LanguageTag::new(&tag).is_ok(), plain, "{}", tag.escape_ascii());
        }
    }
    let longest = "a".repeat(LanguageTag::MAX);
    let text = "é".repeat(400);
    let reply = Reply::language(LanguageTag::new(&longest).unwrap(), &text).unwrap();
    assert!(one_line(&encoded(&reply)).starts_with(format!("+OK {longest} é").as_bytes()));
    assert!(Reply::language(LanguageTag::new("de").unwrap(), "x\r\n.").is_err());
}

#[test]
fn a_unique_id_is_refused_or_stays_on_its_line() {
    for octet in 0..=u8::MAX {
        for id in [vec![octet], vec![octet, b'a'], vec![b'a', octet, b'b'], vec![b'a', octet]] {
            assert_eq!(UniqueId::new(&id).is_ok(), octet.is_ascii_graphic(), "{}", id.escape_ascii());
        }
    }
    for (length, fits) in [(0, false), (1, true), (69, true), (70, true), (71, false), (500, false)] {
        assert_eq!(UniqueId::new(&"a".repeat(length)).is_ok(), fits, "{length} octets");
    }
}

/// A server that has begun an answer of several lines to this command.
fn begun(config: Config, command: &str) -> Server {
    let mut server = oracle::server(config.with_lang().with_other_commands());
    assert!(matches!(given(&mut server, command.as_bytes()), Some(Incoming::Command(_))), "{command}");
    server.begin("", &mut Vec::new()).unwrap();
    server
}

/// Writes the row, which must be refused without a trace or be one line that is not the end.
fn listed<'a>(server: &mut Server, row: impl Into<Row<'a>>) -> Result<Vec<u8>, Misuse> {
    let mut out = b"+OK\r\n".to_vec();
    let row = row.into();
    // What a private command answers may be blank or hold a TAB, as the line of a message may.
    let private = matches!(row, Row::Line(_));
    let result = server.listing(row, &mut out);
    let line = out.split_off(5);
    match result {
        Ok(()) => {
            let checked: Vec<u8> =
                line.iter().map(|&octet| if private && octet == b'\t' { b' ' } else { octet }).collect();
            let text = one_line(&checked);
            assert!(private || !text.is_empty());
            assert!(!text.starts_with(b".") || text.get(1) == Some(&b'.'), "an early end: {}", line.escape_ascii());
            Ok(line)
        }
        Err(misuse) => {
            assert!(line.is_empty(), "{}", line.escape_ascii());
            Err(misuse)
        }
    }
}

#[test]
fn a_row_is_refused_or_is_one_line_and_not_the_end() {
    let mut capa = begun(Config::new(), "CAPA\r\n");
    let mut lang = begun(Config::new(), "LANG\r\n");
    let mut other = begun(Config::new(), "XTND\r\n");
    let tag = LanguageTag::new("de").unwrap();
    for text in hostile() {
        let harmless = !text.bytes().any(|octet| octet.is_ascii_control());
        let expected = |front: &str| format!("{front}{text}\r\n").into_bytes();

        let line = listed(&mut other, Row::Line(&text));
        let stuffing = if text.starts_with('.') { "." } else { "" };
        let stays = !text.bytes().any(|octet| octet.is_ascii_control() && octet != b'\t');
        assert_eq!(line.is_ok(), stays, "{text:?}: {line:?}");
        assert!(line.is_err() || line == Ok(expected(stuffing)));

        let description = LanguageListing { tag: tag.clone(), description: Text::from(text.as_str()) };
        let line = listed(&mut lang, description);
        let described = harmless && !text.is_empty();
        assert!(if described { line == Ok(expected("de ")) } else { line.is_err() }, "{text:?}: {line:?}");

        let line = listed(&mut capa, Capability::Implementation(Text::from(text.as_str())));
        assert!(if harmless { line == Ok(expected("IMPLEMENTATION ")) } else { line.is_err() }, "{text:?}: {line:?}");

        let text = || Text::from(text.as_str());
        let _ = listed(&mut capa, Capability::Other { tag: text(), arguments: Text::default() });
        let _ = listed(&mut capa, Capability::Other { tag: Text::from("X"), arguments: text() });
        let _ = listed(&mut capa, Capability::Other { tag: text(), arguments: text() });
    }
    for octet in 0..=u8::MAX {
        let octets = [octet];
        let tag = || Text::from(&octets);
        let _ = listed(&mut capa, Capability::Other { tag: tag(), arguments: Text::default() });
        let _ = listed(&mut capa, Capability::Other { tag: Text::from("X"), arguments: tag() });
    }
}

#[test]
fn a_row_of_512_octets_is_sent_and_one_of_513_is_refused() {
    let mut other = begun(Config::new(), "XTND\r\n");
    for (length, fits) in [(509, true), (510, true), (511, false), (5000, false)] {
        let text = "a".repeat(length);
        assert_eq!(listed(&mut other, Row::Line(&text)).is_ok(), fits, "{length} octets");
        // The dot that is put in front counts.
        let dotted = format!(".{}", "a".repeat(length - 1));
        assert_eq!(listed(&mut other, Row::Line(&dotted)).is_ok(), length < 510, "{length} octets");
    }
    let mut capa = begun(Config::new(), "CAPA\r\n");
    let long = "a".repeat(500);
    assert!(listed(&mut capa, Capability::Implementation(Text::from(long.as_str()))).is_err());
}

#[test]
fn every_listing_of_numbers_and_unique_ids_is_one_line() {
    let number = MessageNumber::new(u32::MAX).unwrap();
    let mut list = begun(Config::new(), "LIST\r\n");
    let line = listed(&mut list, ScanListing { number, octets: u64::MAX }).unwrap();
    assert_eq!(line, b"4294967295 18446744073709551615\r\n");
    let mut uidl = begun(Config::new(), "UIDL\r\n");
    for id in [&b"."[..], b"..", b"-ERR", b"+OK", &[b'~'; 70]] {
        let listing = UniqueIdListing { number, id: UniqueId::new(id).unwrap() };
        assert_eq!(listed(&mut uidl, listing.clone()).unwrap(), [b"4294967295 ", id, b"\r\n"].concat());
        let line = reply_line(&Reply::unique_id(listing).unwrap(), None);
        assert_eq!(line, [b"+OK 4294967295 ", id, b"\r\n"].concat());
    }
    assert_eq!(encoded(&Reply::drop_listing(u32::MAX, u64::MAX)), b"+OK 4294967295 18446744073709551615\r\n");
}

#[test]
fn the_text_that_begins_an_answer_is_refused_or_stays_on_its_line() {
    for text in hostile() {
        let mut server = oracle::server(Config::new());
        assert!(given(&mut server, b"LIST\r\n").is_some());
        let mut out = Vec::new();
        match server.begin(&text, &mut out) {
            Ok(()) => assert!(one_line(&out).starts_with(b"+OK")),
            Err(_) => assert!(out.is_empty(), "{text:?}"),
        }
    }
    let mut server = oracle::server(Config::new());
    assert!(given(&mut server, b"LIST\r\n").is_some());
    let mut out = Vec::new();
    server.begin(&"a".repeat(2000), &mut out).unwrap();
    assert_eq!(out.len(), 512);
}

#[test]
fn settings_that_end_up_in_the_capability_list_are_refused_or_stay_on_their_lines() {
    for text in hostile().into_iter().chain([489, 490, 491, 495, 496, 600].map(|length| "i".repeat(length))) {
        let Ok(config) = Config::new().implementation(text.clone()) else { continue };
        let mut server = oracle::server(config);
        assert!(given(&mut server, b"CAPA\r\n").is_some());
        let mut out = Vec::new();
        server.capabilities(&mut out).unwrap();
        let shown = out.escape_ascii().to_string();
        let body = out.strip_suffix(b".\r\n").unwrap();
        for line in body.split_inclusive(|&octet| octet == b'\n') {
            assert!(!one_line(line).starts_with(b"."), "{shown}");
        }
        let (rest, read) = grammar::capability_list(&out).unwrap();
        assert!(rest.is_empty(), "an early end in {shown}");
        let said = read.content.iter().flatten().find(|row| matches!(row, Capability::Implementation(_)));
        let expected = (!text.is_empty()).then(|| Capability::Implementation(Text::from(text.as_str())));
        assert_eq!(said, expected.as_ref(), "{shown}");
    }
    for name in hostile() {
        let listed = Config::new().sasl_mechanisms([name.as_str(), "PLAIN"]);
        let plain =
            name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(&octet)) && !name.is_empty();
        assert_eq!(listed.is_ok(), plain, "{name:?}");
    }
    let names = vec!["A".repeat(20); 20];
    assert!(Config::new().sasl_mechanisms(names.iter().map(String::as_str)).is_ok());
    let names = vec!["A".repeat(20); 25];
    assert!(Config::new().sasl_mechanisms(names.iter().map(String::as_str)).is_err());
}

#[test]
fn a_challenge_is_one_line_of_base64() {
    let hostile =
        (0..=u8::MAX).flat_map(|octet| [vec![octet], vec![octet, b'A', b'A', b'='], vec![b'A', b'A', b'A', octet]]);
    for challenge in hostile.chain([b"AAAA\r\n-ERR".to_vec(), b"AAAA\n".to_vec(), b"OK".to_vec(), Vec::new()]) {
        let mut out = Vec::new();
        let config = Config::new().allow_cleartext_login().sasl_mechanisms(["X"]).unwrap();
        let mut server = Server::new(config, Greeting::text("").unwrap(), &mut out);
        assert!(matches!(given(&mut server, b"AUTH X\r\n"), Some(Incoming::Auth(_))));
        out.clear();
        match server.challenge_line(&challenge, &mut out) {
            Ok(()) => {
                assert_eq!(out, [b"+ ", challenge.as_slice(), b"\r\n"].concat());
                let base64 = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
                assert!(challenge.iter().all(base64), "{}", challenge.escape_ascii());
            }
            Err(_) => assert!(out.is_empty()),
        }
    }
}

/// Whatever a client sends: the server answers what it refuses with one line, and nothing of what came is in it.
#[test]
fn a_refusal_is_one_line_and_echoes_nothing() {
    let marker = &b"Zq7"[..];
    for octet in 0..=u8::MAX {
        for line in [
            [&[octet][..], marker].concat(),
            [marker, &[octet][..], marker].concat(),
            [&b"RETR "[..], &[octet], marker].concat(),
            [&b"USER "[..], marker, &[octet][..], marker].concat(),
            [&b"LANG "[..], marker, &[octet][..]].concat(),
            [&b"TOP 1 "[..], marker, &[octet, octet][..]].concat(),
        ] {
            let mut server = oracle::server(Config::new().with_lang());
            let (wire, mut out) = ([line.as_slice(), b"\r\n"].concat(), Vec::new());
            let mut input = wire.as_slice();
            let mut refused = 0;
            while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
                match incoming {
                    Incoming::Refused { .. } => refused += 1,
                    _ => break,
                }
            }
            let lines: Vec<_> = out.split_inclusive(|&octet| octet == b'\n').collect();
            assert_eq!(lines.len(), refused, "{}", line.escape_ascii());
            for answer in lines {
                assert!(one_line(answer).starts_with(b"-ERR "));
                assert!(!answer.windows(marker.len()).any(|window| window == marker), "{}", answer.escape_ascii());
            }
        }
    }
}

#[test]
fn the_public_encoders_write_one_line_for_each_value() {
    for octets in [&b"x\r\n+OK"[..], b"x\n", b"\r\n.", b".\r\n", b"a\0b"] {
        let mut out = Vec::new();
        StatusLine { status: Status::Ok, code: None, text: Text::from(octets) }.encode(&mut out);
        let lines = out.split(|&octet| octet == b'\n').count() - 1;
        assert!(lines <= 1, "a status line of {lines} lines: {}", out.escape_ascii());
    }
}

#[test]
fn the_public_encoder_of_a_capability_list_writes_one_line_for_each_row() {
    let status = StatusLine { status: Status::Ok, code: None, text: Text::default() };
    for octets in [&b"x\r\n."[..], b"x\n", b"\r\n.\r\n-ERR", b".\r\n"] {
        let rows = [
            Capability::Other { tag: Text::from(octets), arguments: Text::default() },
            Capability::Other { tag: Text::from("X"), arguments: Text::from(octets) },
            Capability::Implementation(Text::from(octets)),
        ];
        for row in rows {
            let mut out = Vec::new();
            grammar::encode_capability_list(&status, &[row], &mut out);
            let (rest, _) = grammar::capability_list(&out).unwrap();
            assert!(rest.is_empty(), "an early end in {}", out.escape_ascii());
            let lines = out.split(|&octet| octet == b'\n').count() - 1;
            assert!(lines <= 3, "{lines} lines: {}", out.escape_ascii());
        }
    }
}

#[test]
fn capabilities_with_numbers_are_one_line() {
    let config = Config::new().expire(Expiry::Days(u32::MAX), PerUser::Differs).login_delay(u32::MAX, PerUser::Same);
    let mut server = oracle::server(config);
    assert!(matches!(given(&mut server, b"CAPA\r\n"), Some(Incoming::Command(Command::Capa))));
    let mut out = Vec::new();
    server.capabilities(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\r\nEXPIRE 4294967295\r\n") && text.contains("\r\nLOGIN-DELAY 4294967295\r\n"), "{text}");
}

proptest! {
    #![proptest_config(oracle::cases(2000))]

    #[test]
    fn arbitrary_text_makes_one_line_or_none(text in "\\PC{0,300}|[ -~]{0,600}|[\\x00-\\x7f]{0,20}", code in "[!-~]{1,20}") {
        for reply in [Reply::ok(&text), Reply::err(&text)].into_iter().flatten() {
            reply_line(&reply, None);
            if let Ok(code) = ResponseCode::new(&code) {
                reply_line(&reply.with_code(code.clone()), Some(&code));
            }
        }
        if let Ok(greeting) = Greeting::text(&text) {
            let mut out = Vec::new();
            let _ = Server::new(Config::new(), greeting, &mut out);
            one_line(&out);
        }
        let _ = listed(&mut begun(Config::new(), "XTND\r\n"), Row::Line(&text));
    }
}
