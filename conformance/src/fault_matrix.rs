//! What the fault matrices of both sides share: the points of a session, the cells that are blank, and how a table becomes
//! cases.
//!
//! The matrices are [`server_cases::faults`](crate::server_cases::faults) and
//! [`client_cases::faults`](crate::client_cases::faults): each point of a session, and what the other side may get wrong there.

use crate::case::Role;

/// Where in the session something goes wrong: with this command of a client, or with a server's answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// The greeting, and what a client says before it has read it.
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
    /// AUTH: the challenge and the response.
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

/// The points as the ids of cases name them, in their order.
pub(crate) const POINTS: [&str; 15] = [
    "greeting",
    "capa",
    "stls",
    "user",
    "pass",
    "apop",
    "auth",
    "stat",
    "uidl",
    "list",
    "retr",
    "top",
    "dele",
    "quit",
    "after-quit",
];

/// A fault that is no case at some points, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blank {
    /// What goes wrong: `cut`, `limits`.
    pub(crate) fault: &'static str,
    /// Why it does not apply there.
    pub(crate) why: &'static str,
    named: &'static [&'static str],
    elsewhere: bool,
}

impl Blank {
    /// No case at these points.
    pub(crate) const fn at(fault: &'static str, points: &'static [&'static str], why: &'static str) -> Self {
        Self { fault, why, named: points, elsewhere: false }
    }

    /// A case at these points alone.
    pub(crate) const fn but_at(fault: &'static str, points: &'static [&'static str], why: &'static str) -> Self {
        Self { fault, why, named: points, elsewhere: true }
    }

    /// The points at which it is no case.
    pub(crate) fn points(&self) -> impl Iterator<Item = &'static str> {
        let (named, elsewhere) = (self.named, self.elsewhere);
        POINTS.into_iter().filter(move |point| named.contains(point) != elsewhere)
    }
}

/// Behind the answer to QUIT.
pub(crate) const BEHIND: &[&str] = &["after-quit"];

/// The point and the fault that a case's id names, if the case is one of the faults.
pub(crate) fn place(id: &str, role: Role) -> Option<(&str, &str)> {
    let (point, rest) = id.strip_prefix("fault/")?.split_once('/')?;
    Some((point, rest.strip_prefix(role.word())?.strip_prefix('-')?))
}

/// The faults of a matrix, each with its name in an id, its weight, its requirement, what is demanded and, where it runs in
/// memory alone, why. Makes the type `Fault` and the macro `cell!`, which hands a point and all this to `case!`. The dollar
/// in front is for the macro within the macro.
macro_rules! faults {
    ($dollar:tt $($(#[$doc:meta])* $fault:ident $called:literal $level:ident $requirement:literal $demand:literal
        $(in memory, because $why:literal)?;)*) => {
        /// What goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Fault {
            $($(#[$doc])* $fault,)*
        }

        macro_rules! cell {
            $(($dollar point:tt $fault) => {
                case!($dollar point $fault $called $level $requirement $demand concat!("" $(, $why)?))
            };)*
        }
    };
}

/// The cells of a matrix, row by row: the point, its name, what its cases need, and the faults.
macro_rules! rows {
    ($($point:ident $name:literal $needs:expr => [$($fault:ident)*])*) => {
        &[$($(cell!(($point $name $needs) $fault)),*),*]
    };
}

pub(crate) use {faults, rows};

/// Each fault is a case at each point, or says why not.
#[cfg(test)]
pub(crate) fn assert_complete<'c>(cases: impl Iterator<Item = (&'c str, &'c str)>, blank: &[Blank], faults: usize) {
    use std::collections::BTreeSet;
    let cases: BTreeSet<_> = cases.collect();
    let mut all = cases.clone();
    for blank in blank {
        assert!(!blank.why.is_empty());
        assert!(blank.named.iter().all(|point| POINTS.contains(point)), "{blank:?}");
        for point in blank.points() {
            assert!(all.insert((point, blank.fault)), "{point} {} stands twice", blank.fault);
        }
    }
    let named: BTreeSet<_> = cases.iter().map(|(_, fault)| *fault).collect();
    assert_eq!(named.len(), faults);
    for cell in POINTS.iter().flat_map(|point| named.iter().map(move |fault| (*point, *fault))) {
        assert!(all.remove(&cell), "{cell:?} is neither a case nor blank");
    }
    assert!(all.is_empty(), "they are at no point, or of no fault: {all:?}");
}
