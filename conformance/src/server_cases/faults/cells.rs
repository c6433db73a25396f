//! The cells of the matrix that are cases.

use super::strike::strike;
use super::{Fault, Point};
use crate::case::{ServerCase, Start};
use crate::mailbox::Mail;

/// One row of the matrix: the point, its name, what the server must announce, and the faults.
macro_rules! rows {
    ($($point:ident $name:literal $needs:expr => [$($fault:ident)*])*) => {
        &[$($(cell!($point $name $needs; $fault)),*),*]
    };
}

/// One cell: the fault's name, its weight, what is demanded, the requirement, and why it stays in memory if it does.
macro_rules! cell {
    ($point:ident $name:literal $needs:expr; Octets) => {
        case!($point $name $needs; Octets "octet-by-octet" must "a command whose octets come one by one is the same command"
            "RFC1939-3-007" "")
    };
    ($point:ident $name:literal $needs:expr; OneWrite) => {
        case!($point $name $needs; OneWrite "one-write" must "what comes in one piece with it is answered behind it"
            "RFC2449-6.6-001" "")
    };
    ($point:ident $name:literal $needs:expr; Cut) => {
        case!($point $name $needs; Cut "cut" must "a command that the end of the connection cuts is none"
            "RFC1939-6-003" "")
    };
    ($point:ident $name:literal $needs:expr; Lost) => {
        case!($point $name $needs; Lost "lost" must "a client that leaves without the answer harms nothing"
            "RFC1939-6-003" "")
    };
    ($point:ident $name:literal $needs:expr; GarbageBefore) => {
        case!($point $name $needs; GarbageBefore "garbage-before" must "a line of garbage is refused, once"
            "RFC1939-3-035" "")
    };
    ($point:ident $name:literal $needs:expr; GarbageWithin) => {
        case!($point $name $needs; GarbageWithin "garbage-within" must "octets that no command has make it none"
            "RFC1939-3-009" "")
    };
    ($point:ident $name:literal $needs:expr; EmptyLine) => {
        case!($point $name $needs; EmptyLine "empty-line" must "an empty line is refused, once" "RFC1939-3-037" "")
    };
    ($point:ident $name:literal $needs:expr; Misspelt) => {
        case!($point $name $needs; Misspelt "misspelt" must "a keyword that is almost right is refused"
            "RFC1939-3-035" "")
    };
    ($point:ident $name:literal $needs:expr; Arguments) => {
        case!($point $name $needs; Arguments "arguments" must "arguments too few or too many are refused"
            "RFC1939-3-037" "")
    };
    ($point:ident $name:literal $needs:expr; Twice) => {
        case!($point $name $needs; Twice "twice" must "a command that comes twice has two answers" "RFC1939-5-002" "")
    };
    ($point:ident $name:literal $needs:expr; WrongState) => {
        case!($point $name $needs; WrongState "wrong-state" must "a command in the other state does nothing"
            "RFC1939-3-038" "")
    };
    ($point:ident $name:literal $needs:expr; Missing) => {
        case!($point $name $needs; Missing "missing" must "a client that is silent for a day is closed, and harms nothing"
            "RFC1939-3-041" "it takes ten minutes of real time")
    };
    ($point:ident $name:literal $needs:expr; Limits) => {
        case!($point $name $needs; Limits "limits" must "lines around the limits have one answer each" "RFC2449-4-003" "")
    };
    ($point:ident $name:literal $needs:expr; EndlessLine) => {
        case!($point $name $needs; EndlessLine "endless-line" must "a line that does not end does nothing"
            "RFC1939-3-037" "")
    };
    ($point:ident $name:literal $needs:expr; Numbers) => {
        case!($point $name $needs; Numbers "numbers" must "what is no message-number of the maildrop is refused"
            "RFC1939-3-037" "")
    };
    ($point:ident $name:literal $needs:expr; LineFeeds) => {
        case!($point $name $needs; LineFeeds "line-feeds" quirk "LF alone ends no command" "RFC1939-3-007" "")
    };
    ($point:ident $name:literal $needs:expr; Cleartext) => {
        case!($point $name $needs; Cleartext "cleartext" must "octets in the clear behind it are never executed"
            "RFC2595-4-006" "")
    };
    ($point:ident $name:literal $needs:expr; LoginRefused) => {
        case!($point $name $needs; LoginRefused "login-refused" must "wrong credentials log nobody in, time and again"
            "RFC1939-4-012" "")
    };
}

macro_rules! case {
    ($point:ident $name:literal $needs:expr; $fault:ident $called:literal $level:ident $demand:literal $requirement:literal
        $memory:literal) => {
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
pub const CELLS: &[ServerCase] = rows! {
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
