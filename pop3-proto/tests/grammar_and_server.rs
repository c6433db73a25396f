//! DESIGN, promise 10 of the short list, for commands: the public grammar and the server read the same octets as the same
//! command, want more at the same places, and refuse with the same reason. A command that only one of the two takes would
//! break it.

#[path = "support/oracle.rs"]
mod oracle;

use pop3_proto::grammar::{self, Fault, Grammar};
use pop3_proto::{
    Command, Config, Error, Greeting, Incoming, Login, MessageNumber, Quirk, Quirks, Refusal, Reply, Server, Shape,
    State, Utf8, Verb,
};
use proptest::prelude::*;

const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

/// A server that has everything a server can have.
fn config(quirks: Quirks) -> Config {
    let config = Config::new()
        .strict()
        .allow_cleartext_login()
        .allow_apop_md5()
        .with_stls()
        .with_lang()
        .with_other_commands()
        .utf8(Utf8::WithUser)
        .sasl_mechanisms(["PLAIN", "EXTERNAL"])
        .unwrap();
    quirks.iter().fold(config, Config::with_quirk)
}

/// In the TRANSACTION state, in the AUTHORIZATION state, or there behind a successful USER.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Standing {
    Transaction,
    Authorization,
    Named,
}

fn server(quirks: Quirks, standing: Standing) -> Server {
    let mut out = Vec::new();
    let greeting = Greeting::text("").unwrap().with_timestamp("<a@b>").unwrap();
    let mut server = Server::new(config(quirks), greeting, &mut out);
    let lines: &[&[u8]] = match standing {
        Standing::Authorization => &[],
        Standing::Named => &[b"USER mrose\r\n"],
        Standing::Transaction => &[b"USER mrose\r\n", b"PASS tanstaaf\r\n"],
    };
    for line in lines {
        assert!(oracle::given(&mut server, line).is_some());
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    }
    server
}

/// The command in what the server told its application.
fn command(incoming: Incoming<'static>) -> Result<Command<'static>, (Verb, Refusal)> {
    match incoming {
        Incoming::Command(command) => Ok(command),
        Incoming::Update => Ok(Command::Quit),
        Incoming::Auth(auth) => Ok(Command::Auth(auth)),
        Incoming::Login(Login::Pass { name, password }) => {
            assert_eq!(name.as_bytes(), b"mrose");
            Ok(Command::Pass(password))
        }
        Incoming::Login(Login::Apop { name, digest }) => {
            let digest = std::str::from_utf8(digest.as_bytes()).unwrap();
            Ok(Command::apop(name.as_bytes(), digest).unwrap().into_owned())
        }
        Incoming::Refused { verb, refusal } => Err((verb, refusal)),
        other => panic!("{other:?}"),
    }
}

/// Grammar and server agree about the first command of these octets.
fn agree(quirks: Quirks, standing: Standing, wire: &[u8]) {
    let shown = wire.escape_ascii().to_string();
    let parsed = Grammar::new(quirks).command(wire);
    for chunks in [vec![wire], wire.chunks(1).collect()] {
        let mut server = server(quirks, standing);
        let mut out = Vec::new();
        let mut left = wire.len();
        let mut heard = None;
        for chunk in chunks {
            let mut input = chunk;
            let event = server.next_event(&mut input, &mut out);
            left -= chunk.len() - input.len();
            match event {
                Ok(None) => assert!(input.is_empty()),
                Ok(Some(incoming)) => {
                    heard = Some(command(incoming.into_owned()));
                    break;
                }
                Err(error) => {
                    assert!(matches!(error, Error::LineTooLong { .. }), "{shown}: {error:?}");
                    heard = Some(Err((Verb::Other, Refusal::TooLong)));
                    break;
                }
            }
        }
        match (&parsed, heard) {
            (Err(nom::Err::Incomplete(_)), None) => {}
            (Ok((rest, command)), Some(Ok(heard))) => {
                assert_eq!(&heard, command, "{shown}");
                assert_eq!(left, rest.len(), "{shown}");
            }
            (Ok((rest, command)), Some(Err((verb, refusal)))) => {
                let by_state = matches!(refusal, Refusal::State | Refusal::NoUser | Refusal::NotImplemented);
                assert!(by_state, "{standing:?} {shown}: {refusal:?} where the grammar has {command:?}");
                assert_eq!(verb, command.verb(), "{shown}");
                assert_eq!(left, rest.len(), "{shown}");
                assert!(out.starts_with(b"-ERR"));
            }
            (Err(nom::Err::Error(error) | nom::Err::Failure(error)), Some(Err((_, refusal)))) => {
                match refusal {
                    Refusal::TooLong => assert_eq!(error.fault, Fault::TooLong, "{shown}"),
                    other => assert_eq!(other, Refusal::Syntax(error.fault), "{shown}"),
                }
                assert!(out.starts_with(b"-ERR"));
            }
            // The end of a line that is too long is still to come, and then it is refused.
            (Err(nom::Err::Failure(error)), None) if error.fault == Fault::TooLong => {}
            (parsed, heard) => panic!("{standing:?} {shown}: the grammar has {parsed:?}, the server {heard:?}"),
        }
    }
}

const STANDINGS: [Standing; 3] = [Standing::Transaction, Standing::Authorization, Standing::Named];

fn quirk_sets() -> [Quirks; 4] {
    [
        Quirks::STRICT,
        Quirks::STRICT.with(Quirk::BareLfCommand),
        Quirks::STRICT.with(Quirk::TrailingSpaces),
        Quirks::STRICT.with(Quirk::NameWithSpaces).with(Quirk::TrailingSpaces),
    ]
}

fn everywhere(wire: &[u8]) {
    for quirks in quirk_sets() {
        for standing in STANDINGS {
            agree(quirks, standing, wire);
        }
    }
}

const LINES: [&str; 44] = [
    "USER mrose",
    "USER",
    "USER ",
    "USER a b",
    "USER  a",
    "USER a ",
    "USER gr\u{fc}n",
    "PASS tan staaf",
    "PASS  x ",
    "PASS",
    "PASS ",
    "PASS gr\u{fc}n",
    "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
    "APOP mrose C4C9334BAC560ECC979E58001B3E22FB",
    "APOP mrose",
    "APOP a b c4c9334bac560ecc979e58001b3e22fb",
    "AUTH PLAIN",
    "AUTH PLAIN dGVzdA==",
    "AUTH PLAIN =",
    "AUTH PLAIN *",
    "AUTH",
    "AUTH EXTERNAL =",
    "STLS",
    "STLS x",
    "UTF8",
    "STAT",
    "STAT ",
    "LIST",
    "LIST 1",
    "LIST  1",
    "RETR 1",
    "RETR 0",
    "DELE 4294967297",
    "NOOP",
    "RSET",
    "TOP 1 10",
    "TOP 1 99999999999999999999",
    "UIDL 2",
    "CAPA",
    "LANG",
    "LANG de",
    "LANG *",
    "LAST",
    "XTND XMIT x",
];

#[test]
fn every_command_is_read_alike_in_every_state() {
    for line in LINES
        .into_iter()
        .chain(["QUIT", "QUIT now", "quit", "qUIT", "", " ", "  NOOP", "NO\0OP", "NOOP\t", "NOOP\r", "\u{e9}"])
    {
        for ending in ["\r\n", "\n", "\r", "", "\r\r\n", "\n\r\n", "\r\nSTAT\r\n", "\nSTAT\r\n"] {
            everywhere(format!("{line}{ending}").as_bytes());
        }
    }
}

#[test]
fn every_octet_in_every_place_of_a_command_is_read_alike() {
    for octet in 0..=u8::MAX {
        for (front, back) in [
            ("", "OOP"),
            ("NO", "P"),
            ("NOOP", ""),
            ("NOOP", " "),
            ("RETR ", ""),
            ("RETR 1", ""),
            ("LANG d", ""),
            ("USER a", "b"),
            ("PASS ", ""),
        ] {
            let wire = [front.as_bytes(), &[octet], back.as_bytes(), b"\r\n"].concat();
            for standing in STANDINGS {
                agree(Quirks::STRICT, standing, &wire);
            }
        }
    }
}

#[test]
fn a_line_of_512_octets_is_taken_and_one_of_513_is_not() {
    for length in [505, 506, 509, 510, 511, 512, 513, 600, 5000] {
        for ending in ["\r\n", "", "\r", "\n", "\r\nSTAT\r\n"] {
            everywhere(format!("PASS {}{ending}", "a".repeat(length - 5)).as_bytes());
        }
    }
    let longest = format!("PASS {}\r\n", "a".repeat(505));
    assert_eq!(longest.len(), 512);
    assert!(grammar::command(longest.as_bytes()).is_ok());
    let longer = format!("PASS {}\r\n", "a".repeat(506));
    assert!(
        matches!(grammar::command(longer.as_bytes()), Err(nom::Err::Failure(error)) if error.fault == Fault::TooLong)
    );
}

#[test]
fn every_front_of_a_command_is_incomplete() {
    for line in LINES {
        let wire = format!("{line}\r\n");
        for end in 0..wire.len() {
            let front = &wire.as_bytes()[..end];
            assert!(grammar::command(front).is_err_and(|error| error.is_incomplete()), "{}", front.escape_ascii());
            everywhere(front);
        }
    }
}

fn built() -> impl Strategy<Value = Command<'static>> {
    let number = prop_oneof![1..20_u32, 1..=u32::MAX].prop_map(|number| MessageNumber::new(number).unwrap());
    let name = "[!-~]{1,40}|[a-zé€😀]{1,20}";
    prop_oneof![
        name.prop_map(|name| Command::user(&name).unwrap().into_owned()),
        "[ -~]{1,60}|[a-zé€😀 ]{1,20}".prop_map(|password| Command::pass(&password).unwrap().into_owned()),
        ("[!-~]{1,40}", "[0-9a-f]{32}").prop_map(|(name, digest)| Command::apop(&name, &digest).unwrap().into_owned()),
        "[A-Z0-9_-]{1,20}".prop_map(|mechanism| Command::auth(&mechanism).unwrap().into_owned()),
        ("[A-Z0-9_-]{1,20}", "=|([A-Za-z0-9+/]{4}){0,20}([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)")
            .prop_map(|(mechanism, line)| Command::auth_with_initial(&mechanism, &line).unwrap().into_owned()),
        number.clone().prop_map(Command::Retr),
        number.clone().prop_map(Command::Dele),
        proptest::option::of(number.clone()).prop_map(Command::List),
        proptest::option::of(number.clone()).prop_map(Command::Uidl),
        (number, any::<u64>()).prop_map(|(number, lines)| Command::Top { number, lines }),
        "\\*|[A-Za-z0-9-]{1,64}".prop_map(|tag| Command::lang(&tag).unwrap().into_owned()),
        "X[!-~]{2,9}( [!-~][ -~]{0,30})?"
            .prop_map(|line| Command::other(&line, Shape::SingleLine).unwrap().into_owned()),
        proptest::sample::select(vec![
            Command::Stls,
            Command::Utf8,
            Command::Stat,
            Command::Noop,
            Command::Rset,
            Command::Capa,
            Command::Lang(None),
            Command::Quit,
        ]),
    ]
}

proptest! {
    #![proptest_config(oracle::cases(2000))]

    #[test]
    fn what_is_encoded_is_read_back_as_the_same_command(command in built(), behind in "(\r\n|STAT\r\n|x)?") {
        let mut wire = Vec::new();
        command.encode(&mut wire);
        wire.extend_from_slice(behind.as_bytes());
        let (rest, read) = grammar::command(&wire).unwrap();
        prop_assert_eq!(rest, behind.as_bytes());
        prop_assert_eq!(&read, &command);
        let mut again = Vec::new();
        read.encode(&mut again);
        prop_assert_eq!([again.as_slice(), rest].concat(), wire.clone());
        everywhere(&wire);
    }

    #[test]
    fn damaged_commands_are_read_alike(
        command in built(),
        place in any::<proptest::sample::Index>(),
        instead_of in 0_usize..3,
        splinter in proptest::collection::vec(
            prop_oneof![Just(b' '), Just(b'\r'), Just(b'\n'), Just(0), Just(b'\t'), Just(b'0'), Just(b'='), any::<u8>()], 0..4),
    ) {
        let mut wire = Vec::new();
        command.encode(&mut wire);
        let at = place.index(wire.len());
        wire.splice(at..(at + instead_of).min(wire.len()), splinter);
        everywhere(&wire);
    }
}

#[test]
fn the_digest_of_apop_is_compared_whole() {
    let command = Command::apop("mrose", DIGEST).unwrap();
    let other = format!("{}a", &DIGEST[..31]);
    assert_ne!(command, Command::apop("mrose", &other).unwrap());
    assert_eq!(server(Quirks::STRICT, Standing::Transaction).state(), State::Transaction);
}
