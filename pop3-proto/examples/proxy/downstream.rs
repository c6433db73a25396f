//! The socket of the mail program: reads that end, writes that end.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long, and for how many octets, the end of the connection waits for the mail program to have read its last answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_OCTETS: usize = 64 * 1024;

pub(crate) struct Downstream {
    pub(crate) stream: TcpStream,
    /// What is to be written.
    pub(crate) out: Vec<u8>,
    /// As long as the mail program may be silent, it may also refuse to read.
    pub(crate) patience: Duration,
}

impl Downstream {
    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        timeout(self.patience, self.stream.write_all(&self.out))
            .await
            .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the mail program does not read its answers"))??;
        self.out.clear();
        Ok(())
    }

    /// Ends our side, and waits for the mail program to end its own. A socket that is closed with octets unread takes answers
    /// that are still on their way down with it (RFC 1122 section 4.2.2.13).
    pub(crate) async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let drain = async {
            let (mut dropped, mut octets) = ([0; 4096], 0);
            while octets < LINGER_OCTETS {
                match self.stream.read(&mut dropped).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => octets += n,
                }
            }
        };
        let _ = timeout(LINGER, drain).await;
        Ok(())
    }
}
