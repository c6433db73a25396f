//! The nine mistakes that recur in every language.

mod framing;
mod session;
mod text;

pub use framing::CASES as FRAMING;
pub use session::CASES as SESSION;
pub use text::CASES as TEXT;
