//! Reading: what the server's octets mean to the client.

use super::{Client, Committed, Reading, Spoken, Stls, User};
use crate::capability::{Extension, Known, Support};
use crate::error::{Error, Protocol};
use crate::event::{Challenge, Event};
use crate::grammar::number::octets;
use crate::grammar::status::status_line;
use crate::grammar::{self, Fault, IResult, Tolerance};
use crate::outstanding::Entry;
use crate::quirk::Quirk;
use crate::reply::{Data, Status, StatusLine, Timestamp};
use crate::state::{Shape, State, Verb};
use crate::text::is_base64_text;
use crate::text::{Carried, Text};
use crate::wire::dot::{Passage, Piece, Unstuff};
use crate::wire::line::{Ending, Found, LineEnd};

impl Client {
    /// Whether the message that is being read shows that the server does not stuff, and that is tolerated.
    pub(super) fn lacks_stuffing(&self) -> bool {
        matches!(&self.reading, Reading::Body(unstuff) if unstuff.missing_stuffing())
            && self.config.quirks.contains(Quirk::MissingStuffing)
    }

    /// Message text.
    #[inline(never)]
    pub(super) fn next_body<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        let Reading::Body(unstuff) = &mut self.reading else { return Ok(None) };
        let piece = unstuff.next(input);
        if unstuff.missing_stuffing() {
            self.tolerates(Quirk::MissingStuffing);
        }
        Ok(self.piece(piece, input))
    }

    /// Message text, stuffing left in.
    #[inline(never)]
    pub(super) fn next_passage<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        let Reading::Passage(passage) = &mut self.reading else { return Ok(None) };
        let piece = passage.next(input);
        Ok(self.piece(piece, input))
    }

    #[inline(always)]
    fn piece<'i>(&mut self, piece: Option<Piece<'i>>, input: &[u8]) -> Option<Event<'i>> {
        match piece {
            None => None,
            Some(Piece::Text(octets)) => Some(Event::Body(octets)),
            Some(Piece::End) => Some(self.end(input)),
        }
    }

    /// A line of the answer to LIST.
    #[inline(never)]
    pub(super) fn next_scan_listing<'i>(
        &mut self,
        end: LineEnd,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Error> {
        match grammar::listing::scan_listing_crlf(input) {
            Some((rest, listing)) if self.take_row() => {
                *input = rest;
                Ok(Some(Event::Scan(listing)))
            }
            _ => self.next_row(Verb::List, end, input),
        }
    }

    /// A line of the answer to UIDL.
    #[inline(never)]
    pub(super) fn next_unique_id_listing<'i>(
        &mut self,
        end: LineEnd,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Error> {
        match grammar::listing::unique_id_listing_crlf(input) {
            Some((rest, listing)) if self.take_row() => {
                *input = rest;
                Ok(Some(Event::UniqueId(listing)))
            }
            _ => self.next_row(Verb::Uidl, end, input),
        }
    }

    /// Whether a row in front of the input is one by itself, and one that the limit of rows allows. It is counted then.
    #[inline(always)]
    fn take_row(&mut self) -> bool {
        match self.rows_left.checked_sub(1) {
            Some(left) if self.lines.held() == 0 => {
                self.rows_left = left;
                true
            }
            _ => false,
        }
    }

    /// A line of the answer to CAPA.
    #[inline(never)]
    pub(super) fn next_capability<'i>(
        &mut self,
        end: LineEnd,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Error> {
        match grammar::capability::capability_crlf(input) {
            Some((rest, capability)) if self.take_row() => {
                *input = rest;
                self.known.add(&capability);
                Ok(Some(Event::Capability(capability)))
            }
            _ => self.next_row(Verb::Capa, end, input),
        }
    }

    /// A line of any listing.
    #[inline(never)]
    pub(super) fn next_row<'i>(
        &mut self,
        of: Verb,
        end: LineEnd,
        input: &mut &'i [u8],
    ) -> Result<Option<Event<'i>>, Error> {
        let ending = if end == LineEnd::Crlf { Ending::Crlf } else { Ending::Lf };
        let limit = self.line_limit();
        match self.lines.find(input, ending, limit) {
            Ok(Some(Found::Whole(line, end))) => self.row(of, line, end, input),
            Ok(Some(Found::Carried(end))) => self.carried_row(of, end, input),
            Ok(None) => Ok(None),
            Err(_) => Err(self.fail(Error::LineTooLong { limit })),
        }
    }

    fn carried_row<'i>(&mut self, of: Verb, end: LineEnd, input: &[u8]) -> Result<Option<Event<'i>>, Error> {
        let carried = self.lines.take_carried();
        let event = self.row(of, &carried, end, input);
        let event = event.map(|event| event.map(|event| event.out_of(&mut Carried::new(&carried))));
        self.lines.reuse(carried);
        event
    }

    /// A status line, or what comes in its place.
    #[inline(never)]
    pub(super) fn next_status<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        if let Some(fatal) = &self.fatal {
            return Err((**fatal).clone());
        }
        if input.is_empty() {
            return Ok(None);
        }
        let event = self.status(input).map_err(|error| self.fail(error))?;
        let unasked = self.outstanding.first().is_none() && self.lines.held() > 0;
        if event.is_some() && !input.is_empty() || unasked {
            self.mark_early();
        }
        Ok(event)
    }

    fn status<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        self.expects_octets(input)?;
        let limit = self.status_limit();
        // A bare LF is seen at once, and refused where it is not tolerated.
        match self.lines.find(input, Ending::Lf, limit) {
            Err(_) => Err(Error::LineTooLong { limit }),
            Ok(None) => Ok(None),
            Ok(Some(Found::Whole(line, end))) => self.line(line, end).map(Some),
            Ok(Some(Found::Carried(end))) => {
                let carried = self.lines.take_carried();
                let event = self.line(&carried, end).map(|event| event.out_of(&mut Carried::new(&carried)));
                self.lines.reuse(carried);
                event.map(Some)
            }
        }
    }

    /// Whether the server has any business to send what comes now.
    fn expects_octets(&self, input: &[u8]) -> Result<(), Error> {
        if self.state == State::Handshake {
            return Err(Error::PlaintextAfterStls);
        }
        let nothing_asked = self.outstanding.first().is_none() && self.state != State::Greeting;
        if matches!(self.reading, Reading::Challenged | Reading::Closing) || self.state == State::Closed {
            return Err(Error::Unsolicited);
        }
        // A TLS record may hold no LF for a long time: who speaks TLS from the first octet is known by that octet.
        if self.state == State::Greeting && self.lines.held() == 0 && matches!(input.first(), Some(0x15 | 0x16)) {
            return Err(Error::NotPop3 { looks_like: Protocol::Tls });
        }
        // All that may come unasked is a "-ERR" before the connection is closed.
        if nothing_asked && self.lines.held() == 0 && input.first() != Some(&b'-') {
            return Err(Error::Unsolicited);
        }
        Ok(())
    }

    fn status_limit(&self) -> usize {
        match self.outstanding.first() {
            Some(entry) if entry.verb == Verb::Auth => self.config.sasl_line.max(self.line_limit()),
            _ => self.line_limit(),
        }
    }

    #[inline]
    fn line_limit(&self) -> usize {
        let limit = self.config.status_line;
        if self.config.quirks.contains(Quirk::LongStatus) { limit } else { limit.min(crate::Reply::MAX) }
    }

    /// A whole line. (A line that was carried is borrowed from the carry: hence a lifetime of its own.)
    fn line<'l>(&mut self, line: &'l [u8], end: LineEnd) -> Result<Event<'l>, Error> {
        // (Text with bare LF cannot be passed on stuffed: its dots are doubled where a reader of CRLF does not look.)
        if end == LineEnd::BareLf && (self.config.stuffed || !self.tolerates(Quirk::BareLf)) {
            return Err(Error::BareLf);
        }
        let octets = line.len().saturating_add(end.octets());
        // (The limit that frames a line during AUTH is the larger of two, and which it is shows here.)
        if octets > self.config.sasl_line && self.is_challenge(line) {
            return Err(Error::LineTooLong { limit: self.config.sasl_line });
        }
        if octets > crate::Reply::MAX && !self.is_challenge(line) {
            if octets > self.line_limit() {
                return Err(Error::LineTooLong { limit: self.line_limit() });
            }
            self.tolerates(Quirk::LongStatus);
        }
        if self.state == State::Greeting {
            return self.greeting(line);
        }
        let Some(entry) = self.outstanding.first() else {
            return self.closing(line);
        };
        if entry.verb == Verb::Auth && self.is_challenge(line) {
            return self.challenge(line);
        }
        let premature = entry.verb == Verb::Auth && self.spoken == Spoken::Nothing && line.starts_with(b"+OK");
        if premature && self.tolerates(Quirk::OkAsContinue) {
            self.spoken = Spoken::Heard;
            return self.challenge(b"+ ");
        }
        let Ok(status) = self.parse(|tolerance| status_line(line, tolerance)) else {
            return Err(Error::NoStatus { to: entry.verb, line: Text::from(line).into_owned() });
        };
        match status.status {
            Status::Ok => Ok(self.ok(entry, status, end)),
            Status::Err => Ok(self.err(entry, status)),
        }
    }

    fn greeting<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        let Ok(status) = self.parse(|tolerance| status_line(line, tolerance)) else {
            return Err(Error::NotPop3 { looks_like: looks_like(line) });
        };
        if status.status == Status::Err {
            let StatusLine { code, text, .. } = status.out_of(&mut Carried::new(line));
            return Err(Error::GreetingRefused { code, text });
        }
        let text = line.get(4..).unwrap_or_default();
        let timestamp = Timestamp::find(text);
        self.timestamp = timestamp.is_some();
        self.state = State::Authorization;
        Ok(Event::Greeting { text: Text::from(text), timestamp })
    }

    /// A line that no command asked for.
    fn closing<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        match self.parse(|tolerance| status_line(line, tolerance)) {
            Ok(StatusLine { status: Status::Err, code, text }) => {
                self.reading = Reading::Closing;
                Ok(Event::Closing { code, text })
            }
            _ => Err(Error::Unsolicited),
        }
    }

    fn challenge<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        let no_status = |line: &[u8]| Error::NoStatus { to: Verb::Auth, line: Text::from(line).into_owned() };
        let text = match line {
            [b'+', b' ', text @ ..] => text,
            [b'+', text @ ..] if (text.is_empty() || is_base64_text(text)) && self.tolerates(Quirk::BarePlus) => text,
            _ => return Err(no_status(line)),
        };
        if !text.is_empty() && !is_base64_text(text) {
            // Not tolerated, it is a challenge still, and one to cancel (RFC 5034 §4).
            self.tolerates(Quirk::TextChallenge);
        }
        self.reading = Reading::Challenged;
        Ok(Event::Challenge(Challenge(Text::from(text))))
    }

    fn ok<'l>(&mut self, entry: Entry, status: StatusLine<'l>, end: LineEnd) -> Event<'l> {
        let StatusLine { code, text, .. } = status;
        let to = entry.verb;
        let data = self.data(entry, &text);
        self.user = if to == Verb::User { User::Accepted } else { User::None };
        let before = self.state;
        self.state = self.state.after_ok(to);
        match to {
            Verb::Capa => self.known = Known::NONE,
            Verb::Auth => self.layer_due = true,
            Verb::Utf8 => self.utf8 = true,
            Verb::Quit if before == State::Update => self.committed = Committed::Yes,
            _ => {}
        }
        if before == State::Authorization && self.state == State::Transaction {
            self.login_generation = self.login_generation.saturating_add(1);
            self.known = Known::NONE;
        }
        if entry.shape == Shape::SingleLine {
            self.answered();
        } else {
            self.rows_left = self.config.rows;
            self.reading = match to {
                Verb::Retr | Verb::Top if self.config.stuffed => Reading::Passage(Passage::new(end)),
                Verb::Retr | Verb::Top => Reading::Body(Unstuff::new(end)),
                // (A limit below the 512 octets of RFC 2449 §4 is for the path that looks at it.)
                _ if self.config.status_line < crate::Reply::MAX => Reading::Rows(to, end),
                Verb::List => Reading::ScanListings(end),
                Verb::Uidl => Reading::UniqueIdListings(end),
                Verb::Capa => Reading::Capabilities(end),
                _ => Reading::Rows(to, end),
            };
        }
        Event::Ok { to, code, text, data }
    }

    fn err<'l>(&mut self, entry: Entry, status: StatusLine<'l>) -> Event<'l> {
        let StatusLine { code, text, .. } = status;
        let to = entry.verb;
        self.user = User::None;
        self.state = self.state.after_err(to);
        match to {
            Verb::Capa => {
                self.known = Known::REFUSED;
            }
            Verb::Stls => self.stls = Stls::Refused,
            _ => {}
        }
        self.answered();
        Event::Err { to, code, text }
    }

    /// What a `+OK` carries.
    fn data<'l>(&mut self, entry: Entry, text: &Text<'l>) -> Data<'l> {
        // (It borrows from its line always: that happens before a line that was carried is left.)
        let Some(text) = text.borrowed() else { return Data::None };
        let parsed = match (entry.verb, entry.shape) {
            (Verb::Stat, _) => self.parse(|tolerance| grammar::listing::drop_listing(text, tolerance)).map(Data::Drop),
            (Verb::List, Shape::SingleLine) => {
                self.parse(|tolerance| grammar::listing::scan_listing(text, tolerance)).map(Data::Scan)
            }
            (Verb::Uidl, Shape::SingleLine) => {
                self.parse(|tolerance| grammar::listing::unique_id_listing(text, tolerance)).map(Data::UniqueId)
            }
            (Verb::Lang, Shape::SingleLine) => self.parse(|_| grammar::listing::language(text)).map(Data::Language),
            (Verb::Retr, _) => Ok(match octets(text) {
                Ok((rest, octets)) if rest.is_empty() || rest.starts_with(b" octets") => Data::Octets(octets),
                _ => Data::None,
            }),
            _ => Ok(Data::None),
        };
        let named = match &parsed {
            Ok(Data::Scan(listing)) => Some(listing.number),
            Ok(Data::UniqueId(listing)) => Some(listing.number),
            _ => entry.number,
        };
        let parsed = if named == entry.number { parsed } else { Err(Fault::OtherNumber) };
        parsed.unwrap_or_else(|fault| {
            self.doubt();
            Data::Malformed(fault)
        })
    }

    /// A whole line of a listing; `behind` is what follows it in the input.
    fn row<'l>(&mut self, of: Verb, line: &'l [u8], end: LineEnd, behind: &[u8]) -> Result<Option<Event<'l>>, Error> {
        if line.len().saturating_add(end.octets()) > crate::Reply::MAX {
            // (Where it is not tolerated, no such line is framed.)
            self.tolerates(Quirk::LongStatus);
        }
        let text = match line {
            [b'.'] => return Ok(Some(self.end(behind))),
            [b'.', text @ ..] => text,
            _ => line,
        };
        match self.rows_left.checked_sub(1) {
            Some(left) => self.rows_left = left,
            None => return Err(self.fail(Error::ListingTooLong { to: of, limit: self.config.rows })),
        }
        let event = match of {
            Verb::List => self.parse(|tolerance| grammar::listing::scan_listing(text, tolerance)).map(Event::Scan),
            Verb::Uidl => {
                self.parse(|tolerance| grammar::listing::unique_id_listing(text, tolerance)).map(Event::UniqueId)
            }
            Verb::Capa => self.parse(|_| grammar::capability::capability(text)).map(|capability| {
                self.known.add(&capability);
                Event::Capability(capability)
            }),
            Verb::Lang => self.parse(|_| grammar::listing::language_listing(text)).map(Event::Language),
            _ => Ok(Event::Line(Text::from(text))),
        };
        Ok(Some(event.unwrap_or_else(|fault| {
            self.doubt();
            Event::BadRow { of, line: Text::from(text), fault }
        })))
    }

    /// An answer that makes no sense, with others outstanding: a server that announces PIPELINING and cannot do it looks
    /// like this before it looks worse.
    fn doubt(&mut self) {
        self.one_at_a_time |= self.outstanding.len() > 1;
    }

    /// The end of a multi-line response.
    #[cold]
    #[inline(never)]
    fn end<'i>(&mut self, behind: &[u8]) -> Event<'i> {
        let of = self.outstanding.verb();
        if of == Verb::Capa {
            self.known.complete();
            if self.stls == Stls::Open && self.known.support(Extension::Stls) == Support::Yes {
                self.stls = Stls::Named;
            }
        }
        self.answered();
        if !behind.is_empty() {
            self.mark_early();
        }
        Event::End { of }
    }

    fn answered(&mut self) {
        self.reading = Reading::Status;
        self.outstanding.pop();
    }

    /// Octets are left behind an event: if no command asked for them, none that is sent later may get them as its
    /// answer.
    pub(super) fn mark_early(&mut self) {
        if self.state == State::Handshake {
            self.fail(Error::PlaintextAfterStls);
        } else if self.state != State::Greeting
            && (self.outstanding.first().is_none() || self.reading == Reading::Challenged)
        {
            self.early = true;
        }
    }

    /// RFC 5034 §4: a challenge is "+", a space and base64. During AUTH only, and never what begins with "+OK".
    fn is_challenge(&self, line: &[u8]) -> bool {
        line.starts_with(b"+")
            && !line.starts_with(b"+OK")
            && self.outstanding.first().is_some_and(|entry| entry.verb == Verb::Auth)
    }

    /// Parses a whole line, and notes the tolerances that it needed.
    fn parse<'l, T>(&mut self, production: impl FnOnce(&mut Tolerance) -> IResult<'l, T>) -> Result<T, grammar::Fault> {
        let mut tolerance = Tolerance::new(self.config.quirks);
        match production(&mut tolerance) {
            Ok((_, value)) => {
                self.quirks.extend(tolerance.seen);
                Ok(value)
            }
            Err(error) => Err(grammar::fault(error)),
        }
    }

    fn tolerates(&mut self, quirk: Quirk) -> bool {
        let allowed = self.config.quirks.contains(quirk);
        if allowed {
            self.quirks.insert(quirk);
        }
        allowed
    }
}

fn looks_like(line: &[u8]) -> Protocol {
    match line {
        [b'*', b' ', ..] => Protocol::Imap,
        [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9', ..] => Protocol::Smtp,
        [b'H', b'T', b'T', b'P', b'/', ..] => Protocol::Http,
        [b'S', b'S', b'H', b'-', ..] => Protocol::Ssh,
        _ => Protocol::Unknown,
    }
}
