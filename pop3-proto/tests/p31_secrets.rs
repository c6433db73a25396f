//! P31: "For every reachable type and error, `{:?}`, `{:#?}` and `{}` hold neither the secret nor its base64 or hex, nor
//! any 8-octet window of it". One `derive(Debug)` on a type that holds a password breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{TIMESTAMP, everything, feed, greeted};
use pop3_proto::{Client, Command, Config, Digest, Incoming, Misuse, Peer, Reply, Secret};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::{Debug, Display};

fn base64(octets: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, &octet| bits << 8 | u32::from(octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sextet = bits >> (18 - 6 * place) & 63;
            text.push(if place <= group.len() { char::from(alphabet[sextet as usize]) } else { '=' });
        }
    }
    text
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// What is printed must not hold.
struct Marker {
    windows: Vec<String>,
    /// What was looked at already: machines print alike in most places of a session.
    clean: RefCell<HashSet<String>>,
}

impl Marker {
    /// The secret's own octets, its hex and decimal forms (a `Vec` under `derive(Debug)` prints those), its base64
    /// wherever it may stand in a quartet.
    fn new(secret: &[u8]) -> Self {
        let mut windows = vec![];
        for window in secret.windows(8) {
            windows.push(String::from_utf8_lossy(window).into_owned());
            windows.push(hex(window));
            windows.push(format!("{window:?}").trim_matches(['[', ']']).to_string());
        }
        for shift in 0..3 {
            let shifted = [&b"xxx"[..shift], secret].concat();
            // Without the quartets at the ends, which other octets have a part in.
            let text = base64(&shifted);
            windows.extend(text.as_bytes()[4..text.len() - 4].windows(8).map(|it| String::from_utf8_lossy(it).into()));
        }
        windows.iter_mut().for_each(|window| window.make_ascii_lowercase());
        Self { windows, clean: RefCell::default() }
    }

    fn is_not_in(&self, what: &str, printed: &str) {
        if self.clean.borrow().contains(printed) {
            return;
        }
        // Over several lines a list of numbers reads otherwise.
        let lower = printed.to_ascii_lowercase();
        let flat = lower.split_whitespace().collect::<Vec<_>>().join(" ");
        for window in &self.windows {
            assert!(!lower.contains(window) && !flat.contains(window), "{what} shows {window:?}: {printed}");
        }
        self.clean.borrow_mut().insert(printed.to_string());
    }

    fn debug(&self, what: &str, value: &impl Debug) {
        self.is_not_in(what, &format!("{value:?}"));
        self.is_not_in(what, &format!("{value:#?}"));
    }

    fn display(&self, what: &str, value: &impl Display) {
        self.is_not_in(what, &value.to_string());
    }
}

#[test]
fn the_check_itself_finds_what_it_looks_for() {
    let secret = b"0123456789abcdefgh";
    let marker = Marker::new(secret);
    for printed in [
        "the secret is 0123456789abcdefgh".to_string(),
        "only 6789abcd of it".to_string(),
        hex(secret),
        hex(secret).to_ascii_uppercase(),
        base64(secret),
        base64(&[&b"\0u\0"[..], secret].concat()),
        base64(&[&b"u\0"[..], secret, b"tail"].concat()),
        format!("{:?}", secret.to_vec()),
        format!("{:#?}", secret.to_vec()),
    ] {
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| marker.is_not_in("this", &printed)));
        assert!(found.is_err(), "{printed} passes");
    }
    marker.is_not_in("this", "Pass(<secret>)");
}

/// A server and what it yields while the secret comes in, cut in some twenty places.
fn server_shows_nothing(marker: &Marker, config: &Config, before: &[u8], lines: &[u8]) {
    for cut in (0..=lines.len()).step_by(1 + lines.len() / 20) {
        let mut server = greeted(config.clone());
        let mut out = vec![];
        for piece in [before, &lines[..cut], &lines[cut..]] {
            let mut input = piece;
            loop {
                let incoming = server.next_event(&mut input, &mut out);
                marker.debug("Server", &server);
                marker.debug("Incoming", &incoming);
                let Ok(Some(incoming)) = incoming else { break };
                if let Incoming::Login(login) = &incoming {
                    marker.debug("Login", login);
                }
                marker.debug("Incoming", &incoming.into_owned());
                let answered = match server.owes() {
                    Some(pop3_proto::Verb::User) => server.reply(&Reply::ok("").unwrap(), &mut out),
                    Some(pop3_proto::Verb::Auth) => server.challenge_line(b"", &mut out),
                    Some(_) => server.reply(&Reply::err("no").unwrap(), &mut out),
                    None => Ok(()),
                };
                marker.debug("Misuse", &answered);
            }
        }
        marker.is_not_in("the output", &String::from_utf8_lossy(&out));
        marker.debug("Outcome", &server.handle_eof());
        marker.debug("Server", &server);
    }
}

fn check_password(secret: &str) {
    let marker = Marker::new(secret.as_bytes());
    let command = Command::pass(secret).unwrap();
    marker.debug("Command", &command);
    marker.debug("Command", &command.clone().into_owned());
    let Command::Pass(password) = &command else { panic!("PASS") };
    marker.debug("Password", password);
    let value = Secret::from(secret.as_bytes());
    marker.debug("Secret", &value);
    marker.display("Secret", &value);

    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    feed(&mut client, b"+OK\r\n");
    // Refused, for there was no USER: the refusal says nothing of it.
    let misuse = client.send(&command, &mut vec![]).unwrap_err();
    marker.debug("Misuse", &misuse);
    marker.display("Misuse", &misuse);
    client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&command, &mut vec![]).unwrap();
    marker.debug("Client", &client);
    let error = client.handle_eof().unwrap_err();
    marker.debug("Error", &error);
    marker.display("Error", &error);
    marker.debug("Client", &client);
    marker.debug("Config", &Config::new().allow_cleartext_login());

    // Passwords that cannot be sent are secret too.
    for bad in [format!("{secret}\r\n"), format!("\0{secret}"), secret.repeat(20)] {
        let misuse = Command::pass(&bad).unwrap_err();
        marker.debug("Misuse", &misuse);
        marker.display("Misuse", &misuse);
    }

    let config = Config::new().allow_cleartext_login();
    for line in
        [format!("PASS {secret}\r\n"), format!("PASS {secret}\0\r\n"), format!("PASS {}\r\n", secret.repeat(40))]
    {
        server_shows_nothing(&marker, &config, b"USER mrose\r\n", line.as_bytes());
    }
    server_shows_nothing(&marker, &config, b"", format!("PASS {secret}\r\nPASS{secret}\r\n").as_bytes());
}

fn check_digest(digits: &str) {
    let marker = Marker::new(digits.as_bytes());
    let digest = Digest::new(digits.as_bytes()).unwrap();
    marker.debug("Digest", &digest);
    let command = Command::apop("mrose", digits).unwrap();
    marker.debug("Command", &command);
    let misuse: Misuse = Command::apop("mrose", &digits.to_ascii_uppercase()[1..]).unwrap_err();
    marker.debug("Misuse", &misuse);
    let mut client = Client::with_config(Config::new().allow_cleartext_login().allow_apop_md5());
    feed(&mut client, format!("+OK {TIMESTAMP}\r\n").as_bytes());
    client.send(&command, &mut vec![]).unwrap();
    marker.debug("Client", &client);
    for line in [format!("APOP mrose {digits}\r\n"), format!("APOP mrose {digits}0\r\n"), format!("APOP {digits}\r\n")]
    {
        server_shows_nothing(&marker, &everything(), b"", line.as_bytes());
    }
}

fn check_response(secret: &[u8]) {
    let marker = Marker::new(secret);
    let line = base64(secret);
    let command = Command::auth_with_initial("X-TWO", &line).unwrap();
    marker.debug("Command", &command);
    marker.debug("Command", &command.clone().into_owned());
    let Command::Auth(auth) = &command else { panic!("AUTH") };
    marker.debug("Auth", auth);
    for bad in [format!("{line}\r\n"), format!("*{line}"), line.repeat(20)] {
        marker.debug("Misuse", &Command::auth_with_initial("X-TWO", &bad));
    }

    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\nSASL X-TWO\r\n.\r\n");
    client.send(&command, &mut vec![]).unwrap();
    marker.debug("Client", &client);
    feed(&mut client, b"+ \r\n");
    client.respond_line(line.as_bytes(), &mut vec![]).unwrap();
    marker.debug("Client", &client);
    marker.debug("Misuse", &client.respond_line(line.as_bytes(), &mut vec![]));

    server_shows_nothing(&marker, &everything(), b"", format!("AUTH X-TWO {line}\r\n").as_bytes());
    server_shows_nothing(&marker, &everything(), b"", format!("AUTH NONE {line}\r\n").as_bytes());
    for line in [format!("{line}\r\n"), format!("{line}!\r\n"), format!("{}\r\n", line.repeat(30))] {
        let config = everything().sasl_line(600);
        server_shows_nothing(&marker, &config, b"AUTH X-TWO\r\n", line.as_bytes());
    }
}

#[cfg(feature = "sasl")]
fn check_exchanges(secret: &str) {
    use pop3_proto::{Builtin, Event, Exchange};
    let marker = Marker::new(secret.as_bytes());
    let exchanges = [
        Exchange::plain("", "mrose", secret).unwrap(),
        Exchange::login("mrose", secret).unwrap(),
        Exchange::xoauth2("mrose", secret).unwrap(),
        Exchange::oauthbearer("mrose", "mail.example", 110, secret).unwrap(),
    ];
    for mut exchange in exchanges {
        let mut client = Client::over_tls(Config::new(), Peer::Verified);
        let config = Config::new().allow_cleartext_login().builtin_mechanisms(Builtin::ALL);
        let (mut server, mut out, mut said) = (greeted(config), vec![], vec![]);
        feed(&mut client, b"+OK\r\n");
        client.authenticate(&mut exchange, &mut out).unwrap();
        marker.debug("Exchange", &exchange);
        marker.debug("Client", &client);
        loop {
            let incoming = server.next_event(&mut &out[..], &mut said).unwrap().map(Incoming::into_owned);
            out.clear();
            marker.debug("Server", &server);
            if let Some(incoming) = incoming {
                assert!(matches!(incoming, Incoming::Login(_)), "{incoming:?}");
                marker.debug("Incoming", &incoming);
                break;
            }
            let Ok(Some(Event::Challenge(challenge))) = client.next_event(&mut &said[..]) else {
                panic!("a challenge")
            };
            client.answer(&challenge, &mut exchange, &mut out).unwrap();
            said.clear();
            marker.debug("Exchange", &exchange);
            marker.debug("Client", &client);
        }
    }
    for misuse in [Exchange::plain("", "", secret).err(), Exchange::xoauth2("x", &format!("{secret}\r")).err()] {
        marker.debug("Misuse", &misuse.unwrap());
    }
    // A wrong one in a format of its own.
    let lines = format!("{}\r\n", base64(format!("\0mrose\0{secret}\0").as_bytes()));
    let config = Config::new().allow_cleartext_login().builtin_mechanisms(Builtin::ALL);
    server_shows_nothing(&marker, &config, b"AUTH PLAIN\r\n", lines.as_bytes());
}

/// People type passwords a line too early.
#[test]
fn a_name_that_waits_for_its_password_is_not_shown() {
    let marker = Marker::new(b"correct-horse-battery-staple");
    let mut server = greeted(Config::new().allow_cleartext_login());
    assert!(format!("{server:?}").contains("user: None"));
    let incoming = server.next_event(&mut &b"USER correct-horse-battery-staple\r\n"[..], &mut vec![]);
    assert!(matches!(incoming, Ok(Some(Incoming::Command(Command::User(_))))));
    marker.debug("Server", &server);
    assert!(format!("{server:?}").contains("user: Some(<secret>)"), "{server:?}");
    server.reply(&Reply::ok("").unwrap(), &mut vec![]).unwrap();
    marker.debug("Server", &server);
    assert!(format!("{server:?}").contains("user: Some(<secret>)"), "{server:?}");

    // Nothing waits behind a refusal, and nothing is kept.
    let mut server = greeted(Config::new().allow_cleartext_login());
    server.next_event(&mut &b"USER correct-horse-battery-staple\r\n"[..], &mut vec![]).unwrap();
    server.reply(&Reply::err("no such mailbox").unwrap(), &mut vec![]).unwrap();
    assert!(format!("{server:?}").contains("user: None"), "{server:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a_password_is_never_shown(secret in "[a-zA-Z0-9+/!?#%&]{16,40}") {
        check_password(&secret);
    }

    #[test]
    fn a_digest_is_never_shown(digits in "[0-9a-f]{32}") {
        check_digest(&digits);
    }

    #[test]
    fn a_sasl_response_is_never_shown(secret in proptest::collection::vec(any::<u8>(), 24..60)) {
        check_response(&secret);
    }

    #[cfg(feature = "sasl")]
    #[test]
    fn an_exchange_never_shows_its_secret(secret in "[a-zA-Z0-9+/!?#%&]{16,40}") {
        check_exchanges(&secret);
    }
}
