//! The client's side of a SASL exchange: beginning one, and what answers a challenge (RFC 5034 §4).

use super::{Client, Reading, Spoken};
#[cfg(feature = "sasl")]
use crate::capability::{Extension, Support};
#[cfg(feature = "sasl")]
use crate::command::Command;
use crate::command::check_base64;
use crate::error::Misuse;
#[cfg(feature = "sasl")]
use crate::event::Challenge;
#[cfg(feature = "sasl")]
use crate::quirk::Quirk;
use alloc::vec::Vec;

/// What became of the initial response. See [`Client::authenticate_with`].
///
/// ```
/// use pop3_proto::{Client, Command, Config, InitialSent, Peer};
///
/// let (mut client, mut out) = (Client::over_tls(Config::new(), Peer::Verified), Vec::new());
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// client.send(&Command::Capa, &mut out)?;
/// let mut input = &b"+OK\r\nSASL PLAIN\r\n.\r\n"[..];
/// while client.next_event(&mut input)?.is_some() {}
///
/// let sent = client.authenticate_with("PLAIN", Some(b"\0test\0test"), &mut out)?;
/// assert_eq!(sent, InitialSent::WithCommand); // the capability list names SASL (RFC 5034 §4)
/// assert_eq!(out, b"CAPA\r\nAUTH PLAIN AHRlc3QAdGVzdA==\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "sasl")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InitialSent {
    /// It went with the command: the next challenge is the answer to it.
    WithCommand,
    /// It did not, or there is none: it is the response to the next challenge.
    Later,
}

impl Client {
    /// Answers [`Event::Challenge`](crate::Event::Challenge) with a line that is base64 already; an empty one is an
    /// empty response.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoChallenge`], [`Misuse::Base64`], [`Misuse::TooLong`] beyond the limit of a SASL line.
    pub fn respond_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenged()?;
        let length = line.len().saturating_add(2);
        if length > self.config.sasl_line {
            return Err(Misuse::TooLong { limit: self.config.sasl_line });
        }
        if !line.is_empty() {
            check_base64(line)?;
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        self.reading = Reading::Status;
        self.spoken = Spoken::Response;
        Ok(())
    }

    /// Answers [`Event::Challenge`](crate::Event::Challenge) with octets that are sent in base64; none is an empty response.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoChallenge`], [`Misuse::TooLong`] beyond the limit of a SASL line.
    #[cfg(feature = "sasl")]
    pub fn respond(&mut self, response: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenged()?;
        let line = crate::text::Secret::from(crate::sasl::encode(response).into_bytes());
        self.respond_line(line.reveal(), out)
    }

    /// Begins a SASL exchange: `AUTH mechanism`, with the initial response where the protocol and
    /// [`Config::initial_response`](crate::Config::initial_response) allow it. Each
    /// [`Event::Challenge`](crate::Event::Challenge) then goes to [`Client::answer`].
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    #[cfg(feature = "sasl")]
    pub fn authenticate(&mut self, exchange: &mut crate::sasl::Exchange<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        if self.authenticate_with(exchange.mechanism(), exchange.initial(), out)? == InitialSent::WithCommand {
            exchange.initial_sent();
        }
        Ok(())
    }

    /// Begins an exchange of a mechanism that is not built in: `AUTH mechanism`, with this initial response if the
    /// protocol and [`Config::initial_response`](crate::Config::initial_response) allow it. Each
    /// [`Event::Challenge`](crate::Event::Challenge) is then answered with [`Client::respond`].
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    ///
    /// ```
    /// use pop3_proto::{Client, Config, InitialSent, Peer};
    ///
    /// let mut client = Client::over_tls(Config::new(), Peer::Verified);
    /// client.next_event(&mut &b"+OK ready\r\n"[..])?;
    /// let mut out = Vec::new();
    /// let sent = client.authenticate_with("SCRAM-SHA-256", Some(b"n,,n=user,r=nonce"), &mut out)?;
    /// // No capability list names SASL: the response goes behind the empty challenge.
    /// assert_eq!((sent, &out[..]), (InitialSent::Later, &b"AUTH SCRAM-SHA-256\r\n"[..]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "sasl")]
    pub fn authenticate_with(
        &mut self,
        mechanism: &str,
        initial: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<InitialSent, Misuse> {
        let announced = self.known.support(Extension::Sasl) == Support::Yes;
        let inlines = announced && self.config.initial_response.inlines(mechanism);
        let line = initial.filter(|_| inlines).map(|response| match response {
            [] => crate::text::Secret::from(&b"="[..]),
            _ => crate::text::Secret::from(crate::sasl::encode(response).into_bytes()),
        });
        // What is too long for the line goes behind an empty challenge (RFC 5034 §4).
        let inline = line.as_ref().and_then(|line| Command::auth_with_initial(mechanism, line.reveal()).ok());
        match inline {
            Some(command) => self.send(&command, out).map(|()| InitialSent::WithCommand),
            None => self.send(&Command::auth(mechanism)?, out).map(|()| InitialSent::Later),
        }
    }

    /// Answers [`Event::Challenge`](crate::Event::Challenge) with what the exchange has to say, or cancels it where the
    /// challenge makes no sense.
    ///
    /// # Errors
    ///
    /// As [`Client::respond`].
    #[cfg(feature = "sasl")]
    pub fn answer(
        &mut self,
        challenge: &Challenge<'_>,
        exchange: &mut crate::sasl::Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        self.challenged()?;
        // RFC 5034 §4: a client that gets what is no base64 cancels the exchange.
        if challenge.decode().is_err() && !self.config.quirks.contains(Quirk::TextChallenge) {
            return self.cancel(out);
        }
        match exchange.answer(challenge) {
            crate::sasl::Step::Respond(response) => {
                let written = self.respond(response.reveal(), out);
                if written.is_err() {
                    exchange.take_back();
                }
                written
            }
            crate::sasl::Step::Cancel => self.cancel(out),
        }
    }

    /// Answers [`Event::Challenge`](crate::Event::Challenge) with `*`: the server ends the exchange with `-ERR` (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoChallenge`].
    pub fn cancel(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenged()?;
        out.extend_from_slice(b"*\r\n");
        self.reading = Reading::Status;
        Ok(())
    }

    fn challenged(&self) -> Result<(), Misuse> {
        match self.reading {
            _ if self.is_over() => Err(Misuse::Over),
            Reading::Challenged if self.early => Err(Misuse::Unsolicited),
            Reading::Challenged => Ok(()),
            _ => Err(Misuse::NoChallenge),
        }
    }
}
