//! What an oracle says.

use std::fmt;

/// What an oracle says: nothing, or what was broken.
pub type Verdict = Result<(), Finding>;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The promise, by its number (`P18`), or by the sentence that names it.
    pub promise: &'static str,
    /// What was expected, and what was seen.
    pub what: String,
}

impl Finding {
    /// A finding that shows two values which should be the same.
    pub fn differ(promise: &'static str, of: &str, expected: &dyn fmt::Debug, got: &dyn fmt::Debug) -> Self {
        Self { promise, what: format!("{of}\n  expected: {expected:?}\n       got: {got:?}") }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is broken: {}", self.promise, self.what)
    }
}

impl std::error::Error for Finding {}

/// Whether there is anything to be read; no more is written than it takes to know that.
pub(crate) fn has_words(value: &impl fmt::Display) -> bool {
    struct First(bool);
    impl fmt::Write for First {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 |= !text.is_empty();
            if self.0 { Err(fmt::Error) } else { Ok(()) }
        }
    }
    let mut first = First(false);
    let _ = fmt::write(&mut first, format_args!("{value}"));
    first.0
}

/// Fails with the promise and the words unless the condition holds.
macro_rules! ensure {
    ($holds:expr, $promise:expr, $($words:tt)+) => {
        if !$holds {
            return Err($crate::Finding { promise: $promise, what: format!($($words)+) });
        }
    };
}

/// Fails with the promise and both values unless they are the same.
macro_rules! same {
    ($expected:expr, $got:expr, $promise:expr, $of:expr) => {
        match (&$expected, &$got) {
            (expected, got) if *expected == *got => {}
            (expected, got) => return Err($crate::Finding::differ($promise, &$of.to_string(), expected, got)),
        }
    };
}

pub(crate) use {ensure, same};
