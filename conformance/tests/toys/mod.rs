//! A toy server and a toy client, each of which can be given one mistake of the nine that recur in every language.
//!
//! They share no code with `pop3-proto`.

pub(crate) mod client;
pub(crate) mod server;

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// What is cut over two reads is missed.
    Split,
    /// Stuffing is wrong: on the server at the first octet, on the client for a line that was not stuffed.
    Stuffing,
    /// Messages are taken for text.
    Text,
    /// A limit leaves the rest of the line to be taken for the next one.
    Bound,
    /// The end of the connection is taken for something else: for QUIT by the server, for the end of a message by the
    /// client.
    Eof,
    /// What came in the clear behind STLS is acted on over TLS.
    Stls,
    /// A name puts a second line on the wire.
    Injection,
    /// One odd line shifts every later answer.
    Step,
    /// TOP counts wrongly: the server counts the header's lines, the client the empty line behind the header.
    Top,
}

impl Mistake {
    pub(crate) const ALL: [Self; 9] = [
        Self::Split,
        Self::Stuffing,
        Self::Text,
        Self::Bound,
        Self::Eof,
        Self::Stls,
        Self::Injection,
        Self::Step,
        Self::Top,
    ];
}
