//! Runs the driver of `src/embedded.rs`, which has no std, over a socket that has: 64 octets of buffer are enough.
//!
//! ```text
//! embedded_client HOST:PORT USER PASSWORD
//! ```

use embedded_io_adapters::std::FromStd;
use std::{error::Error, io::Write, net::TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, user, password] = arguments.as_slice() else {
        return Err("usage: embedded_client HOST:PORT USER PASSWORD".into());
    };
    let socket = TcpStream::connect(address)?;
    socket.set_nodelay(true)?;
    let show = |octets: &[u8]| drop(std::io::stdout().write_all(octets));
    let messages = embedded::headers(&mut FromStd::new(socket), &mut [0; 64], (user, password), show)
        .map_err(|trouble| format!("{trouble:?}"))?;
    eprintln!("{messages} messages");
    Ok(())
}
