//! The maildrop of one session: the transaction model of RFC 1939 §5 and §6, and the cutter for TOP.

use crate::command::Command;
use crate::error::Misuse;
use crate::event::Incoming;
use crate::listing::{DropListing, MessageNumber, ScanListing, UniqueId, UniqueIdListing};
use crate::reply::{Reply, Status};
use crate::server::Server;
use crate::text::Text;
use alloc::vec::Vec;

/// The messages of a maildrop while it is open: their sizes, their unique-ids, and which are marked as deleted.
///
/// It holds no message and does no I/O. Numbers are those of RFC 1939 §4: the order in which the messages were given,
/// from 1, the same until the session ends.
///
/// ```
/// use pop3_proto::{Maildrop, MessageNumber};
///
/// let mut maildrop = Maildrop::new([(120, "whqtswO00WBw418f9t5JxYwZ"), (200, "QhdPYR:00WBw1Ph7x7")])?;
/// maildrop.dele(MessageNumber::FIRST)?;
/// assert_eq!(maildrop.stat().messages, 1);
/// assert_eq!(maildrop.deleted().collect::<Vec<_>>(), [0]); // what UPDATE removes, by its place in the list
/// maildrop.rset();
/// assert_eq!(maildrop.stat().octets, Some(320));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maildrop {
    messages: Vec<Entry>,
    ids: Vec<u8>,
    octets: u64,
    deleted: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    octets: u64,
    /// Where its unique-id ends in `ids`.
    id_end: usize,
    deleted: bool,
}

/// A message that is there.
///
/// ```
/// use pop3_proto::{Maildrop, MessageNumber};
///
/// let maildrop = Maildrop::new([(120, "one")])?;
/// let message = maildrop.get(MessageNumber::FIRST).unwrap();
/// assert_eq!((message.index, message.octets), (0, 120));
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its number in this session.
    pub number: MessageNumber,
    /// Its place in the list that [`Maildrop::new`] was given, from 0.
    pub index: usize,
    /// Its size in octets.
    pub octets: u64,
    /// Its unique-id.
    pub id: UniqueId<'a>,
}

/// Why a message cannot be had: the words go into the `-ERR`.
///
/// ```
/// use pop3_proto::{Maildrop, MessageNumber, Unavailable};
///
/// assert_eq!(Maildrop::default().get(MessageNumber::FIRST), Err(Unavailable::NoSuchMessage));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unavailable {
    /// There is no message of that number.
    NoSuchMessage,
    /// It was marked as deleted in this session.
    Deleted,
}

impl core::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.words())
    }
}

impl core::error::Error for Unavailable {}

impl Unavailable {
    const fn words(self) -> &'static str {
        match self {
            Self::NoSuchMessage => "no such message",
            Self::Deleted => "message already deleted",
        }
    }
}

/// The `-ERR` in the RFC's words.
impl From<Unavailable> for Reply<'_> {
    fn from(why: Unavailable) -> Self {
        Self::fixed(Status::Err, why.words())
    }
}

impl Maildrop {
    /// A maildrop of messages given as (octets, unique-id); it costs 24 octets a message and the octets of the unique-ids. The
    /// octets are those that RETR will send
    /// ([`Size`](crate::wire::dot::Size) counts them).
    ///
    /// # Errors
    ///
    /// [`Misuse::UniqueId`] for a unique-id that RFC 1939 §7 does not allow; [`Misuse::TooManyMessages`] beyond
    /// 4294967295; [`Misuse::TooManyOctets`] where all their octets together are more than 64 bits count.
    pub fn new<I: AsRef<[u8]>>(messages: impl IntoIterator<Item = (u64, I)>) -> Result<Self, Misuse> {
        let messages = messages.into_iter();
        let mut maildrop = Self::default();
        // What an iterator says of its length is a hint.
        maildrop.messages.reserve(messages.size_hint().0.min(1 << 16));
        for (octets, id) in messages {
            if u32::try_from(maildrop.messages.len().saturating_add(1)).is_err() {
                return Err(Misuse::TooManyMessages);
            }
            maildrop.ids.extend_from_slice(UniqueId::new(&id)?.as_bytes());
            maildrop.octets = maildrop.octets.checked_add(octets).ok_or(Misuse::TooManyOctets)?;
            maildrop.messages.push(Entry { octets, id_end: maildrop.ids.len(), deleted: false });
        }
        maildrop.messages.shrink_to_fit();
        maildrop.ids.shrink_to_fit();
        Ok(maildrop)
    }

    /// The message of that number.
    ///
    /// # Errors
    ///
    /// [`Unavailable`], which makes a [`Reply`].
    pub fn get(&self, number: MessageNumber) -> Result<Message<'_>, Unavailable> {
        let index = index(number);
        match self.messages.get(index) {
            None => Err(Unavailable::NoSuchMessage),
            Some(entry) if entry.deleted => Err(Unavailable::Deleted),
            Some(entry) => Ok(Message { number, index, octets: entry.octets, id: self.id(index, entry) }),
        }
    }

    /// How many messages are there, and their octets: what STAT answers.
    #[must_use]
    pub fn stat(&self) -> DropListing {
        let messages = u32::try_from(self.messages.len()).unwrap_or(u32::MAX).saturating_sub(self.deleted);
        DropListing { messages, octets: Some(self.octets) }
    }

    /// The messages that are there, in order.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        (1..=u32::MAX)
            .filter_map(MessageNumber::new)
            .zip(self.messages.iter().enumerate())
            .filter(|(_, (_, entry))| !entry.deleted)
            .map(|(number, (index, entry))| Message { number, index, octets: entry.octets, id: self.id(index, entry) })
    }

    /// The lines that answer LIST, one at a time: a driver can write them as it goes.
    pub fn scan_listings(&self) -> impl Iterator<Item = ScanListing> {
        self.messages().map(|message| ScanListing { number: message.number, octets: message.octets })
    }

    /// The lines that answer UIDL, one at a time.
    pub fn unique_id_listings(&self) -> impl Iterator<Item = UniqueIdListing<'_>> {
        self.messages().map(|message| UniqueIdListing { number: message.number, id: message.id })
    }

    /// Marks a message as deleted (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// [`Unavailable`], for a message that is marked already too.
    pub fn dele(&mut self, number: MessageNumber) -> Result<(), Unavailable> {
        let octets = self.get(number)?.octets;
        if let Some(entry) = self.messages.get_mut(index(number)) {
            entry.deleted = true;
            self.octets = self.octets.saturating_sub(octets);
            self.deleted = self.deleted.saturating_add(1);
        }
        Ok(())
    }

    /// Takes all marks off (RFC 1939 §5).
    pub fn rset(&mut self) {
        if self.deleted == 0 {
            return;
        }
        for entry in self.messages.iter_mut().filter(|entry| entry.deleted) {
            entry.deleted = false;
            self.octets = self.octets.saturating_add(entry.octets);
        }
        self.deleted = 0;
    }

    /// What the UPDATE state removes (RFC 1939 §6): the places, from 0, of the messages marked as deleted, in the list
    /// that [`Maildrop::new`] was given.
    pub fn deleted(&self) -> impl Iterator<Item = usize> {
        self.messages.iter().enumerate().filter(|(_, entry)| entry.deleted).map(|(index, _)| index)
    }

    /// Answers what needs no message and no password: STAT, LIST, UIDL, DELE, RSET, NOOP, CAPA, USER, QUIT before login,
    /// and RETR and TOP of a message that is not there. Credentials and whatever the application does not have are
    /// refused. [`Incoming::Refused`] and [`Incoming::Cancelled`] are answered already.
    ///
    /// A listing is written to `out` whole; for a long one, begin it and write [`Maildrop::scan_listings`] or
    /// [`Maildrop::unique_id_listings`] as you go.
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] for what only the application can answer: RETR and TOP of a message that is there,
    /// [`Incoming::Update`], and STLS, whose handshake is the driver's.
    pub fn answer(&mut self, incoming: &Incoming<'_>, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let command = match incoming {
            Incoming::Command(command) => command,
            Incoming::Login(_) | Incoming::Auth(_) | Incoming::Response(_) => {
                return server.reply(&Reply::fixed(Status::Err, "wrong name or password"), out);
            }
            Incoming::Update => return Err(Misuse::WrongAnswer { to: command_verb(server) }),
            Incoming::Refused { .. } | Incoming::Cancelled => return Ok(()),
        };
        // Nothing is marked for a command that nobody has given.
        server.owed()?;
        let ok = |text| Reply::fixed(Status::Ok, text);
        let reply = match command {
            Command::User(_) => ok("send PASS"),
            Command::Noop => ok(""),
            Command::Quit => ok("POP3 server signing off"),
            Command::Stat => {
                let DropListing { messages, octets } = self.stat();
                Reply::drop_listing(messages, octets.unwrap_or_default())
            }
            Command::List(Some(number)) => match self.get(*number) {
                Ok(message) => Reply::scan_listing(*number, message.octets),
                Err(why) => why.into(),
            },
            Command::Uidl(Some(number)) => match self.get(*number) {
                Ok(message) => {
                    return server.reply(&Reply::unique_id(UniqueIdListing { number: *number, id: message.id })?, out);
                }
                Err(why) => why.into(),
            },
            Command::Dele(number) => match self.dele(*number) {
                Ok(()) => ok("message deleted"),
                Err(why) => why.into(),
            },
            Command::Rset => {
                self.rset();
                ok("")
            }
            Command::Retr(number) | Command::Top { number, .. } => match self.get(*number) {
                Ok(_) => return Err(Misuse::WrongAnswer { to: command.verb() }),
                Err(why) => why.into(),
            },
            Command::List(None) => {
                server.begin("scan listing follows", out)?;
                self.scan_listings().try_for_each(|row| server.listing(row, out))?;
                return server.end(out);
            }
            Command::Uidl(None) => {
                server.begin("unique-id listing follows", out)?;
                self.unique_id_listings().try_for_each(|row| server.listing(row, out))?;
                return server.end(out);
            }
            Command::Capa => return server.capabilities(out),
            Command::Stls => return Err(Misuse::WrongAnswer { to: command.verb() }),
            Command::Utf8 => ok("UTF8 enabled"),
            _ => Reply::fixed(Status::Err, "not implemented"),
        };
        server.reply(&reply, out)
    }

    fn id(&self, index: usize, entry: &Entry) -> UniqueId<'_> {
        let start = index.checked_sub(1).and_then(|before| self.messages.get(before)).map_or(0, |entry| entry.id_end);
        UniqueId::received(Text::from(self.ids.get(start..entry.id_end).unwrap_or_default()))
    }
}

fn index(number: MessageNumber) -> usize {
    usize::try_from(number.get().saturating_sub(1)).unwrap_or(usize::MAX)
}

fn command_verb(server: &Server) -> crate::Verb {
    server.owes().unwrap_or(crate::Verb::Other)
}

/// Cuts a message for TOP (RFC 1939 §7): the header, the blank line and a number of lines of the body.
///
/// Lines are counted by their LF, also where [`Newlines::CanonicalAll`](crate::wire::dot::Newlines) sends a bare CR as a
/// line end.
///
/// It takes stored octets, with LF or CRLF, in chunks cut anywhere, and says which of them to send. A message without
/// a blank line is sent as it is; no line is invented.
///
/// ```
/// use pop3_proto::Top;
///
/// let mut top = Top::new(1);
/// let message = b"Subject: hi\r\n\r\nfirst\r\nsecond\r\n";
/// assert_eq!(top.take(message), b"Subject: hi\r\n\r\nfirst\r\n");
/// assert!(top.is_done());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    place: Place,
    lines: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start of a header line.
    HeaderStart,
    /// Behind a CR that began a header line.
    HeaderCr,
    /// Within a header line.
    Header,
    Body,
    Done,
}

impl Top {
    /// For `TOP msg lines`.
    #[must_use]
    pub const fn new(lines: u64) -> Self {
        Self { place: Place::HeaderStart, lines }
    }

    /// The front of `chunk` that is to be sent; a shorter slice than the chunk only at the end.
    pub fn take<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let mut rest = chunk;
        while let Some(&first) = rest.first() {
            match (self.place, first) {
                (Place::Done, _) => break,
                (Place::HeaderStart, b'\r') => {
                    self.place = Place::HeaderCr;
                    rest = rest.get(1..).unwrap_or_default();
                }
                (Place::HeaderStart | Place::HeaderCr, b'\n') => {
                    self.place = if self.lines == 0 { Place::Done } else { Place::Body };
                    rest = rest.get(1..).unwrap_or_default();
                }
                (Place::HeaderStart | Place::HeaderCr | Place::Header, _) => {
                    let (behind, ended) = after_line(rest);
                    self.place = if ended { Place::HeaderStart } else { Place::Header };
                    rest = behind;
                }
                (Place::Body, _) => {
                    let (behind, ended) = after_line(rest);
                    rest = behind;
                    if ended {
                        self.lines = self.lines.saturating_sub(1);
                        if self.lines == 0 {
                            self.place = Place::Done;
                        }
                    }
                }
            }
        }
        chunk.get(..chunk.len().saturating_sub(rest.len())).unwrap_or(chunk)
    }

    /// Whether everything was sent that the command asks for: the rest of the message need not be read.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.place == Place::Done
    }
}

/// What is behind the next LF, and whether there is one.
fn after_line(octets: &[u8]) -> (&[u8], bool) {
    match memchr::memchr(b'\n', octets) {
        Some(lf) => (octets.get(lf.saturating_add(1)..).unwrap_or_default(), true),
        None => (&[], false),
    }
}
