//! "Pipelining on both sides": the server reads nothing past an unanswered command, and the client sends no more than
//! the peer announced and its window takes (RFC 2449 §6.6). A command that is executed out of turn, or one that is sent
//! where its answer could be lost, breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{Site, everything, feed, greeted, logged_in, open};
use pop3_proto::{Client, Command, Config, Extension, Incoming, Misuse, Peer, Pipelining, Reply, Shape, Support, Verb};

fn numbered(commands: &[Verb]) -> Vec<Command<'static>> {
    commands.iter().map(|&verb| command(verb)).collect()
}

fn command(verb: Verb) -> Command<'static> {
    match verb {
        Verb::Stat => Command::Stat,
        Verb::List => Command::List(None),
        Verb::Retr => Command::retr(1).unwrap(),
        Verb::Dele => Command::dele(1).unwrap(),
        Verb::Noop => Command::Noop,
        Verb::Rset => Command::Rset,
        Verb::Top => Command::top(1, 0).unwrap(),
        Verb::Uidl => Command::Uidl(None),
        Verb::Capa => Command::Capa,
        Verb::Lang => Command::Lang(None),
        Verb::Quit => Command::Quit,
        _ => Command::other("XTND", Shape::SingleLine).unwrap(),
    }
}

const WINDOW: [Verb; 8] =
    [Verb::Stat, Verb::List, Verb::Retr, Verb::Dele, Verb::Noop, Verb::Rset, Verb::Top, Verb::Uidl];
const BARRIERS: [Verb; 4] = [Verb::Capa, Verb::Lang, Verb::Quit, Verb::Other];

#[test]
fn a_client_with_several_commands_outstanding_knows_which_message_is_answered() {
    let mut client = logged_in(Config::new(), "PIPELINING");
    let number = pop3_proto::MessageNumber::new;
    assert_eq!(client.answering(), None);
    let mut out = vec![];
    for command in [Command::dele(7).unwrap(), Command::top(3, 0).unwrap(), Command::Stat, Command::uidl(9).unwrap()] {
        client.send(&command, &mut out).unwrap();
    }
    let mut input = &b"-ERR no\r\n+OK\r\nx\r\n.\r\n+OK 1 2\r\n+OK 9 id\r\n"[..];
    let mut answered = vec![];
    loop {
        let answering = client.answering();
        let Some(event) = client.next_event(&mut input).unwrap() else { break };
        let (pop3_proto::Event::Ok { to: verb, .. }
        | pop3_proto::Event::Err { to: verb, .. }
        | pop3_proto::Event::End { of: verb }) = event
        else {
            assert_eq!(answering, Some((Verb::Top, number(3))), "{event:?}");
            continue;
        };
        assert_eq!(answering.map(|(verb, _)| verb), Some(verb));
        answered.push((verb, answering.and_then(|(_, number)| number)));
    }
    assert_eq!(
        answered,
        [
            (Verb::Dele, number(7)),
            (Verb::Top, number(3)),
            (Verb::Top, number(3)),
            (Verb::Stat, None),
            (Verb::Uidl, number(9))
        ]
    );
    assert_eq!(client.answering(), None);
}

#[test]
fn a_server_reads_nothing_past_an_unanswered_command() {
    let mut site = Site::new(&[b"one\r\n"]);
    let mut server = open(Config::new(), &mut site);
    let mut out = vec![];
    let batch = b"STAT\r\nDELE 1\r\nxyzzy\r\nNOO";
    let mut input = &batch[..];
    assert_eq!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Command(Command::Stat))));
    for _ in 0..3 {
        // The caller keeps what is left: the same octets in the same place.
        assert_eq!(server.next_event(&mut input, &mut out), Ok(None));
        assert_eq!((input.as_ptr(), input.len()), (batch[6..].as_ptr(), batch.len() - 6));
        assert_eq!((server.owes(), server.held()), (Some(Verb::Stat), 0));
    }
    assert!(out.is_empty());
    server.reply(&Reply::drop_listing(1, 5), &mut out).unwrap();
    assert_eq!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Command(command(Verb::Dele)))));
    assert_eq!(input, b"xyzzy\r\nNOO");
    server.reply(&Reply::err("no").unwrap(), &mut out).unwrap();
    assert!(matches!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Refused { .. }))));
    assert_eq!(out, b"+OK 1 5\r\n-ERR no\r\n-ERR unknown command\r\n", "in the order of the commands");
    assert_eq!(server.next_event(&mut input, &mut out), Ok(None));
    assert_eq!((input, server.held()), (&b""[..], 3));
}

#[test]
fn a_server_reads_nothing_while_a_listing_or_a_message_is_under_way() {
    for line in [&b"LIST\r\n"[..], b"RETR 1\r\n"] {
        let mut site = Site::new(&[b"one\r\n"]);
        let mut server = open(everything(), &mut site);
        let mut out = vec![];
        server.next_event(&mut &line[..], &mut out).unwrap().unwrap();
        server.begin("", &mut out).unwrap();
        for _ in 0..2 {
            let mut input = &b"QUIT\r\n"[..];
            assert_eq!(server.next_event(&mut input, &mut out), Ok(None));
            assert_eq!(input, b"QUIT\r\n");
        }
        server.end(&mut out).unwrap();
        assert_eq!(server.next_event(&mut &b"QUIT\r\n"[..], &mut out), Ok(Some(Incoming::Update)));
    }
}

#[test]
fn a_server_reads_nothing_behind_quit() {
    for (mut server, mut site) in
        [(greeted(everything()), Site::default()), (open(everything(), &mut Site::default()), Site::default())]
    {
        let (mut seen, mut out) = (vec![], vec![]);
        site.serve(&mut server, b"QUIT\r\nDELE 1\r\nxyzzy\r\n", &mut seen, &mut out).unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(out, b"+OK POP3 server signing off\r\n");
        assert!(server.is_over());
        let mut input = &b"NOOP\r\n"[..];
        assert_eq!(server.next_event(&mut input, &mut out), Ok(None));
        assert_eq!(input, b"NOOP\r\n");
    }
}

#[test]
fn a_line_behind_auth_is_a_response_and_no_command() {
    let (mut server, mut site) = (greeted(everything()), Site::default());
    let (mut seen, mut out) = (vec![], vec![]);
    site.serve(&mut server, b"AUTH X-TWO\r\nQUIT\r\nCAPA\r\n", &mut seen, &mut out).unwrap();
    // "QUIT" is four octets of the base64 alphabet.
    let [Incoming::Auth(_), Incoming::Response(quit), Incoming::Response(capa)] = &seen[..] else { panic!("{seen:?}") };
    assert_eq!((quit.reveal(), capa.reveal()), (&b"QUIT"[..], &b"CAPA"[..]));
    assert!(!server.is_over());
}

#[test]
fn without_the_announcement_commands_go_out_one_at_a_time() {
    for capabilities in ["", "TOP UIDL"] {
        for first in WINDOW {
            for second in WINDOW {
                let mut client = logged_in(Config::new(), capabilities);
                let mut out = vec![];
                client.send(&command(first), &mut out).unwrap();
                let before = out.clone();
                assert_eq!(client.send(&command(second), &mut out), Err(Misuse::Outstanding { awaiting: first }));
                assert_eq!(out, before);
            }
        }
    }
}

#[test]
fn a_refused_capa_announces_nothing() {
    let mut client = logged_in(Config::new(), "PIPELINING");
    assert_eq!(client.supports(Extension::Pipelining), Support::Yes);
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"-ERR no\r\n");
    assert_eq!(client.supports(Extension::Pipelining), Support::Unknown);
    client.send(&Command::Noop, &mut vec![]).unwrap();
    assert_eq!(client.may_send(&Command::Noop), Err(Misuse::Outstanding { awaiting: Verb::Noop }));
}

#[test]
fn an_announcement_from_before_the_login_does_not_count_behind_it() {
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\nPIPELINING\r\n.\r\n");
    client.send(&Command::user("x").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::pass("x").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Noop, &mut vec![]).unwrap();
    assert_eq!(client.may_send(&Command::Noop), Err(Misuse::Outstanding { awaiting: Verb::Noop }));
}

#[test]
fn a_list_that_is_not_complete_announces_nothing_yet() {
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\nPIPELINING\r\n");
    assert_eq!(client.may_send(&Command::Noop), Err(Misuse::Outstanding { awaiting: Verb::Capa }));
}

#[test]
fn never_is_never() {
    let mut client = logged_in(Config::new().pipelining(Pipelining::Never), "PIPELINING");
    client.send(&Command::Noop, &mut vec![]).unwrap();
    assert_eq!(client.may_send(&Command::Noop), Err(Misuse::Outstanding { awaiting: Verb::Noop }));
}

#[test]
fn nothing_goes_out_in_front_of_or_behind_a_barrier() {
    for inner in WINDOW.into_iter().chain(BARRIERS) {
        for barrier in BARRIERS {
            let mut client = logged_in(Config::new(), "PIPELINING");
            client.send(&command(inner), &mut vec![]).unwrap();
            let expected = Err(Misuse::Outstanding { awaiting: inner });
            if inner != Verb::Quit {
                assert_eq!(client.may_send(&command(barrier)), expected, "{barrier} behind {inner}");
            }
            let mut client = logged_in(Config::new(), "PIPELINING");
            client.send(&command(barrier), &mut vec![]).unwrap();
            assert!(client.may_send(&command(inner)).is_err(), "{inner} behind {barrier}");
        }
    }
}

#[test]
fn login_commands_and_stls_are_barriers_too() {
    let announced = || {
        let mut client = Client::with_config(Config::new().allow_cleartext_login());
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        feed(&mut client, b"+OK\r\nPIPELINING\r\nSTLS\r\nUTF8\r\n.\r\n");
        client
    };
    let commands = [
        Command::user("x").unwrap(),
        Command::auth("PLAIN").unwrap(),
        Command::Stls,
        Command::Utf8,
        Command::Capa,
        Command::Lang(None),
        Command::Quit,
    ];
    for first in &commands {
        for second in commands.iter().chain([&Command::pass("x").unwrap()]) {
            let mut client = announced();
            client.send(first, &mut vec![]).unwrap();
            assert!(client.may_send(second).is_err(), "{second:?} behind {first:?}");
        }
    }
}

#[test]
fn pass_goes_right_behind_user_only_on_request_and_only_over_tls() {
    let user_sent = |pipelining, tls: bool, announced: &str| {
        let config = Config::new().allow_cleartext_login().pipelining(pipelining);
        let mut client = if tls { Client::over_tls(config, Peer::Verified) } else { Client::with_config(config) };
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        feed(&mut client, format!("+OK\r\n{announced}\r\n.\r\n").as_bytes());
        client.send(&Command::user("x").unwrap(), &mut vec![]).unwrap();
        client
    };
    let pass = Command::pass("x").unwrap();
    let refused = Err(Misuse::Outstanding { awaiting: Verb::User });
    assert_eq!(user_sent(Pipelining::WithLogin, true, "PIPELINING").may_send(&pass), Ok(()));
    assert_eq!(user_sent(Pipelining::WithLogin, true, "USER").may_send(&pass), refused);
    assert_eq!(user_sent(Pipelining::WithLogin, false, "PIPELINING").may_send(&pass), refused);
    assert_eq!(user_sent(Pipelining::Announced, true, "PIPELINING").may_send(&pass), refused);
    let mut client = user_sent(Pipelining::WithLogin, true, "PIPELINING");
    client.send(&pass, &mut vec![]).unwrap();
    for command in [Command::Stat, Command::Capa, Command::Quit, pass.clone(), Command::user("x").unwrap()] {
        assert!(client.may_send(&command).is_err(), "{command:?} behind an unknown login");
    }
}

#[test]
fn a_message_whose_octets_are_to_come_cannot_be_marked_as_deleted() {
    for body in [Verb::Retr, Verb::Top] {
        let mut client = logged_in(Config::new(), "PIPELINING");
        for command in numbered(&[Verb::Noop, body, Verb::Stat]) {
            client.send(&command, &mut vec![]).unwrap();
        }
        let dele = command(Verb::Dele);
        let refused = |awaiting| Err(Misuse::Outstanding { awaiting });
        assert_eq!(client.may_send(&dele), refused(Verb::Noop));
        feed(&mut client, b"+OK\r\n");
        assert_eq!(client.may_send(&dele), refused(body));
        feed(&mut client, b"+OK\r\nhalf\r\n.");
        assert_eq!(client.may_send(&dele), refused(body));
        feed(&mut client, b"\r\n");
        assert_eq!(client.may_send(&dele), Ok(()), "the message is here, STAT may wait");
    }
    let mut client = logged_in(Config::new(), "PIPELINING");
    client.send(&command(Verb::Dele), &mut vec![]).unwrap();
    assert_eq!(client.may_send(&command(Verb::Dele)), Ok(()));
    assert_eq!(client.may_send(&command(Verb::Retr)), Ok(()));
}

#[test]
fn the_window_counts_commands() {
    for limit in [1, 2, 64] {
        let mut client = logged_in(Config::new().window(limit, 4096), "PIPELINING");
        let mut out = vec![];
        for sent in 0..limit {
            assert_eq!(client.outstanding(), usize::from(sent));
            client.send(&Command::Noop, &mut out).unwrap();
        }
        let before = out.len();
        assert_eq!(client.send(&Command::Noop, &mut out), Err(Misuse::WindowFull));
        assert_eq!((out.len(), client.outstanding()), (before, usize::from(limit)));
        feed(&mut client, b"+OK\r\n");
        assert_eq!(client.send(&Command::Noop, &mut out), Ok(()));
    }
    // A window of none would be a client that cannot speak.
    assert_eq!(logged_in(Config::new().window(0, 0), "PIPELINING").may_send(&Command::Noop), Ok(()));
}

#[test]
fn the_window_counts_octets() {
    // "NOOP" CRLF: six octets each.
    for (octets, fits) in [(11, 1), (12, 2), (13, 2), (17, 2), (18, 3)] {
        let mut client = logged_in(Config::new().window(64, octets), "PIPELINING");
        for _ in 0..fits {
            client.send(&Command::Noop, &mut vec![]).unwrap();
        }
        assert_eq!(client.may_send(&Command::Noop), Err(Misuse::WindowFull), "{octets} octets");
        feed(&mut client, b"+OK\r\n");
        assert_eq!(client.may_send(&Command::Noop), Ok(()), "an answer gives its octets back");
    }
    // Whatever the window, one command can always go.
    assert_eq!(logged_in(Config::new().window(64, 1), "PIPELINING").may_send(&Command::Noop), Ok(()));
}

#[test]
fn answers_come_in_the_order_of_the_commands() {
    let mut client = logged_in(Config::new(), "PIPELINING");
    let verbs = [Verb::Stat, Verb::Dele, Verb::Retr, Verb::List, Verb::Rset];
    let mut out = vec![];
    for command in numbered(&verbs) {
        client.send(&command, &mut out).unwrap();
    }
    assert_eq!(out, b"STAT\r\nDELE 1\r\nRETR 1\r\nLIST\r\nRSET\r\n");
    let heard = feed(&mut client, b"-ERR\r\n+OK\r\n+OK\r\nx\r\n.\r\n-ERR\r\n+OK\r\n");
    let answers: Vec<String> = heard
        .iter()
        .filter_map(|heard| match heard {
            machines::Heard::Event(event) if event.contains("to: ") => Some(event[..event.find(',').unwrap()].into()),
            _ => None,
        })
        .collect();
    assert_eq!(answers, ["Err { to: Stat", "Ok { to: Dele", "Ok { to: Retr", "Err { to: List", "Ok { to: Rset"]);
    assert_eq!(client.outstanding(), 0);
}

#[test]
fn an_answer_in_a_batch_that_makes_no_sense_ends_pipelining() {
    for (command, answer) in [
        (Command::Stat, &b"+OK all well\r\n"[..]),
        (Command::list(1).unwrap(), b"+OK \r\n"),
        (Command::List(None), b"+OK\r\n-ERR no such message\r\n.\r\n"),
        (Command::Uidl(None), b"+OK\r\n1\r\n.\r\n"),
    ] {
        // Alone, it is a bad answer and no more.
        let mut client = logged_in(Config::new(), "PIPELINING");
        client.send(&command, &mut vec![]).unwrap();
        feed(&mut client, answer);
        assert!(client.pipelines(), "{command:?}");
        // With another outstanding behind it, the server may have mixed them up.
        client.send(&command, &mut vec![]).unwrap();
        client.send(&Command::Noop, &mut vec![]).unwrap();
        feed(&mut client, answer);
        assert!(!client.pipelines(), "{command:?}");
        assert_eq!(client.may_send(&Command::Noop), Err(Misuse::Outstanding { awaiting: Verb::Noop }));
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::Noop, &mut vec![]).unwrap();
        assert_eq!(client.may_send(&Command::Noop), Err(Misuse::Outstanding { awaiting: Verb::Noop }));
    }
}
