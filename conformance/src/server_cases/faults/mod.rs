//! The fault matrix on the server's side: each point of a session, and what a client may get wrong there.
//!
//! Every cell is a case, `fault/POINT/server-FAULT`, or stands in [`BLANK`] with the reason why it does not apply.
//! [`SESSION`] has what goes wrong in more than one command.

mod blank;
mod cells;
mod session;
mod strike;

pub(crate) use blank::BLANK;
pub(crate) use cells::CELLS;
pub(crate) use session::SESSION;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Role;
    use crate::fault_matrix::{POINTS, assert_complete, place};

    #[test]
    fn each_fault_is_a_case_at_each_point_or_says_why_not() {
        let cells = || CELLS.iter().filter_map(|case| place(case.id, Role::Server));
        // Some cells are in the other list: they need a server that is set up for it.
        let in_matrix = |fault| fault == "false-end" || cells().any(|(_, known)| known == fault);
        let session = SESSION.iter().filter_map(|case| place(case.id, Role::Server));
        let more = session.filter(|(point, fault)| POINTS.contains(point) && in_matrix(*fault));
        assert_complete(cells().chain(more), BLANK, 19);
    }
}
