//! Backs up a mailbox, one file a message, and goes on where it was cut short. It deletes nothing.
//!
//! ```text
//! cargo run -p pop3-proto --example backup -- 127.0.0.1:1110 mrose tanstaaf FOLDER
//! ```
//!
//! A message has the name of its unique-id, so that the folder itself is the memory: what lies there is not fetched again.
//! A message that comes is written to `incoming`, synced and renamed; a backup that is cut short leaves at most that file
//! behind. `fetch` beside it does more: TLS, deletions, messages without a unique-id.

use pop3_proto::{Client, Command, Config, Event, Verb};
use std::error::Error;
use std::fs::{File, rename};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, user, password, folder] = arguments.as_slice() else {
        return Err("usage: backup HOST:PORT USER PASSWORD FOLDER".into());
    };
    let (folder, mut file) = (Path::new(folder), None);
    let mut socket = TcpStream::connect(server)?;
    socket.set_nodelay(true)?;
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out) = (vec![0; 16 * 1024], Vec::new());
    // The messages that are wanted, the last first, and how many there are at all.
    let (mut wanted, mut all) = (Vec::new(), 0);

    while !client.is_over() {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            client.handle_eof()?;
            break;
        }
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::user(user)?, &mut out)?,
                Event::Ok { to: Verb::User, .. } => client.send(&Command::pass(password)?, &mut out)?,
                Event::Ok { to: Verb::Pass, .. } => client.send(&Command::Uidl(None), &mut out)?,
                Event::UniqueId(row) => {
                    // Not the id: a server that calls a message `../../.profile` must not have its way.
                    let name = row.id.file_name().ok_or_else(|| format!("no file name for {:?}", row.id))?;
                    all += 1;
                    if !folder.join(&name).exists() {
                        wanted.insert(0, (row.number, name));
                    }
                }
                Event::Ok { to: Verb::Retr, .. } => file = Some(File::create(folder.join("incoming"))?),
                Event::Body(octets) => file.as_ref().ok_or("text of no message")?.write_all(octets)?,
                Event::End { of } => {
                    if let (Verb::Retr, Some(file)) = (of, file.take()) {
                        let (_, name) = wanted.pop().ok_or("a message that nobody asked for")?;
                        file.sync_all()?;
                        rename(folder.join("incoming"), folder.join(&name))?;
                        println!("{name}");
                    }
                    let next = wanted.last().map_or(Ok(Command::Quit), |(number, _)| Command::retr(*number))?;
                    client.send(&next, &mut out)?;
                }
                Event::BadRow { line, .. } => return Err(format!("the server lists nonsense: {line}").into()),
                Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                _ => {}
            }
        }
        socket.write_all(&out)?;
        out.clear();
    }
    println!("{all} messages are there, all of them are in {}", folder.display());
    Ok(())
}
