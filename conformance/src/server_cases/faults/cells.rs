//! The cells of the matrix that are cases.

use super::strike::strike;
use crate::case::{ServerCase, Start};
use crate::fault_matrix::{Point, faults, rows};
use crate::mailbox::Mail;

faults! { $
    /// The command comes octet by octet. Nothing is wrong with that.
    Octets "octet-by-octet" must "RFC1939-3-007" "a command whose octets come one by one is the same command";
    /// The command and all that follows it come in one piece.
    OneWrite "one-write" must "RFC2449-6.6-001" "what comes in one piece with it is answered behind it";
    /// The command is cut, at each octet, and the connection closed.
    Cut "cut" must "RFC1939-6-003" "a command that the end of the connection cuts is none";
    /// The client leaves without reading the answer.
    Lost "lost" must "RFC1939-6-003" "a client that leaves without the answer harms nothing";
    /// A line of garbage stands before the command.
    GarbageBefore "garbage-before" must "RFC1939-3-035" "a line of garbage is refused, once";
    /// Octets that no command has stand within it.
    GarbageWithin "garbage-within" must "RFC1939-3-009" "octets that no command has make it none";
    /// An empty line stands before the command.
    EmptyLine "empty-line" must "RFC1939-3-037" "an empty line is refused, once";
    /// The keyword is almost right.
    Misspelt "misspelt" must "RFC1939-3-035" "a keyword that is almost right is refused";
    /// There are arguments too few or too many.
    Arguments "arguments" must "RFC1939-3-037" "arguments too few or too many are refused";
    /// The command comes twice.
    Twice "twice" must "RFC1939-5-002" "a command that comes twice has two answers";
    /// The command comes in the other state.
    WrongState "wrong-state" must "RFC1939-3-038" "a command in the other state does nothing";
    /// The command does not come, for a day.
    Missing "missing" must "RFC1939-3-041" "a client that is silent for a day is closed, and harms nothing"
        in memory, because "it takes ten minutes of real time";
    /// The line has 254, 255, 256 octets, and more around the sizes of buffers.
    Limits "limits" must "RFC2449-4-003" "lines around the limits have one answer each";
    /// The line does not end.
    EndlessLine "endless-line" must "RFC1939-3-037" "a line that does not end does nothing";
    /// The numbers are odd.
    Numbers "numbers" must "RFC1939-3-037" "what is no message-number of the maildrop is refused";
    /// The line ends in LF alone.
    LineFeeds "line-feeds" quirk "RFC1939-3-007" "LF alone ends no command";
    /// Octets in the clear behind STLS.
    Cleartext "cleartext" must "RFC2595-4-006" "octets in the clear behind it are never executed";
    /// The credentials are wrong, time and again.
    LoginRefused "login-refused" must "RFC1939-4-012" "wrong credentials log nobody in, time and again";
}

macro_rules! case {
    (($point:ident $name:literal $needs:expr) $fault:ident $called:literal $level:ident $requirement:literal $demand:literal
        $memory:expr) => {
        ServerCase::$level(
            concat!("fault/", $name, "/server-", $called),
            concat!("At ", $name, ": ", $demand),
            &[$requirement],
            |s| strike(s, Point::$point, Fault::$fault),
        )
        .from(Start::Connected)
        .with(&[Mail::First])
        .needs($needs)
        .memory_only($memory)
    };
}

/// The cells, row by row.
pub(crate) const CELLS: &[ServerCase] = rows! {
    Greeting "greeting" &["PIPELINING"] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt WrongState Missing Limits EndlessLine
    ]
    Capa "capa" &["CAPA"] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice Missing Limits EndlessLine
        LineFeeds
    ]
    Stls "stls" &["STLS"] => [
        Octets Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits EndlessLine
        Cleartext
    ]
    User "user" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine LineFeeds
    ]
    Pass "pass" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine LineFeeds LoginRefused
    ]
    Apop "apop" &["APOP"] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine LineFeeds LoginRefused
    ]
    Auth "auth" &["SASL"] => [
        Octets Cut Lost GarbageBefore GarbageWithin EmptyLine Twice WrongState Missing EndlessLine LoginRefused
    ]
    Stat "stat" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine LineFeeds
    ]
    Uidl "uidl" &["UIDL"] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine Numbers LineFeeds
    ]
    List "list" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine Numbers LineFeeds
    ]
    Retr "retr" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine Numbers LineFeeds
    ]
    Top "top" &["TOP"] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine Numbers LineFeeds
    ]
    Dele "dele" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Twice WrongState Missing Limits
        EndlessLine Numbers LineFeeds
    ]
    Quit "quit" &[] => [
        Octets OneWrite Cut Lost GarbageBefore GarbageWithin EmptyLine Misspelt Arguments Missing Limits EndlessLine LineFeeds
    ]
    AfterQuit "after-quit" &[] => [GarbageBefore Twice WrongState]
};
