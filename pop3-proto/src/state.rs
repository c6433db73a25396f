//! Who may say what, and when: the one table.
//!
//! It knows no role. The client asks it before it sends, the server before it acts, and the documentation's diagram
//! and the tests read it.
//!
//! ```text
//!            greeting            USER PASS / APOP / AUTH             QUIT             answer
//!  Greeting ----------> Authorization ------------------> Transaction ----> Update -----------> Closed
//!                         |       ^
//!                    STLS v       | handshake done                       (QUIT in Authorization: Closed)
//!                        Handshake
//! ```

use core::fmt;

/// Where a session stands (RFC 1939 §3: AUTHORIZATION, TRANSACTION and UPDATE, with what lies before, between and
/// behind them).
///
/// ```
/// use pop3_proto::{State, Verb};
///
/// assert_eq!(State::Authorization.after_ok(Verb::Stls), State::Handshake);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum State {
    /// The server has not greeted yet.
    Greeting,
    /// The client must identify itself (RFC 1939 §4).
    Authorization,
    /// STLS was answered `+OK`, and the TLS handshake is not done (RFC 2595 §4).
    Handshake,
    /// The maildrop is open (RFC 1939 §5).
    Transaction,
    /// QUIT came in the TRANSACTION state: the messages marked as deleted are being removed (RFC 1939 §6).
    Update,
    /// Nothing more will be said.
    Closed,
}

impl State {
    /// Whether the command may be given in this state.
    ///
    /// ```
    /// use pop3_proto::{State, Verb};
    ///
    /// assert!(State::Transaction.permits(Verb::Retr));
    /// assert!(!State::Authorization.permits(Verb::Noop)); // RFC 1939 §5: TRANSACTION state only
    /// ```
    #[must_use]
    pub const fn permits(self, verb: Verb) -> bool {
        use Verb::{
            Apop, Auth, Capa, Dele, Lang, List, Noop, Other, Pass, Quit, Retr, Rset, Stat, Stls, Top, Uidl, User, Utf8,
        };
        match self {
            Self::Greeting | Self::Handshake | Self::Update | Self::Closed => false,
            Self::Authorization => match verb {
                User | Pass | Apop | Auth | Stls | Utf8 | Capa | Lang | Quit | Other => true,
                Stat | List | Retr | Dele | Noop | Rset | Top | Uidl => false,
            },
            Self::Transaction => match verb {
                Stat | List | Retr | Dele | Noop | Rset | Top | Uidl | Capa | Lang | Quit | Other => true,
                User | Pass | Apop | Auth | Stls | Utf8 => false,
            },
        }
    }

    /// The state once the command was given, before it is answered.
    ///
    /// Only QUIT changes it: "When the client issues the QUIT command from the TRANSACTION state, the POP3 session
    /// enters the UPDATE state" (RFC 1939 §6).
    #[must_use]
    pub const fn after_command(self, verb: Verb) -> Self {
        match (self, verb) {
            (Self::Transaction, Verb::Quit) => Self::Update,
            _ => self,
        }
    }

    /// The state once the command was answered `+OK`.
    #[must_use]
    pub const fn after_ok(self, verb: Verb) -> Self {
        match (self, verb) {
            (Self::Authorization, Verb::Pass | Verb::Apop | Verb::Auth) => Self::Transaction,
            (Self::Authorization, Verb::Stls) => Self::Handshake,
            (Self::Authorization | Self::Update, Verb::Quit) => Self::Closed,
            _ => self,
        }
    }

    /// The state once the command was answered `-ERR`.
    ///
    /// "Whether the removal was successful or not, the server then releases any exclusive-access lock on the maildrop
    /// and closes the TCP connection" (RFC 1939 §6).
    #[must_use]
    pub const fn after_err(self, verb: Verb) -> Self {
        match (self, verb) {
            (Self::Authorization | Self::Update, Verb::Quit) => Self::Closed,
            _ => self,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Greeting => "greeting",
            Self::Authorization => "AUTHORIZATION",
            Self::Handshake => "TLS handshake",
            Self::Transaction => "TRANSACTION",
            Self::Update => "UPDATE",
            Self::Closed => "closed",
        })
    }
}

/// The keyword of a command.
///
/// ```
/// use pop3_proto::Verb;
///
/// assert_eq!(Verb::from_keyword(b"retr"), Verb::Retr);
/// assert_eq!(Verb::Retr.to_string(), "RETR");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum Verb {
    /// `USER name` (RFC 1939 §7).
    User,
    /// `PASS string` (RFC 1939 §7).
    Pass,
    /// `APOP name digest` (RFC 1939 §7).
    Apop,
    /// `AUTH mechanism [initial-response]` (RFC 5034 §4).
    Auth,
    /// `STLS` (RFC 2595 §4).
    Stls,
    /// `UTF8` (RFC 6856 §2).
    Utf8,
    /// `STAT` (RFC 1939 §5).
    Stat,
    /// `LIST [msg]` (RFC 1939 §5).
    List,
    /// `RETR msg` (RFC 1939 §5).
    Retr,
    /// `DELE msg` (RFC 1939 §5).
    Dele,
    /// `NOOP` (RFC 1939 §5).
    Noop,
    /// `RSET` (RFC 1939 §5).
    Rset,
    /// `TOP msg n` (RFC 1939 §7).
    Top,
    /// `UIDL [msg]` (RFC 1939 §7).
    Uidl,
    /// `CAPA` (RFC 2449 §5).
    Capa,
    /// `LANG [tag]` (RFC 6856 §3).
    Lang,
    /// `QUIT` (RFC 1939 §4 and §6).
    Quit,
    /// A keyword that no RFC in our scope defines.
    Other,
}

impl Verb {
    /// Every keyword, [`Verb::Other`] included.
    pub const ALL: [Self; 18] = [
        Self::User,
        Self::Pass,
        Self::Apop,
        Self::Auth,
        Self::Stls,
        Self::Utf8,
        Self::Stat,
        Self::List,
        Self::Retr,
        Self::Dele,
        Self::Noop,
        Self::Rset,
        Self::Top,
        Self::Uidl,
        Self::Capa,
        Self::Lang,
        Self::Quit,
        Self::Other,
    ];

    /// The keyword as it is sent; [`Verb::Other`] has none.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::User => "USER",
            Self::Pass => "PASS",
            Self::Apop => "APOP",
            Self::Auth => "AUTH",
            Self::Stls => "STLS",
            Self::Utf8 => "UTF8",
            Self::Stat => "STAT",
            Self::List => "LIST",
            Self::Retr => "RETR",
            Self::Dele => "DELE",
            Self::Noop => "NOOP",
            Self::Rset => "RSET",
            Self::Top => "TOP",
            Self::Uidl => "UIDL",
            Self::Capa => "CAPA",
            Self::Lang => "LANG",
            Self::Quit => "QUIT",
            Self::Other => "",
        }
    }

    /// The verb of a keyword, in whatever case (RFC 1939 §3); [`Verb::Other`] for one that is not known.
    #[must_use]
    pub const fn from_keyword(keyword: &[u8]) -> Self {
        match *keyword {
            [a, b, c] => Self::from_four([a, b, c, b' ']),
            [_, _, _, b' '] => Self::Other,
            [a, b, c, d] => Self::from_four([a, b, c, d]),
            _ => Self::Other,
        }
    }

    /// The verb of four octets; of three and a space.
    #[inline(always)]
    pub(crate) const fn from_four(keyword: [u8; 4]) -> Self {
        const fn upper(keyword: [u8; 4]) -> u32 {
            u32::from_le_bytes(keyword) & 0xDFDF_DFDF
        }
        const USER: u32 = upper(*b"USER");
        const PASS: u32 = upper(*b"PASS");
        const APOP: u32 = upper(*b"APOP");
        const AUTH: u32 = upper(*b"AUTH");
        const STLS: u32 = upper(*b"STLS");
        const UTF8: u32 = upper(*b"UTF8");
        const STAT: u32 = upper(*b"STAT");
        const LIST: u32 = upper(*b"LIST");
        const RETR: u32 = upper(*b"RETR");
        const DELE: u32 = upper(*b"DELE");
        const NOOP: u32 = upper(*b"NOOP");
        const RSET: u32 = upper(*b"RSET");
        const TOP: u32 = upper(*b"TOP ");
        const UIDL: u32 = upper(*b"UIDL");
        const CAPA: u32 = upper(*b"CAPA");
        const LANG: u32 = upper(*b"LANG");
        const QUIT: u32 = upper(*b"QUIT");
        // Without the bit that tells its cases apart, a letter is still told from all that is none. What else must be what it
        // is says so itself.
        match upper(keyword) {
            USER => Self::User,
            PASS => Self::Pass,
            APOP => Self::Apop,
            AUTH => Self::Auth,
            STLS => Self::Stls,
            UTF8 if keyword[3] == b'8' => Self::Utf8,
            STAT => Self::Stat,
            LIST => Self::List,
            RETR => Self::Retr,
            DELE => Self::Dele,
            NOOP => Self::Noop,
            RSET => Self::Rset,
            TOP if keyword[3] == b' ' => Self::Top,
            UIDL => Self::Uidl,
            CAPA => Self::Capa,
            LANG => Self::Lang,
            QUIT => Self::Quit,
            _ => Self::Other,
        }
    }

    /// Whether the command carries credentials or begins to (USER, PASS, APOP, AUTH).
    #[must_use]
    pub const fn is_login(self) -> bool {
        matches!(self, Self::User | Self::Pass | Self::Apop | Self::Auth)
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "the command",
            known => known.keyword(),
        })
    }
}

/// What follows a `+OK`.
///
/// ```
/// use pop3_proto::{Command, Shape};
///
/// assert_eq!(Command::Capa.shape(), Shape::MultiLine);
/// assert_eq!(Command::Stat.shape(), Shape::SingleLine);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Shape {
    /// Nothing: the status line is the whole response.
    SingleLine,
    /// Lines, and a line that holds the termination octet alone (RFC 1939 §3: a multi-line response).
    MultiLine,
}
