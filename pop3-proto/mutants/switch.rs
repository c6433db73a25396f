//! Which mutant is on. `run.py` puts this file into `pop3-proto/src`; `src/main.rs` writes the calls.

extern crate std;
use core::sync::atomic::{AtomicBool, Ordering};
use std::{env, fs::OpenOptions, io::Write, string::String, sync::LazyLock};

/// With this in MUTANT no mutant is on, and MUTANTS_REACHED names a file for the numbers of those that were asked for.
const RECORD: u32 = u32::MAX;

static CHOSEN: LazyLock<u32> = LazyLock::new(|| env::var("MUTANT").ok().and_then(|id| id.parse().ok()).unwrap_or(0));
static RECORD_TO: LazyLock<Option<String>> = LazyLock::new(|| env::var("MUTANTS_REACHED").ok());
static REACHED: [AtomicBool; 8192] = [const { AtomicBool::new(false) }; 8192];

/// Whether the mutant is on: never where the compiler evaluates a constant.
pub(crate) const fn on(id: u32) -> bool {
    core::intrinsics::const_eval_select((id,), never, at_run_time)
}

const fn never(_: u32) -> bool {
    false
}

fn at_run_time(id: u32) -> bool {
    let chosen = *CHOSEN;
    if chosen == RECORD && !REACHED[id as usize].load(Ordering::Relaxed) {
        record(id);
    }
    chosen == id
}

#[inline(never)]
fn record(id: u32) {
    if !REACHED[id as usize].swap(true, Ordering::Relaxed) {
        let mut file = OpenOptions::new().create(true).append(true).open(RECORD_TO.as_ref().unwrap()).unwrap();
        writeln!(file, "{id}").unwrap();
    }
}

/// An iterator, or what takes its place: a function that returns `impl Iterator` has to return one type.
#[derive(Clone, Debug)]
pub(crate) struct Either<A, B>(pub(crate) Option<A>, pub(crate) B);

impl<A: Iterator<Item = B::Item>, B: Iterator> Iterator for Either<A, B> {
    type Item = B::Item;

    fn next(&mut self) -> Option<B::Item> {
        match &mut self.0 {
            Some(other) => other.next(),
            None => self.1.next(),
        }
    }
}
