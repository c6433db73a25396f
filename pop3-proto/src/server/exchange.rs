//! The SASL exchange: the client's responses, and the mechanisms that the machine runs by itself.

#[cfg(feature = "sasl")]
use super::User;
use super::{Answering, Server};
#[cfg(feature = "sasl")]
use crate::command::Auth;
#[cfg(feature = "sasl")]
use crate::event::Login;
use crate::event::{Incoming, Refusal};
use crate::grammar::Fault;
use crate::reply::{Reply, Status};
#[cfg(feature = "sasl")]
use crate::sasl::{Builtin, Running, Turn};
use crate::state::{Shape, Verb};
use crate::text::Secret;
use crate::text::is_base64_text;
use alloc::vec::Vec;

impl Server {
    pub(super) fn response<'l>(&mut self, line: &'l [u8], out: &mut Vec<u8>) -> Option<Incoming<'l>> {
        #[cfg(feature = "sasl")]
        let running = self.running.take();
        self.answering = Answering::Nothing;
        #[cfg(feature = "sasl")]
        if running == Some(Running::Rejected) {
            // The token was refused already: whatever the client says to that, this is a failed login.
            self.refuse_token(out);
            return None;
        }
        // RFC 5034 §4: "If the client wishes to cancel the authentication exchange, it issues a line with a single
        // "*". If the server receives such a response, it MUST reject the AUTH command by sending an -ERR reply."
        if line == b"*" {
            self.forget();
            self.failed_logins = self.failed_logins.saturating_add(1);
            Reply::fixed(Status::Err, "the exchange is cancelled").encode(out);
            return Some(Incoming::Cancelled);
        }
        if !line.is_empty() && !is_base64_text(line) {
            return Some(self.refuse(Verb::Auth, Refusal::Syntax(Fault::Base64), out));
        }
        #[cfg(feature = "sasl")]
        if let Some(running) = running {
            return self.step(running, line, out);
        }
        self.answering = Answering::Command(Verb::Auth, Shape::SingleLine);
        Some(Incoming::Response(Secret::from(line)))
    }

    /// Begins an exchange that the machine runs by itself.
    #[cfg(feature = "sasl")]
    pub(super) fn run(&mut self, builtin: Builtin, auth: &Auth<'_>, out: &mut Vec<u8>) -> Option<Incoming<'static>> {
        let running = Running::First(builtin);
        match &auth.initial {
            // RFC 5034 §4: "=" stands for an initial response of no octets.
            Some(initial) if initial.reveal() == b"=" => self.step(running, b"", out),
            Some(initial) => self.step(running, initial.reveal(), out),
            None => self.ask(running, out),
        }
    }

    #[cfg(feature = "sasl")]
    pub(super) fn ask(&mut self, running: Running, out: &mut Vec<u8>) -> Option<Incoming<'static>> {
        out.extend_from_slice(b"+ ");
        out.extend_from_slice(crate::sasl::encode(running.challenge()).as_bytes());
        out.extend_from_slice(b"\r\n");
        self.answering = Answering::Challenge;
        self.running = Some(running);
        None
    }

    /// A response in an exchange that the machine runs by itself.
    #[cfg(feature = "sasl")]
    pub(super) fn step(&mut self, running: Running, line: &[u8], out: &mut Vec<u8>) -> Option<Incoming<'static>> {
        self.answering = Answering::Nothing;
        let name = self.user.take().map(|user| user.0);
        let turn = Secret::from(line).decode().and_then(|response| running.step(response.reveal(), name));
        match turn {
            Ok(Turn::Login(login)) => {
                self.bearer = matches!(login, Login::Bearer { .. });
                self.answering = Answering::Command(Verb::Auth, Shape::SingleLine);
                Some(Incoming::Login(login))
            }
            Ok(Turn::Name(name)) => {
                self.user = Some(User(name));
                self.ask(Running::LoginPassword, out)
            }
            Err(fault) => Some(self.refuse(Verb::Auth, Refusal::Syntax(fault), out)),
        }
    }

    /// The end of [`Server::reject_token`].
    #[cfg(feature = "sasl")]
    pub(super) fn refuse_token(&mut self, out: &mut Vec<u8>) {
        self.answering = Answering::Command(Verb::Auth, Shape::SingleLine);
        // An answer is owed, and this is one that AUTH takes.
        let _ = self.reply(&Reply::fixed(Status::Err, "the token is not accepted"), out);
    }
}
