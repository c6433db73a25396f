//! P36: "Replies are matched by state: only a line that begins with `+` and not `+OK`, during AUTH, is a challenge; `*`
//! gets exactly one -ERR; a connection lost in mid-SASL leaves nothing behind." A challenge that is taken for an answer,
//! or an exchange that outlives its end, breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{Heard, Site, everything, feed, greeted, hear, logged_in};
use pop3_proto::{
    Client, Command, Config, Error, Event, Incoming, Misuse, Outcome, Quirk, Refusal, Reply, Server, State, Verb, Wait,
};

/// A client in the midst of AUTH.
fn authenticating(config: Config) -> Client {
    let mut client = Client::with_config(config.allow_cleartext_login());
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::auth("X-TWO").unwrap(), &mut vec![]).unwrap();
    client
}

#[test]
fn only_a_plus_that_is_no_ok_is_a_challenge() {
    for (line, expected) in [
        ("+ \r\n", "Challenge("),
        ("+\r\n", "Challenge("),
        ("+ QUJD\r\n", "Challenge("),
        ("+ OK\r\n", "Challenge("),
        ("+ +OK\r\n", "Challenge("),
        ("+ any words\r\n", "Challenge("),
        ("+OK\r\n", "Ok { to: Auth"),
        ("+OK welcome\r\n", "Ok { to: Auth"),
        ("-ERR\r\n", "Err { to: Auth"),
    ] {
        for cut in 0..line.len() {
            let mut client = authenticating(Config::new());
            let mut heard = feed(&mut client, &line.as_bytes()[..cut]);
            heard.extend(feed(&mut client, &line.as_bytes()[cut..]));
            let [Heard::Event(event)] = &heard[..] else { panic!("{line:?}: {heard:?}") };
            assert!(event.starts_with(expected), "{line:?}: {event}");
            let challenged = expected == "Challenge(";
            assert_eq!(client.awaiting() == Wait::Answer(Verb::Auth), challenged);
            assert_eq!(client.outstanding(), usize::from(challenged));
        }
    }
    for line in ["+OKAY\r\n", "+QUJ\r\n", "+ok\r\n", "* OK\r\n", "\r\n", " + \r\n", "QUJD\r\n"] {
        let error = hear(&mut authenticating(Config::new()), line.as_bytes(), &mut vec![]).unwrap_err();
        assert!(matches!(error, Error::NoStatus { to: Verb::Auth, .. }), "{line:?}: {error:?}");
    }
}

#[test]
fn a_plus_outside_auth_is_no_challenge() {
    for command in [Command::Noop, Command::retr(1).unwrap(), Command::Capa, Command::Quit] {
        for line in ["+ \r\n", "+\r\n", "+ QUJD\r\n"] {
            let mut client = logged_in(Config::new(), "");
            client.send(&command, &mut vec![]).unwrap();
            let error = hear(&mut client, line.as_bytes(), &mut vec![]).unwrap_err();
            assert!(matches!(error, Error::NoStatus { .. }), "{command:?} {line:?}: {error:?}");
        }
    }
}

#[test]
fn a_client_speaks_in_an_exchange_only_when_it_is_asked() {
    let mut client = authenticating(Config::new());
    let mut out = vec![];
    for _ in 0..2 {
        assert_eq!(client.respond_line(b"QUJD", &mut out), Err(Misuse::NoChallenge));
        assert_eq!(client.cancel(&mut out), Err(Misuse::NoChallenge));
        assert!(client.send(&Command::Quit, &mut out).is_err());
    }
    feed(&mut client, b"+ \r\n");
    assert!(client.send(&Command::Quit, &mut out).is_err(), "the response comes first");
    for bad in [&b"QUJ"[..], b"QUJD\r\n", b"*", b"=", b"Q=JD", b"QUJD\r\nQUIT", b" "] {
        assert!(client.respond_line(bad, &mut out).is_err(), "{}", bad.escape_ascii());
    }
    assert!(out.is_empty());
    client.respond_line(b"QUJD", &mut out).unwrap();
    assert_eq!(client.respond_line(b"QUJD", &mut out), Err(Misuse::NoChallenge), "once");
    feed(&mut client, b"+ QUJD\r\n");
    client.respond_line(b"", &mut out).unwrap();
    feed(&mut client, b"+ QUJD\r\n");
    client.cancel(&mut out).unwrap();
    assert_eq!(client.cancel(&mut out), Err(Misuse::NoChallenge));
    assert_eq!(out, b"QUJD\r\n\r\n*\r\n");
    assert_eq!(feed(&mut client, b"-ERR\r\n").len(), 1);
    assert_eq!((client.state(), client.outstanding()), (State::Authorization, 0));
    client.send(&Command::auth("X-TWO").unwrap(), &mut out).unwrap();
}

#[test]
fn octets_behind_a_challenge_bar_the_response() {
    for behind in ["+", "+OK\r\n", "-ERR\r\n", "+ \r\n"] {
        let mut client = authenticating(Config::new());
        let octets = format!("+ \r\n{behind}");
        let mut input = octets.as_bytes();
        assert!(matches!(client.next_event(&mut input), Ok(Some(Event::Challenge(_)))));
        let mut out = vec![];
        assert_eq!(client.respond_line(b"QUJD", &mut out), Err(Misuse::Unsolicited));
        assert_eq!(client.cancel(&mut out), Err(Misuse::Unsolicited));
        assert!(out.is_empty());
        assert_eq!(client.next_event(&mut input), Err(Error::Unsolicited));
    }
}

#[test]
fn a_connection_lost_in_the_midst_of_an_exchange_leaves_a_client_with_nothing() {
    let lost: [fn(&mut Client); 4] = [
        |_| {},
        |client| drop(feed(client, b"+ QU")),
        |client| drop(feed(client, b"+ QUJD\r\n")),
        |client| {
            feed(client, b"+ QUJD\r\n");
            client.respond_line(b"QUJD", &mut vec![]).unwrap();
        },
    ];
    for story in lost {
        let mut client = authenticating(Config::new());
        story(&mut client);
        let error = client.handle_eof().unwrap_err();
        assert!(matches!(error, Error::AuthRejectedByClose { to: Verb::Auth } | Error::Eof { .. }), "{error:?}");
        let mut out = vec![];
        assert_eq!(client.respond_line(b"QUJD", &mut out), Err(Misuse::Over));
        for command in [Command::auth("X-TWO").unwrap(), Command::user("mrose").unwrap(), Command::Quit] {
            assert_eq!(client.send(&command, &mut out), Err(Misuse::Over), "a new login is a new connection's");
        }
        assert_eq!(client.next_event(&mut &b"+OK\r\n"[..]), Err(error));
        assert!(out.is_empty() && client.held() == 0 && client.login_generation() == 0);
        assert_eq!(client.state(), State::Authorization);
    }
}

/// A server that asked for a response.
fn asked() -> (Server, Site) {
    let (mut server, mut site) = (greeted(everything()), Site::new(&[b"one\r\n"]));
    let mut out = vec![];
    site.serve(&mut server, b"AUTH X-TWO\r\n", &mut vec![], &mut out).unwrap();
    assert_eq!(out, b"+ \r\n", "an empty challenge has its space");
    (server, site)
}

#[test]
fn an_asterisk_gets_exactly_one_err() {
    let line = b"*\r\nCAPA\r\n";
    for cut in 0..line.len() {
        for responses in 0..2 {
            let (mut server, mut site) = asked();
            for _ in 0..responses {
                site.serve(&mut server, b"\r\n", &mut vec![], &mut vec![]).unwrap();
            }
            let (mut seen, mut out) = (vec![], vec![]);
            site.serve(&mut server, &line[..cut], &mut seen, &mut out).unwrap();
            site.serve(&mut server, &line[cut..], &mut seen, &mut out).unwrap();
            assert_eq!(seen, [Incoming::Cancelled, Incoming::Command(Command::Capa)]);
            let said = String::from_utf8(out).unwrap();
            assert!(said.starts_with("-ERR ") && said.matches("-ERR").count() == 1, "{said}");
            assert_eq!((server.state(), server.failed_logins()), (State::Authorization, 1));
        }
    }
}

#[test]
fn nothing_waits_for_an_answer_behind_an_asterisk() {
    let (mut server, _) = asked();
    let mut out = vec![];
    assert_eq!(server.next_event(&mut &b"*\r\n"[..], &mut out), Ok(Some(Incoming::Cancelled)));
    let before = out.len();
    assert_eq!(server.reply(&Reply::err("cancelled").unwrap(), &mut out), Err(Misuse::NothingOwed));
    assert_eq!(server.challenge_line(b"", &mut out), Err(Misuse::NothingOwed));
    assert_eq!((out.len(), server.owes(), server.awaiting()), (before, None, Wait::Command));
}

#[test]
fn a_line_that_is_no_response_ends_the_exchange_with_one_err() {
    for line in ["**", "* ", " *", "QUIT now", "QU", "QUJ", "QU=D", "=QUJ", "QUJD QUJD", "=", "\0", "QUJD\r", "+ "] {
        let (mut server, mut site) = asked();
        let (mut seen, mut out) = (vec![], vec![]);
        site.serve(&mut server, format!("{line}\r\nCAPA\r\n").as_bytes(), &mut seen, &mut out).unwrap();
        let [Incoming::Refused { verb: Verb::Auth, refusal: Refusal::Syntax(_) }, Incoming::Command(Command::Capa)] =
            &seen[..]
        else {
            panic!("{line:?}: {seen:?}");
        };
        assert_eq!(String::from_utf8(out).unwrap().matches("-ERR").count(), 1, "{line:?}");
    }
}

#[test]
fn auth_drops_a_pending_user() {
    let (mut server, mut site) = (greeted(everything()), Site::default());
    let mut seen = vec![];
    let lines = b"USER mrose\r\nAUTH X-TWO\r\n*\r\nPASS tanstaaf\r\n";
    site.serve(&mut server, lines, &mut seen, &mut vec![]).unwrap();
    assert!(matches!(seen.last(), Some(Incoming::Refused { refusal: Refusal::NoUser, .. })), "{seen:?}");
}

#[test]
fn a_connection_lost_in_the_midst_of_an_exchange_leaves_a_server_with_nothing() {
    for sent in [&b""[..], b"dGFuc3Rh", b"\r\ndGFu", b"\r\n", b"*"] {
        let (mut server, mut site) = asked();
        site.serve(&mut server, sent, &mut vec![], &mut vec![]).unwrap();
        assert_eq!(server.handle_eof(), Outcome::Lost);
        let (mut seen, mut out) = (vec![], vec![]);
        site.serve(&mut server, b"YWY=\r\n*\r\nAUTH X-TWO\r\n", &mut seen, &mut out).unwrap();
        assert!(seen.is_empty() && out.is_empty() && server.held() == 0 && server.is_over());
        assert_eq!(server.challenge_line(b"", &mut out), Err(Misuse::Over));
        assert_eq!(server.reply(&Reply::ok("").unwrap(), &mut out), Err(Misuse::Over));
    }
}

#[test]
fn a_refused_exchange_is_as_if_it_had_not_been() {
    let (mut server, mut site) = asked();
    let (mut seen, mut out) = (vec![], vec![]);
    site.serve(&mut server, b"\r\nd3Jvbmc=\r\n", &mut seen, &mut out).unwrap();
    assert!(out.ends_with(b"-ERR [AUTH] wrong name or password\r\n"));
    assert_eq!((server.state(), server.failed_logins()), (State::Authorization, 1));
    out.clear();
    site.serve(&mut server, b"AUTH X-TWO\r\n\r\ndGFuc3RhYWY=\r\n", &mut seen, &mut out).unwrap();
    assert_eq!((server.state(), server.failed_logins()), (State::Transaction, 1));
}

#[test]
fn an_ok_in_mid_exchange_is_a_challenge_only_where_the_quirk_is_on() {
    // By default +OK means what it says.
    let mut client = authenticating(Config::new());
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.state(), State::Transaction);
    // Where it is on, it stands for "+" until credentials were sent, and not a moment longer.
    let mut client = authenticating(Config::new().with_quirk(Quirk::OkAsContinue));
    assert!(
        matches!(&feed(&mut client, b"+OK go on\r\n")[..], [Heard::Event(event)] if event.starts_with("Challenge"))
    );
    assert_eq!(client.state(), State::Authorization);
    client.respond_line(b"QUJD", &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.state(), State::Transaction);
    assert!(client.quirks_seen().contains(Quirk::OkAsContinue));
}

#[test]
fn an_ok_counts_as_a_challenge_once_even_if_it_was_cancelled() {
    let mut client = authenticating(Config::new().with_quirk(Quirk::OkAsContinue));
    feed(&mut client, b"+OK go on\r\n");
    client.cancel(&mut vec![]).unwrap();
    let heard = feed(&mut client, b"+OK\r\n");
    assert!(matches!(&heard[..], [Heard::Event(event)] if event.starts_with("Ok")), "{heard:?}");
}
