//! Framing: where lines end and where message text ends. Nothing here knows a command.
//!
//! [`mod@line`] cuts octets into lines and holds back at most one unfinished line. [`dot`] is the byte-stuffing of
//! RFC 1939 §3: a line of a multi-line response that begins with the termination octet `.` gets a second one, and
//! CRLF `.` CRLF ends the response.
//!
//! The machines are built on this module; it is public for those who have their own framing, for proxies that pass
//! message text through, and for fuzzing.

pub mod dot;
pub mod line;
