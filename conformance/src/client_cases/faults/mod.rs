//! The fault matrix: each point of a session, and what a server may get wrong there.
//!
//! Every cell is a case, `fault/POINT/client-FAULT`, or stands in [`BLANK`] with the reason why it does not apply.

mod blank;
mod cells;
mod strike;

pub(crate) use blank::BLANK;
pub(crate) use cells::CASES;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Role;
    use crate::fault_matrix::{assert_complete, place};

    #[test]
    fn each_fault_is_a_case_at_each_point_or_says_why_not() {
        assert_complete(CASES.iter().filter_map(|case| place(case.id, Role::Client)), BLANK, 24);
    }
}
