//! A small POP3 server: blocking, one thread for each connection, with a mailbox in memory.
//!
//! ```text
//! cargo run -p pop3-proto --example server -- 127.0.0.1:1110
//! curl --user mrose:tanstaaf pop3://127.0.0.1:1110/
//! ```
//!
//! `server/session.rs` is the protocol and the driver, `server/mailbox.rs` what is left to the application: to check a
//! password, to hand over the octets of a message, and to remove the messages marked as deleted.

#[path = "server/mailbox.rs"]
mod mailbox;
#[path = "server/session.rs"]
mod session;

use mailbox::Mailbox;
use std::error::Error;
use std::net::TcpListener;
use std::sync::Arc;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1110".to_owned());
    let mailbox = Arc::new(Mailbox::with_two_messages());
    let listener = TcpListener::bind(address)?;
    println!("listening on {}; the user is mrose, the password tanstaaf", listener.local_addr()?);
    for socket in listener.incoming() {
        let (socket, mailbox) = (socket?, Arc::clone(&mailbox));
        socket.set_nodelay(true)?; // an answer must not wait for the acknowledgement of the one before
        std::thread::spawn(move || {
            if let Err(error) = session::serve(socket, &mailbox) {
                eprintln!("a session ended early: {error}");
            }
        });
    }
    Ok(())
}
