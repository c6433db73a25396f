//! The cells of the matrix that are cases.

use super::strike::strike;
use super::{Fault, Point};
use crate::case::ClientCase;
use crate::peer::fetcher::JobLogin;

/// One row of the matrix: the point, its name, what our own client is to do, and the faults.
macro_rules! rows {
    ($($point:ident $name:literal $job:expr => [$($fault:ident)*])*) => {
        &[$($(cell!($point $name $job; $fault)),*),*]
    };
}

/// One cell: the fault's name, its requirement, its weight, what is demanded, and why it stays in memory if it does.
macro_rules! cell {
    ($point:ident $name:literal $job:expr; Octets) => {
        case!($point $name $job; Octets "octet-by-octet" ["RFC1939-3-026"] must "an answer whose octets come one by one is the same answer" "")
    };
    ($point:ident $name:literal $job:expr; Cut) => {
        case!($point $name $job; Cut "cut" ["RFC1939-3-028"] must "an answer that the end of the connection cuts is none" "")
    };
    ($point:ident $name:literal $job:expr; CutEverywhere) => {
        case!($point $name $job; CutEverywhere "cut-everywhere" ["RFC1939-3-028"] must "an answer is none, at whichever octet it is cut"
            "over TCP the cuts of the other case are enough")
    };
    ($point:ident $name:literal $job:expr; GarbageBefore) => {
        case!($point $name $job; GarbageBefore "garbage-before" ["RFC1939-3-020"] must "a line without a status is no answer, and is not skipped" "")
    };
    ($point:ident $name:literal $job:expr; GarbageWithin) => {
        case!($point $name $job; GarbageWithin "garbage-within" ["RFC1939-5-019"] must "garbage between the lines of an answer shifts nothing" "")
    };
    ($point:ident $name:literal $job:expr; EmptyLine) => {
        case!($point $name $job; EmptyLine "empty-line" ["RFC1939-3-020"] must "an empty line is no answer" "")
    };
    ($point:ident $name:literal $job:expr; WrongStatus) => {
        case!($point $name $job; WrongStatus "wrong-status" ["RFC1939-3-020"] must "a status that there is not is no success" "")
    };
    ($point:ident $name:literal $job:expr; Refused) => {
        case!($point $name $job; Refused "refused" ["RFC1939-3-020"] must "-ERR is an answer, and no success" "")
    };
    ($point:ident $name:literal $job:expr; Twice) => {
        case!($point $name $job; Twice "twice" ["RFC1939-3-003"] must "an answer that comes twice shifts nothing" "")
    };
    ($point:ident $name:literal $job:expr; Missing) => {
        case!($point $name $job; Missing "missing" ["RFC1939-3-003"] should "an answer that does not come is given up some time"
            "it takes as long as the client's patience")
    };
    ($point:ident $name:literal $job:expr; Early) => {
        case!($point $name $job; Early "early" ["RFC1939-3-003"] must "an answer that comes before its command is none" "")
    };
    ($point:ident $name:literal $job:expr; AtTheLimit) => {
        case!($point $name $job; AtTheLimit "at-the-limit" ["RFC1939-3-019"] must "first lines of 511 and of 512 octets are accepted" "")
    };
    ($point:ident $name:literal $job:expr; BeyondTheLimit) => {
        case!($point $name $job; BeyondTheLimit "beyond-the-limit" ["RFC1939-3-019"] must "a first line beyond 512 octets is one line, or the end" "")
    };
    ($point:ident $name:literal $job:expr; EndlessLine) => {
        case!($point $name $job; EndlessLine "endless-line" ["RFC1939-3-019"] should "a line that does not end is given up" "")
    };
    ($point:ident $name:literal $job:expr; EndlessRows) => {
        case!($point $name $job; EndlessRows "endless-rows" ["RFC1939-3-028"] must "a response that goes on and on, and breaks off, is none" "")
    };
    ($point:ident $name:literal $job:expr; Numbers) => {
        case!($point $name $job; Numbers "numbers" ["RFC1939-5-019"] must "odd numbers are refused, or read as what they are" "")
    };
    ($point:ident $name:literal $job:expr; FalseEnd) => {
        case!($point $name $job; FalseEnd "false-end" ["RFC1939-3-028"] must "what only looks like the end ends nothing" "")
    };
    ($point:ident $name:literal $job:expr; OddOctets) => {
        case!($point $name $job; OddOctets "odd-octets" ["RFC1939-3-016"] must "8-bit octets, NUL and bare CR in a text end nothing" "")
    };
    ($point:ident $name:literal $job:expr; LineFeeds) => {
        case!($point $name $job; LineFeeds "line-feeds" ["RFC1939-3-028"] quirk "an answer whose lines all end in LF" "")
    };
    ($point:ident $name:literal $job:expr; Cleartext) => {
        case!($point $name $job; Cleartext "cleartext" ["RFC2595-4-007"] must "octets in the clear behind it are no response inside TLS" "")
    };
    ($point:ident $name:literal $job:expr; Lies) => {
        case!($point $name $job; Lies "lies" ["RFC1939-3-039"] must "what is announced and then refused shifts nothing" "")
    };
    ($point:ident $name:literal $job:expr; UniqueIds) => {
        case!($point $name $job; UniqueIds "unique-ids" ["RFC1939-7-019"] must "odd unique-ids shift nothing" "")
    };
    ($point:ident $name:literal $job:expr; LoginRefused) => {
        case!($point $name $job; LoginRefused "login-refused" ["RFC1939-4-013"] must "a login that is refused is none" "")
    };
    ($point:ident $name:literal $job:expr; Lost) => {
        case!($point $name $job; Lost "lost" ["RFC1939-4-013"] must "a connection that is lost in the exchange is a failure" "")
    };
}

macro_rules! case {
    ($point:ident $name:literal $job:expr; $fault:ident $called:literal [$($id:literal)*] $level:ident $demand:literal $memory:literal) => {
        ClientCase::$level(
            concat!("fault/", $name, "/client-", $called),
            concat!("At ", $name, ": ", $demand),
            &[$($id),*],
            |c| strike(c, Point::$point, Fault::$fault),
        )
        .job($job)
        .memory_only($memory)
    };
}

/// The cells, row by row.
pub const CASES: &[ClientCase] = rows! {
    Greeting "greeting" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine OddOctets LineFeeds
    ]
    Capa "capa" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore GarbageWithin EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit
        BeyondTheLimit EndlessLine EndlessRows FalseEnd OddOctets LineFeeds Lies
    ]
    Stls "stls" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing AtTheLimit BeyondTheLimit EndlessLine
        OddOctets Cleartext
    ]
    User "user" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine OddOctets LineFeeds
    ]
    Pass "pass" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine OddOctets LineFeeds LoginRefused
    ]
    Apop "apop" |job| job.login = JobLogin::Apop => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine OddOctets LoginRefused
    ]
    Auth "auth" |job| job.login = JobLogin::Login => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Missing EndlessLine LoginRefused Lost
    ]
    Stat "stat" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine Numbers LineFeeds
    ]
    Uidl "uidl" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore GarbageWithin EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit
        BeyondTheLimit EndlessLine EndlessRows Numbers FalseEnd OddOctets LineFeeds UniqueIds
    ]
    List "list" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore GarbageWithin EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit
        BeyondTheLimit EndlessLine EndlessRows Numbers FalseEnd OddOctets LineFeeds
    ]
    Retr "retr" |_| {} => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine EndlessRows FalseEnd OddOctets LineFeeds
    ]
    Top "top" |job| job.top = Some(20) => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine EndlessRows FalseEnd OddOctets LineFeeds
    ]
    Dele "dele" |job| job.delete = true => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Twice Missing Early AtTheLimit BeyondTheLimit
        EndlessLine OddOctets LineFeeds
    ]
    Quit "quit" |job| job.delete = true => [
        Octets Cut CutEverywhere GarbageBefore EmptyLine WrongStatus Refused Missing AtTheLimit BeyondTheLimit
        EndlessLine OddOctets LineFeeds
    ]
    AfterQuit "after-quit" |job| job.delete = true => [GarbageBefore Twice]
};
