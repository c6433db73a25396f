//! The fault matrix: each point of a session, and what a server may get wrong there.
//!
//! Every cell is a case, `fault/POINT/client-FAULT`, or stands in [`BLANK`] with the reason why it does not apply.

mod blank;
mod cells;
mod strike;

pub use blank::BLANK;
pub use cells::CASES;

/// Where in the session something goes wrong: the answer to this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The connection: the greeting.
    Greeting,
    /// CAPA.
    Capa,
    /// STLS.
    Stls,
    /// USER.
    User,
    /// PASS.
    Pass,
    /// APOP.
    Apop,
    /// AUTH, and the responses that follow it.
    Auth,
    /// STAT.
    Stat,
    /// UIDL.
    Uidl,
    /// LIST.
    List,
    /// RETR.
    Retr,
    /// TOP.
    Top,
    /// DELE.
    Dele,
    /// QUIT.
    Quit,
    /// Behind the answer to QUIT.
    AfterQuit,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer comes octet by octet. Nothing is wrong with that.
    Octets,
    /// The answer is cut, at a few places, and the connection closed.
    Cut,
    /// The same at every octet.
    CutEverywhere,
    /// A line of garbage stands before the answer.
    GarbageBefore,
    /// A line of garbage stands between the lines of the answer.
    GarbageWithin,
    /// An empty line stands before the answer.
    EmptyLine,
    /// The status is a word that there is not.
    WrongStatus,
    /// `-ERR` in place of `+OK`.
    Refused,
    /// The answer comes twice.
    Twice,
    /// The answer does not come, and the connection stays open.
    Missing,
    /// The answer to the next command comes along with this one.
    Early,
    /// The first line has 511 or 512 octets, which the RFCs allow.
    AtTheLimit,
    /// The first line has 513, 5120, 8192, 8193 or 81920 octets.
    BeyondTheLimit,
    /// The first line does not end.
    EndlessLine,
    /// The lines behind the first do not end.
    EndlessRows,
    /// The numbers are odd.
    Numbers,
    /// Lines that look like the end, and are not.
    FalseEnd,
    /// NUL, 8-bit octets and bare CR in the first line.
    OddOctets,
    /// Every line ends in LF alone.
    LineFeeds,
    /// Octets in the clear behind the answer to STLS.
    Cleartext,
    /// The capability list promises what is then refused.
    Lies,
    /// The unique-ids are odd.
    UniqueIds,
    /// The login is refused, in several ways.
    LoginRefused,
    /// The connection is lost in the middle of the exchange.
    Lost,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_fault_is_a_case_at_each_point_or_says_why_not() {
        let cell = |case: &crate::case::ClientCase| {
            let (point, fault) = case.id.strip_prefix("fault/").and_then(|rest| rest.split_once("/client-")).unwrap();
            (point, fault)
        };
        let cases: BTreeSet<_> = CASES.iter().map(cell).collect();
        let mut blank = BTreeSet::new();
        for (fault, points, why) in BLANK {
            assert!(!why.is_empty());
            for point in *points {
                assert!(blank.insert((*point, *fault)), "{point} {fault} stands twice");
            }
        }
        assert!(cases.is_disjoint(&blank), "{:?}", cases.intersection(&blank).collect::<Vec<_>>());
        let points: BTreeSet<_> = cases.iter().map(|(point, _)| *point).collect();
        let faults: BTreeSet<_> = cases.iter().map(|(_, fault)| *fault).collect();
        assert_eq!((points.len(), faults.len()), (15, 24));
        for cell in points.iter().flat_map(|point| faults.iter().map(move |fault| (*point, *fault))) {
            assert!(cases.contains(&cell) || blank.contains(&cell), "{cell:?}");
        }
    }
}
