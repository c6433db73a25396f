//! HOST PORT USER COUNT: prints the messages, with async-pop on tokio.

use std::{env, error::Error, io::Write};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, count] = arguments.as_slice() else { return Err("usage: HOST PORT USER COUNT".into()) };
    let mut client = async_pop::connect_plain((host.as_str(), port.parse()?)).await?;
    client.login(user, "tanstaaf").await?;
    for number in 1..=count.parse()? {
        std::io::stdout().write_all(&client.retr(number).await?)?;
    }
    client.quit().await?;
    Ok(())
}
