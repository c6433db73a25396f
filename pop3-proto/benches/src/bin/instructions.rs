//! Does the work of every row whose name holds the argument once, so that callgrind can count it: `gate.py` runs this and says what it found.
//!
//! Prints a line for each row, in the order in which [`measured`] is called: name, unit, units, goal (or `-`), tab-separated.

fn main() {
    let only = std::env::args().nth(1).unwrap_or_default();
    for row in pop3_proto_benches::rows().into_iter().filter(|row| row.name.contains(&only)) {
        // Whatever happens only once in a process (what memchr finds out about the machine, the linker's first calls)
        // happens here.
        (row.prepare)()();
        let mut work = (row.prepare)();
        measured(&mut *work);
        let goal = row.goal.map_or_else(|| "-".to_owned(), |goal| goal.to_string());
        println!("{}\t{}\t{}\t{goal}", row.name, row.unit, row.units);
    }
}

/// Callgrind collects inside this function only, and writes what it collected when it returns.
#[inline(never)]
fn measured(work: &mut dyn FnMut()) {
    work();
    std::hint::black_box(()); // So that the call above is none that never comes back here.
}
