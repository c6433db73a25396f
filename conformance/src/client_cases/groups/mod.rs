//! The nine mistakes that recur in every language.

mod framing;
mod session;
mod text;

pub(crate) use framing::CASES as FRAMING;
pub(crate) use session::CASES as SESSION;
pub(crate) use text::CASES as TEXT;
