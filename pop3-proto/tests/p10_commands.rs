//! P10: a command built from any octets is refused, or it is exactly one line: no CR, LF or NUL inside, CRLF at the end,
//! at most 255 octets. An argument that reaches the line unchecked, or a limit that is counted without keyword or CRLF,
//! would break it.

#[path = "support/oracle.rs"]
mod oracle;

use pop3_proto::{Command, Config, Greeting, Incoming, MAX_COMMAND, Mechanism, Misuse, Server, Shape, Verb, grammar};
use proptest::prelude::*;

const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

/// Every constructor that takes octets.
fn built<'a>(octets: &'a [u8]) -> Vec<Result<Command<'a>, Misuse>> {
    let mut built = vec![
        Command::user(octets),
        Command::pass(octets),
        Command::apop(octets, DIGEST),
        Command::auth_with_initial("PLAIN", octets),
        Command::lang(octets),
        Command::other(octets, Shape::SingleLine),
    ];
    if let Ok(text) = std::str::from_utf8(octets) {
        built.push(Command::apop("mrose", text));
        built.push(Command::auth(text));
        built.push(Command::auth_with_initial(text, "dGVzdA=="));
    }
    built
}

/// The line of a command, which must be one and be read back as the same command.
fn one_line(command: &Command<'_>) -> Vec<u8> {
    let mut line = b"before".to_vec();
    command.encode(&mut line);
    let line = line.split_off(6);
    let shown = line.escape_ascii().to_string();
    let text = line.strip_suffix(b"\r\n").unwrap_or_else(|| panic!("no CRLF at the end of {shown}"));
    assert!(text.iter().all(|octet| !octet.is_ascii_control()), "a control character in {shown}");
    assert!(line.len() <= MAX_COMMAND, "{} octets: {shown}", line.len());
    assert_ne!(text.first(), Some(&b' '), "a space in front of {shown}");
    assert!(!text.is_empty());
    match grammar::command(&line) {
        Ok((b"", read)) => assert_eq!(&read, command, "{shown}"),
        other => panic!("{shown} was read as {other:?}"),
    }
    line
}

/// Builds all that can be built, and counts the commands that came of it.
fn all_are_one_line(octets: &[u8]) -> usize {
    built(octets).into_iter().filter_map(|built| built.ok().map(|command| one_line(&command))).count()
}

#[test]
fn every_octet_in_every_place_of_an_argument_is_refused_or_stays_on_the_line() {
    for octet in 0..=u8::MAX {
        for argument in [vec![octet], vec![octet, b'a'], vec![b'a', octet, b'a'], vec![b'a', octet], vec![octet; 3]] {
            let taken = all_are_one_line(&argument);
            if octet.is_ascii_control() {
                assert_eq!(taken, 0, "{}", argument.escape_ascii());
            }
            assert_eq!(Command::user(&argument).is_ok(), octet.is_ascii_graphic(), "{}", argument.escape_ascii());
            assert_eq!(Command::pass(&argument).is_ok(), (b' '..0x7F).contains(&octet), "{}", argument.escape_ascii());
        }
    }
}

#[test]
fn no_combination_of_cr_lf_nul_and_a_second_command_gets_into_a_line() {
    let hostile: [&[u8]; 8] = [b"\r", b"\n", b"\0", b"\r\n", b"\n\r", b"\r\r\n", b"\0\r\n", b"\r\0\n"];
    for ending in hostile {
        for parts in [
            [b"mrose", ending, b"DELE 1"],
            [b"", ending, b"DELE 1"],
            [b"mrose", ending, b""],
            [b"", ending, b""],
            [b"dGVzdA==", ending, b"QUIT"],
            [b"LAST", ending, b"QUIT"],
            [b"LAST ", ending, b"QUIT"],
            [b"\xC3\xA9", ending, b"\xC3\xA9"],
        ] {
            let argument = parts.concat();
            for refused in built(&argument) {
                assert!(refused.is_err(), "{refused:?} of {}", argument.escape_ascii());
            }
        }
    }
}

/// What a command's line may hold at most, and the constructor at that length.
type Limit = (usize, fn(&str) -> Result<Command<'_>, Misuse>);

#[test]
fn a_line_of_255_octets_is_sent_and_one_of_256_is_refused() {
    const LIMITS: [Limit; 5] = [
        (255 - "USER \r\n".len(), |name| Command::user(name)),
        (255 - "PASS \r\n".len(), |password| Command::pass(password)),
        (255 - "APOP  \r\n".len() - 32, |name| Command::apop(name, DIGEST)),
        (255 - "\r\n".len(), |line| Command::other(line, Shape::MultiLine)),
        (255 - "XTND \r\n".len(), |line| {
            // Spaces count too.
            Command::other(Box::leak(format!("XTND {line}").into_boxed_str()), Shape::SingleLine)
        }),
    ];
    for (limit, build) in LIMITS {
        for (length, fits) in [(limit - 1, true), (limit, true), (limit + 1, false), (limit + 2, false), (4096, false)]
        {
            let argument = "a".repeat(length);
            match build(&argument) {
                Ok(command) => {
                    let mut line = Vec::new();
                    command.encode(&mut line);
                    assert!(fits, "{length} octets");
                    assert_eq!(line.len(), 255 - (limit - length));
                }
                Err(misuse) => {
                    assert!(!fits, "{length} octets");
                    assert_eq!(misuse, Misuse::TooLong { limit: 255 });
                }
            }
        }
    }
}

#[test]
fn an_initial_response_that_would_exceed_the_line_is_refused() {
    // "AUTH PLAIN " and CRLF take 13 octets, base64 comes in quartets: 240 fit, 244 do not.
    assert!(Command::auth_with_initial("PLAIN", &"A".repeat(240)).is_ok());
    assert_eq!(Command::auth_with_initial("PLAIN", &"A".repeat(244)), Err(Misuse::InitialResponseTooLong));
    // "AUTH PLA " and CRLF take 11, and 244 fill the line to the last octet.
    let full = "A".repeat(244);
    assert_eq!(one_line(&Command::auth_with_initial("PLA", &full).unwrap()).len(), 255);
    assert_eq!(Command::auth_with_initial("PLAI", &full), Err(Misuse::InitialResponseTooLong));
}

#[test]
fn a_mechanism_is_1_to_20_octets_and_a_language_tag_1_to_64() {
    for (length, fits) in [(0, false), (1, true), (19, true), (20, true), (21, false), (300, false)] {
        let name = "A".repeat(length);
        assert_eq!(Mechanism::new(&name).is_ok(), fits, "{length} octets");
        assert_eq!(Command::auth(&name).is_ok(), fits, "{length} octets");
        assert_eq!(Command::auth_with_initial(&name, "=").is_ok(), fits, "{length} octets");
    }
    for (length, fits) in [(0, false), (1, true), (63, true), (64, true), (65, false), (300, false)] {
        assert_eq!(Command::lang(&"a".repeat(length)).is_ok(), fits, "{length} octets");
    }
    for octet in 0..=u8::MAX {
        let plain = octet.is_ascii_alphanumeric() || octet == b'-';
        assert_eq!(Mechanism::new(&[b'A', octet]).is_ok(), plain || octet == b'_', "{octet:#x}");
        assert_eq!(Command::lang(&[b'a', octet]).is_ok(), plain, "{octet:#x}");
    }
}

#[test]
fn a_digest_is_32_hexadecimal_digits_in_lower_case() {
    for bad in
        ["", "c4c9", &DIGEST.to_uppercase(), &DIGEST[1..], &format!("{DIGEST}0"), "c4c9334bac560ecc979e58001b3e22f\n"]
    {
        assert_eq!(Command::apop("mrose", bad), Err(Misuse::Digest), "{bad:?}");
    }
    for octet in 0..0x80_u8 {
        let digest = format!("{}{}", &DIGEST[..31], char::from(octet));
        let hexadecimal = matches!(octet, b'0'..=b'9' | b'a'..=b'f');
        assert_eq!(Command::apop("mrose", &digest).is_ok(), hexadecimal, "{octet:#x}");
    }
}

#[test]
fn the_escape_hatch_reaches_no_command_that_has_a_constructor() {
    for verb in Verb::ALL.into_iter().filter(|&verb| verb != Verb::Other) {
        for keyword in [verb.keyword().to_owned(), verb.keyword().to_lowercase()] {
            for line in [keyword.clone(), format!("{keyword} 1"), format!("{keyword} "), format!("{keyword}  x")] {
                assert_eq!(Command::other(&line, Shape::SingleLine), Err(Misuse::KnownKeyword { verb }), "{line:?}");
            }
        }
    }
    for bad in ["", " ", " LAST", "LA\tST", "LAST \u{e9}", "L\u{e9}ST"] {
        assert!(Command::other(bad, Shape::SingleLine).is_err(), "{bad:?}");
    }
}

#[test]
fn every_number_makes_one_line() {
    for number in [1, 9, 10, 4_294_967_295_u32] {
        for command in [
            Command::retr(number).unwrap(),
            Command::dele(number).unwrap(),
            Command::list(number).unwrap(),
            Command::uidl(number).unwrap(),
            Command::top(number, 0).unwrap(),
            Command::top(number, u64::MAX).unwrap(),
        ] {
            let line = one_line(&command);
            assert!(String::from_utf8(line).unwrap().contains(&format!(" {number}")));
        }
    }
    for command in [
        Command::Stls,
        Command::Utf8,
        Command::Stat,
        Command::List(None),
        Command::Noop,
        Command::Rset,
        Command::Uidl(None),
        Command::Capa,
        Command::Lang(None),
        Command::Quit,
    ] {
        assert_eq!(one_line(&command), format!("{}\r\n", command.verb().keyword()).as_bytes());
    }
}

/// A name that a server took may be longer than what a client can send; a proxy hands it on all the same.
#[test]
fn a_command_that_a_server_took_is_sent_on_only_as_a_line_of_255_octets() {
    for length in [248, 249, 400] {
        let line = format!("USER {}\r\n", "a".repeat(length));
        let mut out = Vec::new();
        let config = Config::new().allow_cleartext_login();
        let mut server = Server::new(config.clone(), Greeting::text("ready").unwrap(), &mut out);
        let Some(Incoming::Command(command)) = oracle::given(&mut server, line.as_bytes()) else {
            panic!("a server takes lines of {} octets", line.len());
        };
        let mut client = pop3_proto::Client::with_config(config);
        oracle::hear(&mut client, &[b"+OK\r\n"]);
        let mut sent = Vec::new();
        let result = client.send(&command, &mut sent);
        assert!(sent.len() <= MAX_COMMAND, "{} octets were sent", sent.len());
        assert_eq!(result.is_ok(), line.len() <= MAX_COMMAND, "{result:?}");
        assert_eq!(sent.is_empty(), result.is_err());
    }
}

/// The fields of the arguments are open, so that one can be put in the place of another.
#[test]
fn arguments_that_were_exchanged_for_longer_ones_do_not_make_a_line_too_long() {
    let full = "A".repeat(244);
    let Ok(Command::Auth(mut auth)) = Command::auth_with_initial("PLA", &full) else { panic!("it fits") };
    auth.mechanism = Mechanism::new("SCRAM-SHA-256-PLUS").unwrap();
    let long = "a".repeat(248);
    let (Ok(Command::User(name)), Ok(Command::Apop(mut apop))) = (Command::user(&long), Command::apop("a", DIGEST))
    else {
        panic!("they fit");
    };
    apop.name = name;

    let config = Config::new().allow_cleartext_login().allow_apop_md5();
    for command in [Command::Auth(auth), Command::Apop(apop)] {
        let mut client = pop3_proto::Client::with_config(config.clone());
        let mut out = Vec::new();
        oracle::hear(&mut client, &[b"+OK <a@b>\r\n"]);
        client.send(&Command::Capa, &mut out).unwrap();
        oracle::hear(&mut client, &[b"+OK\r\nSASL PLA\r\n.\r\n"]);
        out.clear();
        let result = client.send(&command, &mut out);
        assert!(out.len() <= MAX_COMMAND, "{} octets were sent: {result:?}", out.len());
    }
}

#[test]
fn a_sasl_response_is_one_line_of_base64() {
    let hostile =
        (0..=u8::MAX).flat_map(|octet| [vec![octet], vec![octet, b'A', b'A', b'='], vec![b'A', b'A', b'A', octet]]);
    for response in hostile.chain([b"AAAA\r\nQUIT".to_vec(), b"*".to_vec(), b"AAAA\n".to_vec(), b"A===".to_vec()]) {
        let mut client = pop3_proto::Client::with_config(Config::new().allow_cleartext_login());
        let mut out = Vec::new();
        oracle::hear(&mut client, &[b"+OK\r\n"]);
        client.send(&Command::auth("X").unwrap(), &mut out).unwrap();
        oracle::hear(&mut client, &[b"+ \r\n"]);
        out.clear();
        match client.respond_line(&response, &mut out) {
            Ok(()) => {
                assert_eq!(out, [response.as_slice(), b"\r\n"].concat());
                let base64 = |octet: &u8| octet.is_ascii_alphanumeric() || b"+/=".contains(octet);
                assert!(response.iter().all(base64), "{}", response.escape_ascii());
            }
            Err(_) => assert!(out.is_empty(), "{}", response.escape_ascii()),
        }
    }
}

proptest! {
    #![proptest_config(oracle::cases(2000))]

    #[test]
    fn arbitrary_octets_make_one_line_or_none(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        all_are_one_line(&octets);
    }

    #[test]
    fn arbitrary_text_makes_one_line_or_none(text in "\\PC{0,120}|[ -~]{0,260}|[\\x00-\\x7f]{0,20}|[A-Za-z0-9+/]{4,240}={0,2}") {
        all_are_one_line(text.as_bytes());
    }

    #[test]
    fn visible_ascii_of_fitting_length_is_taken(text in "[!-~]{1,215}") {
        prop_assert!(Command::user(&text).is_ok());
        prop_assert!(Command::pass(&text).is_ok());
        prop_assert!(Command::apop(&text, DIGEST).is_ok());
        prop_assert!(all_are_one_line(text.as_bytes()) >= 3);
    }
}
