//! The fault matrix on the server's side: each point of a session, and what a client may get wrong there.
//!
//! Every cell is a case, `fault/POINT/server-FAULT`, or stands in [`BLANK`] with the reason why it does not apply.
//! [`SESSION`] has what goes wrong in more than one command.

mod blank;
mod cells;
mod session;
mod strike;

pub use blank::BLANK;
pub use cells::CELLS;
pub use session::SESSION;

/// Where in the session something goes wrong: with this command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    /// What comes before the greeting is read.
    Greeting,
    /// CAPA, before the login.
    Capa,
    /// STLS.
    Stls,
    /// USER.
    User,
    /// PASS.
    Pass,
    /// APOP.
    Apop,
    /// The response to the challenge of AUTH PLAIN.
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
enum Fault {
    /// The command comes octet by octet. Nothing is wrong with that.
    Octets,
    /// The command and all that follows it come in one piece.
    OneWrite,
    /// The command is cut, at each octet, and the connection closed.
    Cut,
    /// The client leaves without reading the answer.
    Lost,
    /// A line of garbage stands before the command.
    GarbageBefore,
    /// Octets that no command has stand within it.
    GarbageWithin,
    /// An empty line stands before the command.
    EmptyLine,
    /// The keyword is almost right.
    Misspelt,
    /// There are arguments too few or too many.
    Arguments,
    /// The command comes twice.
    Twice,
    /// The command comes in the other state.
    WrongState,
    /// The command does not come, for a day.
    Missing,
    /// The line has 254, 255, 256 octets, and more around the sizes of buffers.
    Limits,
    /// The line does not end.
    EndlessLine,
    /// The numbers are odd.
    Numbers,
    /// The line ends in LF alone.
    LineFeeds,
    /// Octets in the clear behind STLS.
    Cleartext,
    /// The credentials are wrong, time and again.
    LoginRefused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::ServerCase;
    use std::collections::BTreeSet;

    fn cell(case: &ServerCase) -> (&'static str, &'static str) {
        case.id.strip_prefix("fault/").and_then(|rest| rest.split_once("/server-")).unwrap()
    }

    #[test]
    fn each_fault_is_a_case_at_each_point_or_says_why_not() {
        let mut cases: BTreeSet<_> = CELLS.iter().map(cell).collect();
        let points: BTreeSet<_> = cases.iter().map(|(point, _)| *point).collect();
        let mut faults: BTreeSet<_> = cases.iter().map(|(_, fault)| *fault).collect();
        // It needs a server that is set up for it.
        assert!(faults.insert("false-end"));
        cases
            .extend(SESSION.iter().map(cell).filter(|(point, fault)| points.contains(point) && faults.contains(fault)));
        let mut blank = BTreeSet::new();
        for (fault, points, why) in BLANK {
            assert!(!why.is_empty());
            for point in *points {
                assert!(blank.insert((*point, *fault)), "{point} {fault} stands twice");
            }
        }
        assert!(cases.is_disjoint(&blank), "{:?}", cases.intersection(&blank).collect::<Vec<_>>());
        assert_eq!((points.len(), faults.len()), (15, 19));
        for cell in points.iter().flat_map(|point| faults.iter().map(move |fault| (*point, *fault))) {
            assert!(cases.contains(&cell) || blank.contains(&cell), "{cell:?}");
        }
    }
}
