//! P27: "Time is data: the machine says which wait it is in and how long it may be [...]; the driver owns the clock [...].
//! Autologout sends nothing and deletes nothing." A machine that waits for the wrong thing, or an end of the connection
//! that commits deletions, breaks it; the commitments of the design's seventh promise are tested here too.

#[path = "support/machines.rs"]
mod machines;

use machines::{Site, everything, feed, greeted, logged_in, open};
use pop3_proto::{
    Client, Command, Committed, Config, Error, Incoming, Misuse, Outcome, Peer, Reply, Server, State, Verb, Wait,
};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_client_says_what_it_waits_for_and_how_long() {
    let config =
        Config::new().allow_cleartext_login().greeting_wait(MINUTE).reply_wait(2 * MINUTE).handshake_wait(3 * MINUTE);
    let mut client = Client::with_config(config);
    let mut out = vec![];
    let wait = |client: &Client| (client.awaiting(), client.patience());
    assert_eq!(wait(&client), (Wait::Greeting, Some(MINUTE)));
    feed(&mut client, b"+OK hal");
    assert_eq!(wait(&client), (Wait::Greeting, Some(MINUTE)));
    feed(&mut client, b"f\r\n");
    assert_eq!(wait(&client), (Wait::Command, None), "the next word is the client's own");
    client.send(&Command::Stls, &mut out).unwrap();
    assert_eq!(wait(&client), (Wait::Reply(Verb::Stls), Some(2 * MINUTE)));
    feed(&mut client, b"+OK\r\n");
    assert_eq!(wait(&client), (Wait::Tls, Some(3 * MINUTE)));
    client.tls_established(Peer::Verified).unwrap();
    client.send(&Command::auth("X").unwrap(), &mut out).unwrap();
    feed(&mut client, b"+ \r\n");
    assert_eq!(wait(&client), (Wait::Answer(Verb::Auth), None), "the caller owes the response");
    client.respond_line(b"", &mut out).unwrap();
    assert_eq!(wait(&client), (Wait::Reply(Verb::Auth), Some(2 * MINUTE)));
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::retr(1).unwrap(), &mut out).unwrap();
    feed(&mut client, b"+OK\r\nhalf a mess");
    assert_eq!(wait(&client), (Wait::Reply(Verb::Retr), Some(2 * MINUTE)), "the rest of an answer is waited for too");
    feed(&mut client, b"age\r\n.\r\n");
    client.send(&Command::Quit, &mut out).unwrap();
    assert_eq!(wait(&client), (Wait::Reply(Verb::Quit), Some(2 * MINUTE)));
    feed(&mut client, b"+OK\r\n");
    assert_eq!(wait(&client), (Wait::Close, None));
}

#[test]
fn a_client_waits_for_the_first_of_its_commands() {
    let mut client = logged_in(Config::new(), "PIPELINING");
    for command in [Command::Noop, Command::Stat] {
        client.send(&command, &mut vec![]).unwrap();
    }
    assert_eq!(client.awaiting(), Wait::Reply(Verb::Noop));
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.awaiting(), Wait::Reply(Verb::Stat));
}

#[test]
fn a_server_says_what_it_waits_for_and_how_long() {
    let mut server = greeted(everything());
    let mut site = Site::new(&[b"one\r\n"]);
    let mut out = vec![];
    let wait = |server: &Server| (server.awaiting(), server.patience());
    assert_eq!(wait(&server), (Wait::Command, Some(10 * MINUTE)));
    server.next_event(&mut &b"STLS\r\n"[..], &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Answer(Verb::Stls), None));
    server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Tls, Some(5 * MINUTE)));
    server.tls_established().unwrap();
    server.next_event(&mut &b"AUTH X-TWO\r\n"[..], &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Answer(Verb::Auth), None));
    server.challenge_line(b"", &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Command, Some(10 * MINUTE)), "for the response");
    site.serve(&mut server, b"*\r\nUSER mrose\r\nPASS tanstaaf\r\n", &mut vec![], &mut out).unwrap();
    server.next_event(&mut &b"RETR 1\r\n"[..], &mut out).unwrap();
    server.begin("", &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Answer(Verb::Retr), None));
    server.end(&mut out).unwrap();
    server.next_event(&mut &b"QUIT\r\n"[..], &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Answer(Verb::Quit), None));
    server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    assert_eq!(wait(&server), (Wait::Close, None));
}

#[test]
fn autologout_is_ten_minutes_or_more_unless_the_setting_names_the_deviation() {
    assert_eq!(Config::new().patience(Wait::Command), Some(10 * MINUTE));
    let short = 10 * MINUTE - Duration::from_nanos(1);
    assert_eq!(Config::new().autologout(short).err(), Some(Misuse::TooShort));
    let of = |config: Config| config.patience(Wait::Command);
    assert_eq!(Config::new().autologout(10 * MINUTE).map(of), Ok(Some(10 * MINUTE)));
    assert_eq!(Config::new().autologout(30 * MINUTE).map(of), Ok(Some(30 * MINUTE)));
    assert_eq!(of(Config::new().autologout_below_ten_minutes(MINUTE)), Some(MINUTE));
    let server = greeted(Config::new().autologout_below_ten_minutes(MINUTE));
    assert_eq!(server.patience(), Some(MINUTE));
}

#[test]
fn a_shorter_wait_before_login_and_an_autologout_can_be_set_in_either_order() {
    assert_eq!(Config::new().patience(Wait::Tls), Some(5 * MINUTE));
    let one = Config::new().login_wait_below_ten_minutes(MINUTE).autologout(30 * MINUTE).unwrap();
    let other = Config::new().autologout(30 * MINUTE).unwrap().login_wait_below_ten_minutes(MINUTE);
    assert_eq!(one, other);
    assert_eq!(greeted(one.clone()).patience(), Some(MINUTE));
    assert_eq!(one.patience(Wait::Command), Some(30 * MINUTE));
    let short = Config::new().login_wait_below_ten_minutes(MINUTE).autologout_below_ten_minutes(5 * MINUTE);
    assert_eq!(greeted(short).patience(), Some(MINUTE));
    // Who says nothing about the time before login has one time for both.
    assert_eq!(greeted(Config::new().autologout(30 * MINUTE).unwrap()).patience(), Some(30 * MINUTE));
}

/// Servers with one message marked as deleted, and how far QUIT came.
fn deleting() -> (Server, Site) {
    let mut site = Site::new(&[b"one\r\n", b"two\r\n"]);
    let mut server = open(Config::new(), &mut site);
    site.serve(&mut server, b"DELE 1\r\n", &mut vec![], &mut vec![]).unwrap();
    assert_eq!(site.maildrop.deleted().collect::<Vec<_>>(), [0]);
    (server, site)
}

#[test]
fn no_message_is_sent_that_nobody_waits_for() {
    let (mut server, _) = deleting();
    let mut out = vec![];
    assert_eq!(server.body(b"one\r\n", &mut out), Err(Misuse::NothingOwed));
    assert_eq!(server.body_segments(b"one\r\n").err(), Some(Misuse::NothingOwed));
    assert!(out.is_empty() && !server.is_over());
}

/// A server that is over: it takes nothing, says nothing, and never comes to UPDATE.
fn silent(mut server: Server, mut site: Site) {
    assert!(server.is_over());
    assert_eq!((server.awaiting(), server.owes(), server.held()), (Wait::Close, None, 0));
    let (mut seen, mut out) = (vec![], vec![]);
    site.serve(&mut server, b"QUIT\r\nNOOP\r\n", &mut seen, &mut out).unwrap();
    assert_eq!(server.reply(&Reply::ok("").unwrap(), &mut out), Err(Misuse::Over));
    assert_eq!(server.body(b"one\r\n", &mut out), Err(Misuse::Over));
    assert_eq!(server.body_segments(b"one\r\n").err(), Some(Misuse::Over));
    assert_eq!((seen.len(), out.len(), site.removed), (0, 0, None));
}

#[test]
fn autologout_sends_nothing_and_removes_nothing() {
    // The call has nowhere to write, and behind it nothing can.
    let (mut server, site) = deleting();
    server.handle_autologout();
    assert_eq!(server.handle_eof(), Outcome::Lost);
    silent(server, site);
    // Not even half a QUIT counts, nor one that comes a moment later.
    let (mut server, mut site) = deleting();
    site.serve(&mut server, b"QUIT", &mut vec![], &mut vec![]).unwrap();
    server.handle_autologout();
    silent(server, site);
}

#[test]
fn a_lost_connection_removes_nothing() {
    for sent in ["", "Q", "QUIT", "QUIT\r", "QUIT\n", "QUIT now\r\n", " QUIT\r\n", "RSET\r\nDELE 2\r\n"] {
        let (mut server, mut site) = deleting();
        site.serve(&mut server, sent.as_bytes(), &mut vec![], &mut vec![]).unwrap();
        assert_eq!(server.handle_eof(), Outcome::Lost, "{sent:?}");
        silent(server, site);
    }
}

#[test]
fn an_aborted_message_removes_nothing() {
    let (mut server, site) = deleting();
    let mut out = vec![];
    server.next_event(&mut &b"RETR 2\r\n"[..], &mut out).unwrap();
    server.begin("", &mut out).unwrap();
    server.body(b"half a mess", &mut out).unwrap();
    server.abort();
    assert!(!out.ends_with(b".\r\n"), "no false end");
    assert_eq!(server.handle_eof(), Outcome::Lost);
    silent(server, site);
}

#[test]
fn an_error_removes_nothing() {
    let mut site = Site::new(&[b"one\r\n"]);
    let mut server = open(Config::new().discarded(600), &mut site);
    site.serve(&mut server, b"DELE 1\r\n", &mut vec![], &mut vec![]).unwrap();
    let flood = [&[b'x'; 700][..], b"\r\nQUIT\r\n"].concat();
    site.serve(&mut server, &flood, &mut vec![], &mut vec![]).unwrap_err();
    assert_eq!((server.handle_eof(), site.removed), (Outcome::Lost, None));
}

#[test]
fn quit_in_the_transaction_state_is_update_first_and_answered_then() {
    let (mut server, mut site) = deleting();
    let mut out = vec![];
    assert_eq!(server.next_event(&mut &b"QUIT\r\n"[..], &mut out), Ok(Some(Incoming::Update)));
    assert_eq!((server.state(), server.is_over(), out.len()), (State::Update, false, 0));
    site.answer(&Incoming::Update, &mut server, &mut out);
    assert_eq!((site.removed, server.handle_eof()), (Some(vec![0]), Outcome::Quit));
    // The connection is lost while the removal goes on: it does go on.
    let (mut server, _) = deleting();
    server.next_event(&mut &b"QUIT\r\n"[..], &mut out).unwrap();
    assert_eq!(server.handle_eof(), Outcome::Update);
}

#[test]
fn quit_in_the_authorization_state_is_no_update() {
    let mut server = greeted(everything());
    let mut out = vec![];
    assert_eq!(server.next_event(&mut &b"QUIT\r\n"[..], &mut out), Ok(Some(Incoming::Command(Command::Quit))));
    server.reply(&Reply::ok("bye").unwrap(), &mut out).unwrap();
    assert_eq!((server.state(), server.handle_eof()), (State::Closed, Outcome::Quit));
    // A QUIT that was not answered yet is not one that was.
    let mut server = greeted(everything());
    server.next_event(&mut &b"QUIT\r\n"[..], &mut out).unwrap();
    assert_eq!(server.handle_eof(), Outcome::Lost);
}

#[test]
fn a_client_knows_what_became_of_its_deletions() {
    let deleted = || {
        let mut client = logged_in(Config::new(), "");
        client.send(&Command::dele(1).unwrap(), &mut vec![]).unwrap();
        feed(&mut client, b"+OK\r\n");
        client
    };
    let mut client = deleted();
    assert_eq!(client.committed(), Committed::No);
    assert_eq!(client.handle_eof(), Ok(()));
    assert_eq!(client.committed(), Committed::No, "no QUIT was sent");

    for (answer, committed) in [
        ("+OK\r\n", Committed::Yes),
        ("-ERR some deleted messages not removed\r\n", Committed::Unknown),
        ("", Committed::Unknown),
        ("+OK", Committed::Unknown),
        ("junk\r\n", Committed::Unknown),
    ] {
        let mut client = deleted();
        client.send(&Command::Quit, &mut vec![]).unwrap();
        assert_eq!((client.committed(), client.state()), (Committed::Unknown, State::Update));
        let _ = machines::hear(&mut client, answer.as_bytes(), &mut vec![]);
        let _ = client.handle_eof();
        assert_eq!(client.committed(), committed, "{answer:?}");
    }
    // QUIT in the AUTHORIZATION state has nothing to commit.
    let mut client = Client::new();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Quit, &mut vec![]).unwrap();
    assert_eq!(client.committed(), Committed::No);
    feed(&mut client, b"+OK\r\n");
    assert_eq!((client.committed(), client.is_over()), (Committed::No, true));
}

#[test]
fn the_end_of_the_connection_names_the_wait_it_broke() {
    let eof = |awaiting| Err(Error::Eof { awaiting });
    assert_eq!(Client::new().handle_eof(), eof(Wait::Greeting));

    let mut client = Client::new();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Stls, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.handle_eof(), eof(Wait::Tls));

    for (command, answer) in [
        (Command::Stat, ""),
        (Command::Stat, "+OK 1"),
        (Command::retr(1).unwrap(), "+OK\r\n"),
        (Command::retr(1).unwrap(), "+OK\r\nhalf\r\n."),
        (Command::List(None), "+OK\r\n1 5\r\n"),
        (Command::Quit, ""),
    ] {
        let mut client = logged_in(Config::new(), "");
        client.send(&command, &mut vec![]).unwrap();
        feed(&mut client, answer.as_bytes());
        for _ in 0..2 {
            assert_eq!(client.handle_eof(), eof(Wait::Reply(command.verb())), "{command:?} {answer:?}");
        }
        assert_eq!(client.send(&Command::Noop, &mut vec![]), Err(Misuse::Over));
        assert_eq!(client.held(), 0);
    }
}

#[test]
fn a_server_that_closes_on_a_login_has_refused_it() {
    let login = |command: &Command<'_>| {
        let config = Config::new().allow_cleartext_login().allow_apop_md5();
        let mut client = Client::with_config(config);
        feed(&mut client, b"+OK <a@b>\r\n");
        if matches!(command, Command::Pass(_)) {
            client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
            feed(&mut client, b"+OK\r\n");
        }
        client.send(command, &mut vec![]).unwrap();
        client.handle_eof()
    };
    let pass = Command::pass("x").unwrap();
    let apop = Command::apop("mrose", machines::DIGEST).unwrap();
    for command in [pass, apop] {
        assert_eq!(login(&command), Err(Error::AuthRejectedByClose { to: command.verb() }));
    }
    assert_eq!(login(&Command::user("mrose").unwrap()), Err(Error::Eof { awaiting: Wait::Reply(Verb::User) }));
    // No credential was sent yet, and so none can be wrong.
    let auth = Command::auth("X").unwrap();
    assert_eq!(login(&auth), Err(Error::Eof { awaiting: Wait::Reply(Verb::Auth) }));
}
