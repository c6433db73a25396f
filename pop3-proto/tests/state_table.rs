//! "Every (state, command, answer) triple has an expectation": the table of `state.rs` is written out here a second time,
//! and both machines are driven into each state and offered each command. A command that slips through in the wrong
//! state, or an answer that leads to the wrong one, breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{DIGEST, Site, TIMESTAMP, everything, feed, greeted, open};
use pop3_proto::{
    Client, Command, Config, Error, Incoming, LanguageTag, MessageNumber, Misuse, Refusal, Reply, Server, Shape, State,
    Status, UniqueId, UniqueIdListing, Verb,
};

const STATES: [State; 6] =
    [State::Greeting, State::Authorization, State::Handshake, State::Transaction, State::Update, State::Closed];

/// What may be given where; nothing else may be given anywhere.
const PERMITTED: [(State, &[Verb]); 2] = [
    (
        State::Authorization,
        &[
            Verb::User,  // RFC 1939 §7
            Verb::Pass,  // RFC 1939 §7
            Verb::Apop,  // RFC 1939 §7
            Verb::Auth,  // RFC 5034 §4
            Verb::Stls,  // RFC 2595 §4
            Verb::Utf8,  // RFC 6856 §2.1
            Verb::Capa,  // RFC 2449 §5
            Verb::Lang,  // RFC 6856 §3
            Verb::Quit,  // RFC 1939 §4
            Verb::Other, // nobody says
        ],
    ),
    (
        State::Transaction,
        &[
            Verb::Stat, // RFC 1939 §5
            Verb::List,
            Verb::Retr,
            Verb::Dele,
            Verb::Noop,
            Verb::Rset,
            Verb::Top,  // RFC 1939 §7
            Verb::Uidl, // RFC 1939 §7
            Verb::Capa, // RFC 2449 §5
            Verb::Lang, // RFC 6856 §3
            Verb::Quit, // RFC 1939 §5
            Verb::Other,
        ],
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Command,
    Ok,
    Err,
}

/// What leads to another state; nothing else does.
const CHANGES: [(State, Verb, On, State); 9] = [
    (State::Authorization, Verb::Pass, On::Ok, State::Transaction),
    (State::Authorization, Verb::Apop, On::Ok, State::Transaction),
    (State::Authorization, Verb::Auth, On::Ok, State::Transaction),
    (State::Authorization, Verb::Stls, On::Ok, State::Handshake),
    (State::Authorization, Verb::Quit, On::Ok, State::Closed),
    (State::Authorization, Verb::Quit, On::Err, State::Closed),
    (State::Transaction, Verb::Quit, On::Command, State::Update),
    (State::Update, Verb::Quit, On::Ok, State::Closed),
    (State::Update, Verb::Quit, On::Err, State::Closed),
];

fn permitted(state: State, verb: Verb) -> bool {
    PERMITTED.iter().any(|(where_, verbs)| *where_ == state && verbs.contains(&verb))
}

fn after(state: State, verb: Verb, on: On) -> State {
    let row = CHANGES.iter().find(|(from, by, when, _)| (*from, *by, *when) == (state, verb, on));
    row.map_or(state, |&(.., to)| to)
}

#[test]
fn the_one_table_says_what_is_written_here() {
    for state in STATES {
        for verb in Verb::ALL {
            assert_eq!(state.permits(verb), permitted(state, verb), "{verb} in {state}");
            assert_eq!(state.after_command(verb), after(state, verb, On::Command), "{verb} in {state}");
            assert_eq!(state.after_ok(verb), after(state, verb, On::Ok), "+OK to {verb} in {state}");
            assert_eq!(state.after_err(verb), after(state, verb, On::Err), "-ERR to {verb} in {state}");
        }
    }
}

/// Each verb, with every number of arguments that it can have.
fn commands() -> Vec<Command<'static>> {
    vec![
        Command::user("mrose").unwrap(),
        Command::pass("tanstaaf").unwrap(),
        Command::apop("mrose", DIGEST).unwrap(),
        Command::auth("X-TWO").unwrap(),
        Command::Stls,
        Command::Utf8,
        Command::Stat,
        Command::List(None),
        Command::list(1).unwrap(),
        Command::retr(1).unwrap(),
        Command::dele(1).unwrap(),
        Command::Noop,
        Command::Rset,
        Command::top(1, 0).unwrap(),
        Command::Uidl(None),
        Command::uidl(1).unwrap(),
        Command::Capa,
        Command::Lang(None),
        Command::lang("en").unwrap(),
        Command::Quit,
        Command::other("XTND", Shape::SingleLine).unwrap(),
    ]
}

#[test]
fn every_verb_is_offered() {
    for verb in Verb::ALL {
        assert!(commands().iter().any(|command| command.verb() == verb), "{verb}");
    }
}

fn client_in(state: State) -> Client {
    let mut client = Client::with_config(Config::new().allow_cleartext_login().allow_apop_md5());
    let send = |client: &mut Client, command: Command<'_>, answer: &str| {
        client.send(&command, &mut vec![]).unwrap();
        feed(client, answer.as_bytes());
    };
    if state != State::Greeting {
        feed(&mut client, format!("+OK {TIMESTAMP}\r\n").as_bytes());
    }
    match state {
        State::Greeting | State::Authorization => {}
        State::Handshake => send(&mut client, Command::Stls, "+OK\r\n"),
        State::Transaction | State::Update => {
            send(&mut client, Command::apop("mrose", DIGEST).unwrap(), "+OK\r\n");
            if state == State::Update {
                send(&mut client, Command::Quit, "");
            }
        }
        State::Closed => send(&mut client, Command::Quit, "+OK\r\n"),
    }
    assert_eq!(client.state(), state);
    client
}

#[test]
fn a_client_sends_in_each_state_what_the_table_permits_and_nothing_else() {
    for state in STATES {
        for command in commands() {
            let mut client = client_in(state);
            let verb = command.verb();
            if verb == Verb::Pass && state == State::Authorization {
                assert_eq!(client.may_send(&command), Err(Misuse::UserBeforePass));
                client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
                feed(&mut client, b"+OK\r\n");
            }
            let expected = match (permitted(state, verb), state) {
                (true, _) => Ok(()),
                (false, State::Closed) => Err(Misuse::Over),
                (false, _) => Err(Misuse::NotPermitted { verb, state }),
            };
            assert_eq!(client.may_send(&command), expected, "{command:?} in {state}");
            let mut out = vec![];
            assert_eq!(client.send(&command, &mut out), expected);
            assert_eq!(out.is_empty(), expected.is_err());
        }
    }
}

#[test]
fn every_answer_leads_a_client_where_the_table_says() {
    for state in [State::Authorization, State::Transaction] {
        for command in commands().into_iter().filter(|command| permitted(state, command.verb())) {
            for on in [On::Ok, On::Err] {
                let mut client = client_in(state);
                let verb = command.verb();
                if verb == Verb::Pass {
                    client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
                    feed(&mut client, b"+OK\r\n");
                }
                client.send(&command, &mut vec![]).unwrap();
                let asked = after(state, verb, On::Command);
                assert_eq!(client.state(), asked, "{command:?} in {state}");
                let answer = match (on, command.shape()) {
                    (On::Err, _) => "-ERR\r\n",
                    (_, Shape::SingleLine) => "+OK\r\n",
                    (_, Shape::MultiLine) => "+OK\r\n.\r\n",
                };
                feed(&mut client, answer.as_bytes());
                assert_eq!(client.state(), after(asked, verb, on), "{on:?} to {command:?} in {state}");
                assert_eq!(client.outstanding(), 0);
            }
        }
    }
}

fn server_in(state: State) -> Server {
    match state {
        State::Authorization => greeted(everything()),
        State::Transaction => open(everything(), &mut Site::new(&[b"one\r\n"])),
        other => panic!("{other} is reached by commands"),
    }
}

fn line(command: &Command<'_>) -> Vec<u8> {
    let mut line = vec![];
    command.encode(&mut line);
    line
}

/// `+OK`, with what the command asks for.
fn accept(server: &mut Server, command: &Command<'_>) {
    let number = MessageNumber::FIRST;
    let mut out = vec![];
    let reply = match command {
        Command::Stat => Reply::drop_listing(1, 5),
        Command::List(Some(_)) => Reply::scan_listing(number, 5),
        Command::Uidl(Some(_)) => {
            Reply::unique_id(UniqueIdListing { number, id: UniqueId::new("id").unwrap() }).unwrap()
        }
        Command::Lang(Some(_)) => Reply::language(LanguageTag::new("en").unwrap(), "English").unwrap(),
        other if other.shape() == Shape::MultiLine => {
            server.begin("", &mut out).unwrap();
            return server.end(&mut out).unwrap();
        }
        _ => Reply::ok("").unwrap(),
    };
    assert_eq!(reply.status(), Status::Ok);
    server.reply(&reply, &mut out).unwrap();
}

#[test]
fn a_server_takes_in_each_state_what_the_table_permits_and_refuses_all_else() {
    for state in [State::Authorization, State::Transaction] {
        for command in commands() {
            let (mut server, mut out) = (server_in(state), vec![]);
            let verb = command.verb();
            if verb == Verb::Pass && state == State::Authorization {
                Site::default().serve(&mut server, b"USER mrose\r\n", &mut vec![], &mut vec![]).unwrap();
            }
            let octets = line(&command);
            let incoming = server.next_event(&mut &octets[..], &mut out).unwrap().unwrap();
            if permitted(state, verb) {
                assert_eq!(server.owes(), Some(verb), "{command:?} in {state}: {incoming:?}");
                assert!(out.is_empty());
                assert_eq!(incoming == Incoming::Update, (state, verb) == (State::Transaction, Verb::Quit));
            } else {
                assert_eq!(incoming, Incoming::Refused { verb, refusal: Refusal::State }, "in {state}");
                assert_eq!((server.owes(), server.state()), (None, state));
                assert_eq!(out, b"-ERR not permitted in this state\r\n");
            }
        }
    }
}

#[test]
fn every_answer_leads_a_server_where_the_table_says() {
    for state in [State::Authorization, State::Transaction] {
        for command in commands().into_iter().filter(|command| permitted(state, command.verb())) {
            for on in [On::Ok, On::Err] {
                let mut server = server_in(state);
                let verb = command.verb();
                if verb == Verb::Pass {
                    Site::default().serve(&mut server, b"USER mrose\r\n", &mut vec![], &mut vec![]).unwrap();
                }
                server.next_event(&mut &line(&command)[..], &mut vec![]).unwrap().unwrap();
                let asked = after(state, verb, On::Command);
                assert_eq!(server.state(), asked);
                match on {
                    On::Ok => accept(&mut server, &command),
                    _ => server.reply(&Reply::err("no").unwrap(), &mut vec![]).unwrap(),
                }
                assert_eq!(server.state(), after(asked, verb, on), "{on:?} to {command:?} in {state}");
                assert_eq!(server.owes(), None);
            }
        }
    }
}

#[test]
fn a_server_takes_no_command_in_any_other_state() {
    for command in commands() {
        let octets = line(&command);
        // Handshake: whatever comes in the clear is fatal.
        let (mut server, mut out) = (greeted(everything()), vec![]);
        Site::default().serve(&mut server, b"STLS\r\n", &mut vec![], &mut vec![]).unwrap();
        assert_eq!(server.state(), State::Handshake);
        assert_eq!(server.next_event(&mut &octets[..], &mut out), Err(Error::PlaintextAfterStls));
        // Update, and closed: nothing is read.
        let mut server = server_in(State::Transaction);
        server.next_event(&mut &b"QUIT\r\n"[..], &mut out).unwrap().unwrap();
        for state in [State::Update, State::Closed] {
            assert_eq!(server.state(), state);
            let mut input = &octets[..];
            assert_eq!(server.next_event(&mut input, &mut out), Ok(None));
            assert_eq!(input, octets);
            let _ = server.reply(&Reply::ok("").unwrap(), &mut vec![]);
        }
        assert!(out.is_empty());
    }
}

#[test]
fn pass_comes_right_behind_a_successful_user_and_nothing_else_does() {
    // A08: to a server, any command but PASS and QUIT drops the name.
    for command in commands().into_iter().filter(|it| permitted(State::Authorization, it.verb())) {
        if matches!(command.verb(), Verb::Pass | Verb::Quit | Verb::Stls | Verb::Apop) {
            continue;
        }
        let (mut server, mut site) = (greeted(everything()), Site::default());
        let mut seen = vec![];
        let between = line(&command);
        site.serve(&mut server, b"USER mrose\r\n", &mut seen, &mut vec![]).unwrap();
        site.serve(&mut server, &between, &mut seen, &mut vec![]).unwrap();
        if command.verb() == Verb::Auth {
            site.serve(&mut server, b"*\r\n", &mut seen, &mut vec![]).unwrap();
        }
        site.serve(&mut server, b"PASS tanstaaf\r\n", &mut seen, &mut vec![]).unwrap();
        let refused = matches!(seen.last(), Some(Incoming::Refused { refusal: Refusal::NoUser, .. }));
        assert!(refused, "behind {command:?}: {seen:?}");
    }
    // And a client sends nothing else.
    let mut client = client_in(State::Authorization);
    client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    for command in commands().into_iter().filter(|it| permitted(State::Authorization, it.verb())) {
        let expected =
            if matches!(command.verb(), Verb::Pass | Verb::Quit) { Ok(()) } else { Err(Misuse::UserBeforePass) };
        assert_eq!(client.may_send(&command), expected, "{command:?}");
    }
}
