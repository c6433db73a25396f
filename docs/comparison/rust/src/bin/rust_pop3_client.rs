//! HOST PORT USER COUNT: prints the messages, with rust-pop3-client.

use rust_pop3_client::{Pop3Connection, Pop3ConnectionFactory};
use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, count] = arguments.as_slice() else { return Err("usage: HOST PORT USER COUNT".into()) };
    let mut connection = Pop3ConnectionFactory::without_tls(host, port.parse()?)?;
    connection.login(user, "tanstaaf")?;
    for number in 1..=count.parse()? {
        connection.retrieve(number, &mut std::io::stdout())?;
    }
    Ok(()) // it says QUIT when it is dropped
}
