//! P25: "An over-long command gets one -ERR, the machine resynchronises at the next CRLF [...] and never executes its
//! tail; over a second bound the connection is to be closed." P28: "NUL in a command is -ERR, never a truncation." The
//! tail of a long line that is read as a command breaks them.

#[path = "support/machines.rs"]
mod machines;

use machines::{Site, every_cut, greeted, open, pieces};
use pop3_proto::{Command, Config, Error, Incoming, Quirk, Refusal, State, Verb};

fn small() -> Config {
    Config::new().allow_cleartext_login().command_line(12).discarded(40)
}

/// What a server in the TRANSACTION state made of it.
fn serve(config: Config, octets: &[u8], cuts: &[usize]) -> (Vec<Incoming<'static>>, String, Option<Error>) {
    let mut site = Site::new(&[b"one\r\n"]);
    let mut server = {
        // The credentials are longer than the small limit.
        let mut server = greeted(config.allow_apop_md5());
        site.serve(&mut server, b"USER mrose\r\n", &mut vec![], &mut vec![]).unwrap();
        let mut input = &b"PASS x\r\n"[..];
        server.next_event(&mut input, &mut vec![]).unwrap().unwrap();
        server.reply(&pop3_proto::Reply::ok("in").unwrap(), &mut vec![]).unwrap();
        server
    };
    let (mut seen, mut out) = (vec![], vec![]);
    let limit = 12;
    for piece in pieces(octets, cuts) {
        if let Err(error) = site.serve(&mut server, piece, &mut seen, &mut out) {
            let before = out.len();
            assert_eq!(server.next_event(&mut &b"NOOP\r\n"[..], &mut out), Err(error.clone()));
            assert_eq!(out.len(), before);
            return (seen, String::from_utf8(out).unwrap(), Some(error));
        }
        assert!(server.held() <= limit);
    }
    (seen, String::from_utf8(out).unwrap(), None)
}

const TOO_LONG: Incoming<'static> = Incoming::Refused { verb: Verb::Other, refusal: Refusal::TooLong };
const SAID: &str = "-ERR the line is too long\r\n";

#[test]
fn the_tail_of_a_long_line_is_never_executed_at_every_cut() {
    for tail in ["QUIT\r\n", "\nQUIT\r\n", "\rQUIT\r\n", "\r\rQUIT\r\n", "\n\n\rDELE 1\n\r\n", "\0\r\n", "\r\r\n"] {
        let octets = format!("NOOP xxxxxxx{tail}STAT\r\n");
        for cuts in every_cut(octets.len()) {
            let (seen, out, error) = serve(small(), octets.as_bytes(), &cuts);
            assert_eq!(seen, [TOO_LONG, Incoming::Command(Command::Stat)], "{tail:?} cut at {cuts:?}");
            assert_eq!(out, format!("{SAID}+OK 0 0\r\n"));
            assert_eq!(error, None);
        }
    }
}

#[test]
fn every_long_line_gets_one_err() {
    let octets = b"NOOP xxxxxxxx\r\nNOOP xxxxxxxxxxx\r\nNOOP xxxxx\r\nNOOP\r\n";
    for cuts in every_cut(octets.len()) {
        let (seen, out, _) = serve(small(), octets, &cuts);
        assert_eq!(&seen[..2], [TOO_LONG, TOO_LONG]);
        assert!(matches!(seen[2], Incoming::Refused { verb: Verb::Noop, refusal: Refusal::Syntax(_) }));
        assert_eq!(seen[3], Incoming::Command(Command::Noop));
        assert_eq!(out.matches("-ERR").count(), 3);
        assert_eq!(out.matches("\r\n").count(), 4);
    }
}

#[test]
fn a_line_of_as_many_octets_as_the_second_bound_passes_and_a_longer_one_ends_the_session() {
    for (length, passes) in [(39, true), (40, true), (41, false), (200, false)] {
        let octets = [&vec![b'x'; length - 2][..], b"\r\nNOOP\r\n"].concat();
        for cuts in every_cut(octets.len().min(60)) {
            let (seen, out, error) = serve(small(), &octets, &cuts);
            if passes {
                assert_eq!((seen, error), (vec![TOO_LONG, Incoming::Command(Command::Noop)], None));
            } else {
                assert_eq!((seen, error), (vec![], Some(Error::LineTooLong { limit: 40 })));
                assert_eq!(out, SAID, "one -ERR");
            }
        }
    }
}

#[test]
fn a_client_that_never_ends_its_line_is_cut_off() {
    for hostile in [b'x', b'\r', b'\n', b'.', 0] {
        let mut server = greeted(Config::new());
        let mut out = vec![];
        let mut taken = 0;
        let error = loop {
            let octets = [hostile; 1000];
            let mut input = &octets[..];
            match server.next_event(&mut input, &mut out) {
                Ok(event) => assert_eq!(event, None),
                Err(error) => break error,
            }
            taken += 1000;
            assert!(taken <= 128 * 1024 && server.held() <= 512);
        };
        assert_eq!(error, Error::LineTooLong { limit: 128 * 1024 });
        assert_eq!(out, SAID.as_bytes());
    }
}

#[test]
fn a_bare_lf_ends_a_long_line_only_where_it_ends_commands() {
    let octets = b"NOOP xxxxxxxxxxx\nNOOP\nxyz\r\n";
    let (seen, ..) = serve(small(), octets, &[]);
    assert_eq!(seen, [TOO_LONG]);
    for cuts in every_cut(octets.len()) {
        let (seen, ..) = serve(small().with_quirk(Quirk::BareLfCommand), octets, &cuts);
        assert_eq!(&seen[..2], [TOO_LONG, Incoming::Command(Command::Noop)], "cut at {cuts:?}");
        assert_eq!(seen.len(), 3);
    }
}

#[test]
fn a_long_line_between_user_and_pass_drops_the_user() {
    let mut server = greeted(small());
    let mut site = Site::default();
    let (mut seen, mut out) = (vec![], vec![]);
    site.serve(&mut server, b"USER mrose\r\nxxxxxxxxxxxxxxxxx\r\nPASS t\r\n", &mut seen, &mut out).unwrap();
    assert!(matches!(seen[2], Incoming::Refused { refusal: Refusal::NoUser, .. }), "{seen:?}");
}

#[test]
fn a_long_response_leaves_no_exchange_behind() {
    let config = machines::everything().sasl_line(20).discarded(100);
    let (mut server, mut site) = (greeted(config), Site::default());
    let (mut seen, mut out) = (vec![], vec![]);
    let lines = b"AUTH X-TWO\r\nQUJDQUJDQUJDQUJDQUJDQUJD\r\ndGFuc3RhYWY=\r\nCAPA\r\n";
    site.serve(&mut server, lines, &mut seen, &mut out).unwrap();
    assert!(matches!(seen[1], Incoming::Refused { refusal: Refusal::TooLong, .. }));
    assert!(matches!(seen[2], Incoming::Command(Command::Other(_))), "the exchange is over, and this is a command");
    assert_eq!(seen[3], Incoming::Command(Command::Capa));
    assert_eq!(server.state(), State::Authorization);
}

#[cfg(feature = "sasl")]
#[test]
fn a_long_response_leaves_no_built_in_exchange_behind() {
    let config = machines::everything().builtin_mechanisms([pop3_proto::Builtin::Plain]).sasl_line(20).discarded(100);
    let (mut server, mut site) = (greeted(config), Site::default());
    let mut seen = vec![];
    site.serve(&mut server, b"AUTH PLAIN\r\nQUJDQUJDQUJDQUJDQUJDQUJD\r\n", &mut seen, &mut vec![]).unwrap();
    assert!(matches!(seen[..], [Incoming::Refused { refusal: Refusal::TooLong, .. }]), "{seen:?}");
    // The next exchange is of another mechanism: this response is for the application, whatever PLAIN would make of it.
    site.serve(&mut server, b"AUTH X-TWO\r\nAHgAeQ==\r\n", &mut seen, &mut vec![]).unwrap();
    assert!(matches!(seen[1..], [Incoming::Auth(_), Incoming::Response(_)]), "{seen:?}");
}

#[test]
fn an_octet_that_no_command_has_is_refused_and_nothing_in_front_of_it_is_executed() {
    let mut site = Site::new(&[b"one\r\n"]);
    for octet in (0..=31_u8).chain([127]).filter(|octet| *octet != b'\n') {
        for template in ["DELE 1@", "DELE@1", "@DELE 1", "DELE 1@ignored", "DE@LE 1", "QUIT@", "DELE 1 @"] {
            let line = [template.as_bytes(), b"\r\n"].concat();
            let line: Vec<u8> = line.into_iter().map(|it| if it == b'@' { octet } else { it }).collect();
            let mut server = open(Config::new(), &mut site);
            let (mut seen, mut out) = (vec![], vec![]);
            site.serve(&mut server, &line, &mut seen, &mut out).unwrap();
            assert!(
                matches!(seen[..], [Incoming::Refused { refusal: Refusal::Syntax(_), .. }]),
                "{}: {seen:?}",
                line.escape_ascii()
            );
            assert!(out.starts_with(b"-ERR ") && out.ends_with(b"\r\n"));
            assert_eq!((site.maildrop.deleted().count(), server.refused()), (0, 1));
        }
    }
}

#[test]
fn a_nul_in_a_credential_is_no_credential() {
    for line in [&b"USER mr\0ose\r\n"[..], b"USER mrose\0\r\n", b"PASS tan\0staaf\r\n", b"PASS tanstaaf\0\r\n"] {
        let mut server = greeted(Config::new().allow_cleartext_login());
        let mut site = Site::default();
        let mut seen = vec![];
        if line.starts_with(b"PASS") {
            site.serve(&mut server, b"USER mrose\r\n", &mut vec![], &mut vec![]).unwrap();
        }
        site.serve(&mut server, line, &mut seen, &mut vec![]).unwrap();
        assert!(matches!(seen[..], [Incoming::Refused { .. }]), "{seen:?}");
        assert_eq!(server.state(), State::Authorization);
    }
}

#[test]
fn in_an_open_maildrop_a_tail_that_is_a_command_in_a_read_of_its_own_is_none() {
    let refused = |front: &[u8], refusal: Refusal| {
        for tail in ["DELE 1\r\n", "STAT\r\n", "TOP 1 0\r\n", "UIDL\r\n"] {
            let mut server = open(Config::new(), &mut Site::new(&[b"one\r\n"]));
            let mut out = vec![];
            let before = server.next_event(&mut &*front, &mut out).unwrap();
            assert_eq!((before, &out[..]), (None, &b""[..]));
            let seen = server.next_event(&mut tail.as_bytes(), &mut out).unwrap();
            assert_eq!(seen, Some(Incoming::Refused { verb: Verb::Other, refusal }), "{tail}");
            assert_eq!(out.iter().filter(|&&octet| octet == b'\n').count(), 1, "one answer to one line");
        }
    };
    refused(&[b'x'; 600], Refusal::TooLong);
    refused(b"XX", Refusal::Syntax(pop3_proto::grammar::Fault::Keyword));
}
