//! Serves a database over POP3, one connection after the other.
//!
//! ```text
//! cargo run --manifest-path pop3-proto/examples/sqlite/Cargo.toml -- 127.0.0.1:1110 mail.db
//! ```
//!
//! A new database gets a user `mrose` with the password `tanstaaf` and one message.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, database] = arguments.as_slice() else { return Err("usage: HOST:PORT DATABASE".into()) };
    let mut mail = rusqlite::Connection::open(database)?;
    mail.execute_batch(sqlite_front_end::SCHEMA)?;
    mail.execute("UPDATE users SET locked = 0", [])?; // whatever a server that was ended left locked
    if mail.execute("INSERT OR IGNORE INTO users (name, password) VALUES ('mrose', 'tanstaaf')", [])? == 1 {
        sqlite_front_end::deliver(&mail, "mrose", b"Subject: welcome\n\nThis lies in a database.\n")?;
    }
    let listener = std::net::TcpListener::bind(address)?;
    println!("listening on {}", listener.local_addr()?);
    for socket in listener.incoming() {
        let mut socket = socket?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(std::time::Duration::from_secs(600)))?;
        if let Err(error) = sqlite_front_end::serve(&mut socket, &mut mail) {
            eprintln!("a session ended early: {error}");
        }
    }
    Ok(())
}
