//! One session, both sides in memory.

extern crate alloc;

use alloc::vec::Vec;
use pop3_proto::{
    Client, Command, Committed, Config, Event, Greeting, Incoming, Login, Maildrop, MessageNumber, Misuse, Reply,
    Server, Verb,
};

const MESSAGE: &[u8] = b"Subject: hi\n\n.a line that begins with a dot\n";

/// Runs the session; the error is the number of the step that went wrong.
pub(crate) fn run() -> Result<(), i32> {
    let config = || Config::new().allow_cleartext_login();
    let greeting = Greeting::text("POP3 server ready").map_err(|_| 1)?;
    let mut to_client = Vec::new();
    let mut server = Server::new(config(), greeting, &mut to_client);
    let mut client = Client::with_config(config());
    let mut maildrop = Maildrop::new([(45, "id-1")]).map_err(|_| 2)?;
    let mut text = Vec::new();

    while !(server.is_over() && client.is_over()) {
        let mut to_server = Vec::new();
        let mut input = &to_client[..];
        while let Some(event) = client.next_event(&mut input).map_err(|_| 3)? {
            if let Event::Body(octets) = event {
                text.extend_from_slice(octets);
            } else if let Some(command) = next(&event).map_err(|_| 4)? {
                client.send(&command, &mut to_server).map_err(|_| 5)?;
            }
        }
        to_client.clear();
        let mut input = &to_server[..];
        while let Some(incoming) = server.next_event(&mut input, &mut to_client).map_err(|_| 6)? {
            answer(&incoming, &mut maildrop, &mut server, &mut to_client).map_err(|_| 7)?;
        }
        if to_server.is_empty() && to_client.is_empty() && !client.is_over() {
            return Err(8); // nobody has anything to say
        }
    }

    if text != b"Subject: hi\r\n\r\n.a line that begins with a dot\r\n" {
        return Err(9);
    }
    if client.committed() != Committed::Yes || maildrop.deleted().count() != 1 {
        return Err(10);
    }
    Ok(())
}

fn next(event: &Event<'_>) -> Result<Option<Command<'static>>, Misuse> {
    Ok(Some(match event {
        Event::Greeting { .. } => Command::user("mrose")?,
        Event::Ok { to: Verb::User, .. } => Command::pass("tanstaaf")?,
        Event::Ok { to: Verb::Pass, .. } => Command::retr(1)?,
        Event::End { of: Verb::Retr } => Command::dele(1)?,
        Event::Ok { to: Verb::Dele, .. } => Command::Quit,
        _ => return Ok(None),
    }))
}

fn answer(
    incoming: &Incoming<'_>,
    maildrop: &mut Maildrop,
    server: &mut Server,
    out: &mut Vec<u8>,
) -> Result<(), Misuse> {
    match incoming {
        Incoming::Login(Login::Pass { password, .. }) if password.reveal() == b"tanstaaf" => {
            server.reply(&Reply::ok("maildrop is open")?, out)
        }
        Incoming::Command(Command::Retr(MessageNumber::FIRST)) => {
            server.begin("message follows", out)?;
            server.body(MESSAGE, out)?;
            server.end(out)
        }
        Incoming::Update => server.reply(&Reply::ok("signing off")?, out),
        other => maildrop.answer(other, server, out),
    }
}
