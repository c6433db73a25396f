//! Answering: single lines, listings, message text, challenges.

use super::{Answering, Layer, Outcome, Row, Server};
use crate::command::check_base64;
use crate::error::{Error, Misuse};
use crate::grammar;
use crate::reply::{Data, ErrorClass, Reply, ResponseCode, Status};
#[cfg(feature = "sasl")]
use crate::sasl::Running;
use crate::state::{Shape, State, Verb};
use crate::wire::dot::{Offence, Segments, Stuff, Stuffed};
use alloc::vec::Vec;

impl Server {
    /// Answers with a single line. `-ERR` answers any command; `+OK` only one whose response has no further lines, and
    /// with the data that the command asks for.
    ///
    /// # Errors
    ///
    /// [`Misuse::NothingOwed`], [`Misuse::InsideAnswer`], [`Misuse::WrongAnswer`], or [`Misuse::NeedsLang`] for text
    /// beyond ASCII without LANG or UTF8.
    pub fn reply(&mut self, reply: &Reply<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, shape) = self.owed()?;
        // RFC 1939 §5 and RFC 6856 §3.2 have data right behind "+OK": a response code would stand in its place.
        let coded = reply.code.is_some();
        let fits = match (reply.status, verb, shape, &reply.data) {
            (Status::Err, _, _, Data::None) => true,
            (Status::Err, ..) | (Status::Ok, _, Shape::MultiLine, _) => false,
            (Status::Ok, Verb::Stat, _, data) => matches!(data, Data::Drop(_)) && !coded,
            (Status::Ok, Verb::List, _, data) => matches!(data, Data::Scan(_)) && !coded,
            (Status::Ok, Verb::Uidl, _, data) => matches!(data, Data::UniqueId(_)) && !coded,
            (Status::Ok, Verb::Lang, _, data) => matches!(data, Data::Language(_)) && !coded,
            (Status::Ok, _, _, data) => *data == Data::None,
        };
        if !fits {
            return Err(Misuse::WrongAnswer { to: verb });
        }
        // RFC 6856 §3.2: "Once the client selects the language, all responses will be in that language, starting with the
        // response to the "LANG" command."
        let selected = matches!(reply.data, Data::Language(_));
        if !selected {
            self.check_text(reply.text)?;
        }
        if let Some(ResponseCode::Other(code)) = &reply.code {
            // A variant that anybody can fill is checked where it is used.
            ResponseCode::new(code.as_str().ok_or(Misuse::NotUtf8)?)?;
        }
        let refused_login = reply.status == Status::Err && matches!(verb, Verb::Pass | Verb::Apop | Verb::Auth);
        if refused_login && reply.code.is_none() && self.config.announced.resp_codes {
            // RFC 3206 §6: who announces AUTH-RESP-CODE gives the code with every refused credential.
            reply.clone().with_code(ResponseCode::Auth).encode(out);
        } else {
            reply.encode(out);
        }
        // A maildrop that is locked, or a disk that is full, says nothing about the credentials.
        let class = reply.code.as_ref().map_or(ErrorClass::Credentials, ResponseCode::error_class);
        let wrong = refused_login && matches!(class, ErrorClass::Credentials | ErrorClass::Unknown);
        self.failed_logins = self.failed_logins.saturating_add(u32::from(wrong));
        self.lang |= selected;
        self.answered(verb, reply.status);
        Ok(())
    }

    /// Begins an answer of several lines: `+OK text`. Rows ([`Server::listing`]) or message text ([`Server::body`])
    /// follow, and [`Server::end`].
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] for a command whose response is a single line, and as [`Server::reply`] and
    /// [`Reply::ok`].
    pub fn begin(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, shape) = self.owed()?;
        if shape == Shape::SingleLine && verb != Verb::Other {
            return Err(Misuse::WrongAnswer { to: verb });
        }
        self.check_text(text)?;
        Reply::ok(text)?.encode(out);
        self.answering = match verb {
            Verb::Retr | Verb::Top => Answering::Body(verb, Stuff::new(self.config.newlines)),
            _ => Answering::Rows(verb),
        };
        Ok(())
    }

    /// One line of the listing that was begun.
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] for a row that is not of the command's listing, [`Misuse::NotOffered`] for a capability that
    /// this server would refuse now, [`Misuse::UniqueId`], [`Misuse::ForbiddenOctet`], [`Misuse::TooLong`] beyond 512 octets.
    pub fn listing<'a>(&mut self, row: impl Into<Row<'a>>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let verb = match self.answering {
            Answering::Rows(verb) => verb,
            Answering::Command(to, _) | Answering::Body(to, _) | Answering::Stuffed(to, _) => {
                return Err(Misuse::WrongAnswer { to });
            }
            Answering::Spoiled(to) => return Err(Misuse::Spoiled { to }),
            Answering::Nothing | Answering::Challenge => return Err(self.nothing_owed()),
        };
        let row = row.into();
        let start = out.len();
        match (verb, &row) {
            (Verb::List, Row::Scan(listing)) => grammar::encode_scan_row(listing, out),
            (Verb::Uidl, Row::UniqueId(listing)) if !listing.id.conforms() => return Err(Misuse::UniqueId),
            (Verb::Uidl, Row::UniqueId(listing)) => grammar::encode_unique_id_row(listing, out),
            (Verb::Capa, Row::Capability(capability)) => grammar::encode_capability_row(capability, out),
            (Verb::Lang, Row::Language(listing)) if listing.description.as_str().is_none() => {
                return Err(Misuse::NotUtf8);
            }
            (Verb::Lang, Row::Language(listing)) if listing.description.is_empty() => return Err(Misuse::Empty),
            (Verb::Lang, Row::Language(listing)) => {
                out.extend_from_slice(listing.tag.as_bytes());
                out.push(b' ');
                out.extend_from_slice(listing.description.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            (Verb::Other, Row::Line(text)) => {
                out.extend_from_slice(text.as_bytes());
                grammar::stuff_line(start, out);
                out.extend_from_slice(b"\r\n");
            }
            _ => return Err(Misuse::WrongAnswer { to: verb }),
        }
        let line = out.get(start..).unwrap_or_default();
        let checked = match check_row(line, verb) {
            Ok(text) if verb == Verb::Capa && !self.config.keeps(text, self.now()) => Err(Misuse::NotOffered),
            checked => checked.map(|_| ()),
        };
        if checked.is_err() {
            out.truncate(start);
        }
        checked
    }

    /// A chunk of the message, cut anywhere: line ends become what [`Config::newlines`](crate::Config::newlines) says,
    /// and dots are stuffed.
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] unless an answer to RETR or TOP was begun, [`Misuse::BegunStuffed`] if it was with
    /// [`Server::body_stuffed`]; [`Misuse::Offence`] under [`Newlines::Reject`](crate::wire::dot::Newlines::Reject): nothing
    /// of the chunk was written then, and [`Server::abort`] is what is left: whatever else is tried with this message is
    /// [`Misuse::Spoiled`], because its end would say that it is whole.
    pub fn body(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, stuff) = self.stuff()?;
        let written = stuff.encode(chunk, out);
        self.unless_offended(verb, written)
    }

    /// The same octets as [`Server::body`] appends, as slices for a vectored write, nothing copied. The whole chunk
    /// counts as sent.
    ///
    /// # Errors
    ///
    /// As [`Server::body`].
    pub fn body_segments<'c>(&mut self, chunk: &'c [u8]) -> Result<Segments<'c>, Misuse> {
        let (verb, stuff) = self.stuff()?;
        let segments = stuff.segments(chunk);
        self.unless_offended(verb, segments)
    }

    fn unless_offended<T>(&mut self, verb: Verb, result: Result<T, Offence>) -> Result<T, Misuse> {
        if result.is_err() {
            self.answering = Answering::Spoiled(verb);
        }
        Ok(result?)
    }

    /// A chunk of message text that is stuffed already, as a client with
    /// [`Config::stuffed_bodies`](crate::Config::stuffed_bodies) hands it out: it passes as it is. Text with the end of a
    /// message in it, as a reader of CRLF or of LF, or one that stops at NUL, would see it, is refused.
    ///
    /// # Errors
    ///
    /// [`Misuse::Terminator`]: nothing of the chunk was written, and [`Server::abort`] is what is left, as for [`Server::body`].
    /// [`Misuse::InsideLine`] if [`Server::body`] left the text in the middle of a line; else as [`Server::body`].
    pub fn body_stuffed(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        if let Answering::Body(verb, stuff) = &self.answering {
            if !stuff.at_line_start() {
                return Err(Misuse::InsideLine);
            }
            self.answering = Answering::Stuffed(*verb, Stuffed::new());
        }
        match &mut self.answering {
            Answering::Stuffed(verb, stuffed) => {
                if !stuffed.pass(chunk) {
                    self.answering = Answering::Spoiled(*verb);
                    return Err(Misuse::Terminator);
                }
                out.extend_from_slice(chunk);
                Ok(())
            }
            Answering::Command(to, _) | Answering::Rows(to) | Answering::Body(to, _) => {
                Err(Misuse::WrongAnswer { to: *to })
            }
            Answering::Spoiled(to) => Err(Misuse::Spoiled { to: *to }),
            Answering::Nothing | Answering::Challenge => Err(self.nothing_owed()),
        }
    }

    /// Ends the listing or message that was begun, with the termination octet.
    ///
    /// # Errors
    ///
    /// [`Misuse::NothingOwed`] or [`Misuse::WrongAnswer`] if none was begun; [`Misuse::Offence`] under
    /// [`Newlines::Reject`](crate::wire::dot::Newlines::Reject) if the text ends in CR (an LF may still follow);
    /// [`Misuse::InsideLine`] behind a single dot that [`Server::body_stuffed`] let pass as the beginning of a line;
    /// [`Misuse::Spoiled`] where a chunk of the message was refused.
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let verb = match &mut self.answering {
            Answering::Rows(verb) => {
                out.extend_from_slice(b".\r\n");
                *verb
            }
            Answering::Body(verb, stuff) => {
                out.extend_from_slice(stuff.finish()?);
                *verb
            }
            Answering::Stuffed(verb, stuffed) => {
                out.extend_from_slice(stuffed.finish().ok_or(Misuse::InsideLine)?);
                *verb
            }
            Answering::Command(to, _) => return Err(Misuse::WrongAnswer { to: *to }),
            Answering::Spoiled(to) => return Err(Misuse::Spoiled { to: *to }),
            Answering::Nothing | Answering::Challenge => return Err(self.nothing_owed()),
        };
        self.answered(verb, Status::Ok);
        Ok(())
    }

    /// Gives an answer up that cannot be finished: the session is over, and the connection is to be closed, so that
    /// the client sees the end missing. There is no way to turn a message that was begun into `-ERR`.
    pub fn abort(&mut self) {
        self.close();
    }

    /// Sends a challenge that is base64 already; an empty one is allowed (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] unless a SASL exchange is under way and it is our turn; [`Misuse::Base64`]; [`Misuse::TooLong`]
    /// beyond the limit of a SASL line.
    pub fn challenge_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, _) = self.owed()?;
        if verb != Verb::Auth {
            return Err(Misuse::WrongAnswer { to: verb });
        }
        if line.len().saturating_add(4) > self.config.sasl_line {
            return Err(Misuse::TooLong { limit: self.config.sasl_line });
        }
        if !line.is_empty() {
            check_base64(line)?;
        }
        out.extend_from_slice(b"+ ");
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        self.answering = Answering::Challenge;
        Ok(())
    }

    /// Sends a challenge in base64; an empty one is allowed (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] unless a SASL exchange is under way and it is our turn; [`Misuse::TooLong`] beyond the
    /// limit of a SASL line.
    #[cfg(feature = "sasl")]
    pub fn challenge(&mut self, challenge: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenge_line(crate::sasl::encode(challenge).as_bytes(), out)
    }

    /// Refuses the bearer token of [`Login::Bearer`](crate::Login::Bearer): the JSON says why, and once the client has heard it, `-ERR`
    /// follows by itself (RFC 7628 §3.2.3).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] or [`Misuse::NothingOwed`] unless such a login waits for its answer; [`Misuse::TooLong`].
    #[cfg(feature = "sasl")]
    pub fn reject_token(&mut self, json: &str, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (to, _) = self.owed()?;
        if !self.bearer {
            return Err(Misuse::WrongAnswer { to });
        }
        self.challenge(json.as_bytes(), out)?;
        self.bearer = false;
        self.running = Some(Running::Rejected);
        Ok(())
    }

    /// Answers CAPA with what the settings and the state of the session say (RFC 2449 §5).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] or [`Misuse::NothingOwed`] if CAPA does not wait for its answer.
    pub fn capabilities(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        match self.owed()? {
            (Verb::Capa, _) => {}
            (to, _) => return Err(Misuse::WrongAnswer { to }),
        }
        self.begin("capability list follows", out)?;
        for capability in self.config.capabilities(self.now()) {
            grammar::encode_capability_row(&capability, out);
        }
        self.end(out)
    }

    pub(crate) fn owed(&self) -> Result<(Verb, Shape), Misuse> {
        match self.answering {
            Answering::Command(verb, shape) => Ok((verb, shape)),
            Answering::Rows(to) | Answering::Body(to, _) | Answering::Stuffed(to, _) => {
                Err(Misuse::InsideAnswer { to })
            }
            Answering::Spoiled(to) => Err(Misuse::Spoiled { to }),
            Answering::Nothing | Answering::Challenge => Err(self.nothing_owed()),
        }
    }

    fn nothing_owed(&self) -> Misuse {
        if self.is_over() { Misuse::Over } else { Misuse::NothingOwed }
    }

    fn stuff(&mut self) -> Result<(Verb, &mut Stuff), Misuse> {
        match &mut self.answering {
            Answering::Body(verb, stuff) => Ok((*verb, stuff)),
            Answering::Spoiled(to) => Err(Misuse::Spoiled { to: *to }),
            Answering::Command(to, _) | Answering::Rows(to) => Err(Misuse::WrongAnswer { to: *to }),
            Answering::Stuffed(..) => Err(Misuse::BegunStuffed),
            Answering::Nothing | Answering::Challenge if self.state == State::Closed => Err(Misuse::Over),
            Answering::Nothing | Answering::Challenge => Err(Misuse::NothingOwed),
        }
    }

    fn answered(&mut self, verb: Verb, status: Status) {
        self.answering = Answering::Nothing;
        self.bearer = false;
        match (status, verb) {
            (Status::Ok, Verb::User) => self.user_accepted = true,
            (Status::Ok, Verb::Auth) => self.layer = if self.leftover { Layer::Missed } else { Layer::Due },
            (Status::Ok, Verb::Utf8) => self.utf8 = true,
            (_, Verb::Quit) => self.outcome = Outcome::Quit,
            (Status::Err, Verb::User) => self.forget(),
            _ => {}
        }
        self.state = match status {
            Status::Ok => self.state.after_ok(verb),
            Status::Err => self.state.after_err(verb),
        };
        if self.state == State::Handshake && self.leftover {
            // RFC 2595 §4: octets behind STLS in the clear. Whatever the driver does with them, they die here.
            self.fail(Error::PlaintextAfterStls);
        }
    }

    fn check_text(&self, text: &str) -> Result<(), Misuse> {
        if text.is_ascii() || self.lang || self.utf8 { Ok(()) } else { Err(Misuse::NeedsLang) }
    }
}

/// The text of a row, which stays one line, of at most 512 octets.
fn check_row(line: &[u8], verb: Verb) -> Result<&[u8], Misuse> {
    let text = line.strip_suffix(b"\r\n").unwrap_or(line);
    // What a private command answers may have blank lines and tabs, as a message has.
    let private = verb == Verb::Other;
    if let Some(&octet) = text.iter().find(|octet| octet.is_ascii_control() && !(private && **octet == b'\t')) {
        return Err(Misuse::ForbiddenOctet { octet });
    }
    match text {
        [] if !private => Err(Misuse::Empty),
        _ if line.len() > Reply::MAX => Err(Misuse::TooLong { limit: Reply::MAX }),
        _ => Ok(text),
    }
}
