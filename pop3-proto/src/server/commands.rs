//! Reading: which of the client's lines are commands, and which this session permits.

use super::{Answering, Outcome, Server};
use crate::command::{Apop, Command, Name};
use crate::config::Utf8;
use crate::error::Error;
use crate::event::{Incoming, Login, Refusal};
use crate::grammar::command::command_line;
use crate::grammar::{self, Fault, Tolerance};
use crate::quirk::Quirk;
use crate::reply::{Reply, Status};
use crate::state::{State, Verb};
use crate::wire::line::Ending;
use alloc::vec::Vec;

impl Server {
    /// A whole line. `None`: the machine dealt with it alone.
    pub(super) fn line<'l>(&mut self, line: &'l [u8], out: &mut Vec<u8>) -> Option<Incoming<'l>> {
        if self.answering == Answering::Challenge {
            return self.response(line, out);
        }
        let incoming = self.command(line, out);
        #[cfg(feature = "sasl")]
        if let Incoming::Auth(auth) = &incoming {
            if let Some(builtin) =
                crate::sasl::Builtin::of(auth.mechanism).filter(|builtin| self.config.builtin & builtin.bit() != 0)
            {
                return self.run(builtin, auth, out);
            }
        }
        Some(incoming)
    }

    pub(super) fn command<'l>(&mut self, line: &'l [u8], out: &mut Vec<u8>) -> Incoming<'l> {
        let quirks = self.config.quirks;
        if quirks.contains(Quirk::BareAuth) && is_bare_auth(line) {
            return self.mechanism_list(out);
        }
        let mut tolerance = Tolerance::new(quirks);
        let command = match command_line(line, &mut tolerance) {
            Ok((_, command)) => command,
            Err(error) => {
                let keyword = line.split(|&octet| octet == b' ').next().unwrap_or_default();
                let refusal = Refusal::Syntax(grammar::fault(error));
                return self.refuse(Verb::from_keyword(keyword), refusal, out);
            }
        };
        let verb = command.verb();
        if let Err(refusal) = self.permits(&command) {
            return self.refuse(verb, refusal, out);
        }
        if !matches!(verb, Verb::Pass | Verb::Quit) {
            self.forget();
        }
        self.answering = Answering::Command(verb, command.shape());
        self.state = self.state.after_command(verb);
        match command {
            Command::Pass(password) => {
                let name = self.user.take().map_or_else(Name::none, |user| user.0);
                self.forget();
                Incoming::Login(Login::Pass { name, password })
            }
            Command::Apop(Apop { name, digest }) => Incoming::Login(Login::Apop { name, digest }),
            Command::Auth(auth) => Incoming::Auth(auth),
            Command::Quit if self.state == State::Update => {
                self.outcome = Outcome::Update;
                Incoming::Update
            }
            command => Incoming::Command(command),
        }
    }

    pub(super) fn permits(&self, command: &Command<'_>) -> Result<(), Refusal> {
        let announced = &self.config.announced;
        let verb = command.verb();
        let there = match verb {
            Verb::Top => announced.top,
            Verb::Uidl => announced.uidl,
            Verb::User | Verb::Pass => announced.user,
            // (Without TLS where it is wanted, no timestamp was sent: TLS is what is missing first.)
            Verb::Apop => self.config.apop && (self.timestamp || !self.may_login()),
            Verb::Auth => self.offers(command),
            Verb::Stls => announced.stls,
            Verb::Utf8 => announced.utf8 != Utf8::No,
            Verb::Lang => announced.lang,
            Verb::Other => announced.others,
            _ => true,
        };
        if !there {
            let fault = if verb == Verb::Other { Refusal::Syntax(Fault::Keyword) } else { Refusal::NotImplemented };
            return Err(fault);
        }
        if !self.state.permits(verb) || verb == Verb::Stls && !self.may_stls() {
            return Err(Refusal::State);
        }
        if verb.is_login() && !self.may_login() {
            return Err(Refusal::NeedsTls);
        }
        let argument: &[u8] = match command {
            // RFC 1939 §7: "after the POP3 greeting or after an unsuccessful USER or PASS command".
            Command::User(_) | Command::Apop(_) if self.user_accepted => return Err(Refusal::State),
            Command::Pass(_) if !self.user_accepted => return Err(Refusal::NoUser),
            Command::User(name) => name.as_bytes(),
            Command::Pass(password) => password.reveal(),
            Command::Apop(apop) => apop.name.as_bytes(),
            _ => &[],
        };
        match argument.iter().find(|octet| !octet.is_ascii()) {
            // RFC 6856 §2.2: UTF-8 in names and passwords is for servers that announce "UTF8 USER".
            Some(&octet) if announced.utf8 != Utf8::WithUser => Err(Refusal::Syntax(Fault::Octet(octet))),
            _ => Ok(()),
        }
    }

    pub(super) fn offers(&self, command: &Command<'_>) -> bool {
        matches!(command, Command::Auth(auth) if self.config.mechanisms().any(|name| name == auth.mechanism.as_str()))
    }

    /// `AUTH` without a mechanism, as a discontinued draft had it.
    pub(super) fn mechanism_list<'l>(&mut self, out: &mut Vec<u8>) -> Incoming<'l> {
        if !self.state.permits(Verb::Auth) || !self.may_login() {
            return self.refuse(Verb::Auth, Refusal::State, out);
        }
        self.forget();
        Reply::fixed(Status::Ok, "mechanisms follow").encode(out);
        for mechanism in self.config.mechanisms() {
            out.extend_from_slice(mechanism.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b".\r\n");
        Incoming::Refused { verb: Verb::Auth, refusal: Refusal::Syntax(Fault::MissingArgument) }
    }

    /// Drops the tail of a line that is too long, and answers once when its end is there.
    pub(super) fn discard<'i>(
        &mut self,
        input: &mut &'i [u8],
        ending: Ending,
        out: &mut Vec<u8>,
    ) -> Result<Option<Incoming<'i>>, Error> {
        let limit = self.config.discarded;
        let window = input.get(..limit.saturating_sub(self.discarded)).unwrap_or(input);
        let mut left = window;
        let (dropped, ended) = self.lines.discard(&mut left, ending);
        *input = input.get(dropped..).unwrap_or_default();
        self.discarded = self.discarded.saturating_add(dropped);
        if ended {
            self.discarded = 0;
            let verb = if self.answering == Answering::Challenge { Verb::Auth } else { Verb::Other };
            self.answering = Answering::Nothing;
            #[cfg(feature = "sasl")]
            if self.running.take() == Some(crate::sasl::Running::Rejected) {
                // The token was refused already: this is a failed login.
                self.refuse_token(out);
                return Ok(Some(Incoming::Refused { verb, refusal: Refusal::TooLong }));
            }
            return Ok(Some(self.refuse(verb, Refusal::TooLong, out)));
        }
        if self.discarded >= limit {
            Reply::fixed(Status::Err, "the line is too long").encode(out);
            return Err(self.fail(Error::LineTooLong { limit }));
        }
        Ok(None)
    }

    /// `-ERR` to a line that no application could act on. Nothing of the line is echoed.
    pub(super) fn refuse<'l>(&mut self, verb: Verb, refusal: Refusal, out: &mut Vec<u8>) -> Incoming<'l> {
        self.forget();
        self.refused = self.refused.saturating_add(1);
        let text = match refusal {
            Refusal::Syntax(Fault::Keyword) => "unknown command",
            Refusal::Syntax(Fault::MissingArgument) => "an argument is missing",
            Refusal::Syntax(Fault::ExtraArgument) => "an argument too many",
            Refusal::Syntax(Fault::Number | Fault::NumberZero | Fault::NumberTooBig) => "no such message-number",
            Refusal::Syntax(Fault::Base64) => "not base64",
            Refusal::Syntax(_) => "syntax error",
            Refusal::TooLong => "the line is too long",
            Refusal::NotImplemented => "not implemented",
            Refusal::State => "not permitted in this state",
            Refusal::NeedsTls => "begin TLS first",
            Refusal::NoUser => "USER first",
        };
        Reply::fixed(Status::Err, text).encode(out);
        Incoming::Refused { verb, refusal }
    }
}

/// `AUTH` and nothing behind it but spaces.
fn is_bare_auth(line: &[u8]) -> bool {
    line.split_at_checked(4)
        .is_some_and(|(keyword, rest)| keyword.eq_ignore_ascii_case(b"AUTH") && rest.iter().all(|&octet| octet == b' '))
}
