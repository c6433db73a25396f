//! HOST PORT USER COUNT: prints the messages, with pop3-codec, which parses what is there and leaves the rest to its caller.

use pop3_codec::types::Response;
use std::{env, error::Error, io::Read, io::Write, net::TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, count] = arguments.as_slice() else { return Err("usage: HOST PORT USER COUNT".into()) };
    let mut socket = TcpStream::connect((host.as_str(), port.parse()?))?;
    let mut wire = Vec::new();
    until(&mut socket, &mut wire, b"\r\n")?;
    for command in [format!("USER {user}\r\n"), "PASS tanstaaf\r\n".to_owned()] {
        socket.write_all(command.as_bytes())?;
        until(&mut socket, &mut wire, b"\r\n")?;
    }
    for number in 1..=count.parse::<u32>()? {
        socket.write_all(format!("RETR {number}\r\n").as_bytes())?;
        until(&mut socket, &mut wire, b"\r\n.\r\n")?;
        match pop3_codec::parse::response_retr(&wire) {
            Ok(([], Response::Ok(message))) => {
                for line in message.body {
                    write!(std::io::stdout(), "{line}\r\n")?;
                }
            }
            _ => return Err("not parsed".into()),
        }
    }
    Ok(())
}

/// Reads an answer; where it ends is for the caller to know.
fn until(socket: &mut TcpStream, wire: &mut Vec<u8>, end: &[u8]) -> Result<(), Box<dyn Error>> {
    wire.clear();
    let mut buffer = [0; 16 * 1024];
    while !wire.ends_with(end) {
        match socket.read(&mut buffer)? {
            0 => return Err("the connection ended".into()),
            n => wire.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(())
}
