//! The cells of the matrix that are cases.

use super::strike::strike;
use crate::case::ClientCase;
use crate::fault_matrix::{Point, faults, rows};
use crate::peer::fetcher::JobLogin;

faults! { $
    /// The answer comes octet by octet. Nothing is wrong with that.
    Octets "octet-by-octet" must "RFC1939-3-026" "an answer whose octets come one by one is the same answer";
    /// The answer is cut, at a few places, and the connection closed.
    Cut "cut" must "RFC1939-3-028" "an answer that the end of the connection cuts is none";
    /// The same at every octet.
    CutEverywhere "cut-everywhere" must "RFC1939-3-028" "an answer is none, at whichever octet it is cut"
        in memory, because "over TCP the cuts of the other case are enough";
    /// A line of garbage stands before the answer.
    GarbageBefore "garbage-before" must "RFC1939-3-020" "a line without a status is no answer, and is not skipped";
    /// A line of garbage stands between the lines of the answer.
    GarbageWithin "garbage-within" must "RFC1939-5-019" "garbage between the lines of an answer shifts nothing";
    /// An empty line stands before the answer.
    EmptyLine "empty-line" must "RFC1939-3-020" "an empty line is no answer";
    /// The status is a word that there is not.
    WrongStatus "wrong-status" must "RFC1939-3-020" "a status that there is not is no success";
    /// `-ERR` in place of `+OK`.
    Refused "refused" must "RFC1939-3-020" "-ERR is an answer, and no success";
    /// The answer comes twice.
    Twice "twice" must "RFC1939-3-003" "an answer that comes twice shifts nothing";
    /// The answer does not come, and the connection stays open.
    Missing "missing" should "RFC1939-3-003" "an answer that does not come is given up some time"
        in memory, because "it takes as long as the client's patience";
    /// The answer to the next command comes along with this one.
    Early "early" must "RFC1939-3-003" "an answer that comes before its command is none";
    /// The first line has 511 or 512 octets, which the RFCs allow.
    AtTheLimit "at-the-limit" must "RFC1939-3-019" "first lines of 511 and of 512 octets are accepted";
    /// The first line has 513, 5120, 8192, 8193 or 81920 octets.
    BeyondTheLimit "beyond-the-limit" must "RFC1939-3-019" "a first line beyond 512 octets is one line, or the end";
    /// The first line does not end.
    EndlessLine "endless-line" should "RFC1939-3-019" "a line that does not end is given up";
    /// The lines behind the first do not end.
    EndlessRows "endless-rows" must "RFC1939-3-028" "a response that goes on and on, and breaks off, is none";
    /// The numbers are odd.
    Numbers "numbers" must "RFC1939-5-019" "odd numbers are refused, or read as what they are";
    /// Lines that look like the end, and are not.
    FalseEnd "false-end" must "RFC1939-3-028" "what only looks like the end ends nothing";
    /// NUL, 8-bit octets and bare CR in the first line.
    OddOctets "odd-octets" must "RFC1939-3-016" "8-bit octets, NUL and bare CR in a text end nothing";
    /// Every line ends in LF alone.
    LineFeeds "line-feeds" quirk "RFC1939-3-028" "an answer whose lines all end in LF";
    /// Octets in the clear behind the answer to STLS.
    Cleartext "cleartext" must "RFC2595-4-007" "octets in the clear behind it are no response inside TLS";
    /// The capability list promises what is then refused.
    Lies "lies" must "RFC1939-3-039" "what is announced and then refused shifts nothing";
    /// The unique-ids are odd.
    UniqueIds "unique-ids" must "RFC1939-7-019" "odd unique-ids shift nothing";
    /// The login is refused, in several ways.
    LoginRefused "login-refused" must "RFC1939-4-013" "a login that is refused is none";
    /// The connection is lost in the middle of the exchange.
    Lost "lost" must "RFC1939-4-013" "a connection that is lost in the exchange is a failure";
}

macro_rules! case {
    (($point:ident $name:literal $job:expr) $fault:ident $called:literal $level:ident $requirement:literal $demand:literal
        $memory:expr) => {
        ClientCase::$level(
            concat!("fault/", $name, "/client-", $called),
            concat!("At ", $name, ": ", $demand),
            &[$requirement],
            |c| strike(c, Point::$point, Fault::$fault),
        )
        .job($job)
        .memory_only($memory)
    };
}

/// The cells, row by row.
pub(crate) const CASES: &[ClientCase] = rows! {
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
