//! A POP3 server for messages in a SQLite database.
//!
//! The database is the mailbox: numbers, sizes and unique-ids come from one query at login, the text of a message is read
//! from its blob piece by piece while it is sent, and QUIT is one transaction. A session reads what it saw at its
//! login: messages that come later belong to the next one (RFC 1939 §4).

use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Command, Config, Greeting, Incoming, Login, Maildrop, Reply, ResponseCode, Server, Top};
use rusqlite::{Connection, MAIN_DB, params};
use std::error::Error;
use std::io::{Read, Write};

/// What the mail lies in. `octets` is what RETR will send of `text`, whose lines may end in LF.
pub const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS users (name TEXT PRIMARY KEY, password TEXT NOT NULL, locked INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, octets INTEGER NOT NULL,
        text BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS by_owner ON messages (owner, id);
";

/// Adds a message to the end of somebody's maildrop.
///
/// # Errors
///
/// What SQLite has against it.
pub fn deliver(mail: &Connection, owner: &str, text: &[u8]) -> rusqlite::Result<()> {
    let octets = i64::try_from(Size::of(text, Newlines::Canonical)).unwrap_or(i64::MAX);
    mail.execute("INSERT INTO messages (owner, octets, text) VALUES (?1, ?2, ?3)", params![owner, octets, text])?;
    Ok(())
}

/// One session, from the greeting to the end of the connection.
///
/// # Errors
///
/// What the socket, the database or the client's octets have against it. Nothing is removed then.
pub fn serve(socket: &mut (impl Read + Write), mail: &mut Connection) -> Result<(), Box<dyn Error>> {
    let mut locked = None;
    let ended = session(socket, mail, &mut locked);
    if let Some(name) = locked {
        mail.execute("UPDATE users SET locked = 0 WHERE name = ?1", [name])?;
    }
    ended
}

fn session(
    socket: &mut (impl Read + Write),
    mail: &mut Connection,
    locked: &mut Option<String>,
) -> Result<(), Box<dyn Error>> {
    let (mut buffer, mut out) = ([0; 4096], Vec::new());
    let mut server =
        Server::new(Config::new().allow_cleartext_login(), Greeting::text("POP3 over SQLite ready")?, &mut out);
    let (mut maildrop, mut ids) = (Maildrop::default(), Vec::new());

    while !server.is_over() {
        socket.write_all(&out)?;
        out.clear();
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            server.handle_eof();
            return Ok(());
        }
        let mut input = &buffer[..n];
        while let Some(incoming) = server.next_event(&mut input, &mut out)? {
            match incoming {
                // (A real one stores a salted hash of the password, and checks that.)
                Incoming::Login(Login::Pass { name, password })
                    if password_fits(mail, name.as_str(), password.reveal())? =>
                {
                    let lock = "UPDATE users SET locked = 1 WHERE name = ?1 AND locked = 0";
                    if mail.execute(lock, [name.as_str()])? == 0 {
                        let busy = Reply::err("the maildrop is open elsewhere")?.with_code(ResponseCode::InUse);
                        server.reply(&busy, &mut out)?;
                        continue;
                    }
                    *locked = Some(name.as_str().to_owned());
                    let mut query = mail.prepare("SELECT id, octets FROM messages WHERE owner = ?1 ORDER BY id")?;
                    let rows = query.query_map([name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
                    let rows = rows.collect::<rusqlite::Result<Vec<(i64, i64)>>>()?;
                    // AUTOINCREMENT never gives an id twice, which is what RFC 1939 section 7 wants of a unique-id.
                    maildrop = Maildrop::new(rows.iter().map(|(id, octets)| (octets.unsigned_abs(), id.to_string())))?;
                    ids = rows.into_iter().map(|(id, _)| id).collect();
                    server.reply(&Reply::ok("welcome")?, &mut out)?;
                }
                Incoming::Command(command @ (Command::Retr(number) | Command::Top { number, .. }))
                    if maildrop.get(number).is_ok() =>
                {
                    // Opened before the +OK: a message that is gone is still a -ERR then.
                    let id = ids[maildrop.get(number)?.index];
                    let Ok(mut text) = mail.blob_open(MAIN_DB, "messages", "text", id, true) else {
                        server.reply(&Reply::err("the message cannot be read")?, &mut out)?;
                        continue;
                    };
                    let mut top = match command {
                        Command::Top { lines, .. } => Some(Top::new(lines)),
                        _ => None,
                    };
                    server.begin("message follows", &mut out)?;
                    let mut chunk = [0; 16 * 1024];
                    while !top.as_ref().is_some_and(Top::is_done) {
                        let n = text.read(&mut chunk)?; // an error here ends the connection: half a message is none
                        if n == 0 {
                            break;
                        }
                        let octets = top.as_mut().map_or(&chunk[..n], |top| top.take(&chunk[..n]));
                        server.body(octets, &mut out)?;
                        socket.write_all(&out)?;
                        out.clear();
                    }
                    server.end(&mut out)?;
                }
                Incoming::Update => {
                    let removed = remove(mail, maildrop.deleted().map(|index| ids[index]));
                    server.reply(&Reply::from(removed), &mut out)?;
                }
                other => maildrop.answer(&other, &mut server, &mut out)?,
            }
        }
    }
    Ok(socket.write_all(&out)?)
}

fn password_fits(mail: &Connection, name: &str, password: &[u8]) -> rusqlite::Result<bool> {
    let mut query = mail.prepare("SELECT CAST(password AS BLOB) FROM users WHERE name = ?1")?;
    let stored = query.query_map([name], |row| row.get::<_, Vec<u8>>(0))?.next().transpose()?;
    Ok(stored.is_some_and(|stored| stored == password))
}

/// All of them or none.
fn remove(mail: &mut Connection, ids: impl Iterator<Item = i64>) -> rusqlite::Result<()> {
    let all = mail.transaction()?;
    for id in ids {
        all.execute("DELETE FROM messages WHERE id = ?1", [id])?;
    }
    all.commit()
}
