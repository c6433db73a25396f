//! Times the rows of message text beside memcpy, memchr and memmem over the same chunks, in the same run, and prints a table:
//!
//! ```text
//! cargo run --release --manifest-path pop3-proto/benches/Cargo.toml --bin ratios [--rounds NUMBER] [TEXT]
//! ```
//!
//! With TEXT, only the rows whose name holds it. `--no-default-features` is pop3-proto, and memchr, without `std`.
//!
//! A ratio is the time of the yardstick over the time of the row: above 1, the row is faster. Yardsticks and row take turns
//! of some hundred microseconds, in an order that changes from round to round, and each round gives one ratio. The table has
//! the medians: what else runs on the machine lengthens single turns, and slows both sides of the others alike. That is why no
//! bench harness is used here: those measure one function for seconds and then the next one, which on a machine that is not
//! idle compares two different seconds.

use pop3_proto_benches::{Reads, Row, rows};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Each turn does a thing as often as it takes to fill this.
const TURN: Duration = Duration::from_micros(200);
const ROUNDS: usize = 101;

/// What is known of a row whose time has a goal: the row, the yardstick, the ratio.
const GOALS: [(&str, usize, f64); 6] = [
    ("client next_event, base64, reads of 16384", COPY, 1.2),
    ("client body, base64, reads of 16384", COPY, 1.2),
    ("client next_event, text, reads of 16384", PAIR, 0.9),
    ("client body, text, reads of 16384", PAIR, 0.9),
    ("client next_event, text, whole", PAIR, 0.9),
    ("client body, text, whole", PAIR, 0.9),
];

const COPY: usize = 0;
const OCTET: usize = 1;
const PAIR: usize = 2;
const YARDSTICKS: [&str; 3] = ["memcpy", "memchr", "memmem"];

fn main() {
    let (mut rounds, mut only) = (ROUNDS, String::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            rounds = arguments.next().and_then(|number| number.parse().ok()).expect("--rounds NUMBER");
        } else {
            only = argument;
        }
    }
    println!("| row | GB/s | of memcpy | of memchr | of memmem | goal |");
    println!("|---|---|---|---|---|---|");
    for row in rows().iter().filter(|row| row.name.contains(&only)) {
        let Some(reads) = &row.reads else { continue };
        let (speed, ratios) = measure(row, reads, rounds);
        let [copy, octet, pair] = ratios.map(|ratio| format!("{ratio:.2}"));
        println!("| {} | {speed:.2} | {copy} | {octet} | {pair} | {} |", row.name, goal(&row.name, ratios));
    }
}

fn goal(name: &str, ratios: [f64; 3]) -> String {
    GOALS.iter().filter(|goal| goal.0 == name).fold(String::new(), |shown, &(_, yardstick, goal)| {
        let missed = if ratios[yardstick] < goal { " (missed)" } else { "" };
        format!("{shown}{goal:.2} of {}{missed}", YARDSTICKS[yardstick])
    })
}

/// The row's speed in octets a nanosecond, and its ratio to each yardstick.
fn measure(row: &Row, reads: &Reads, rounds: usize) -> (f64, [f64; 3]) {
    let mut things = [yardstick(COPY, reads), yardstick(OCTET, reads), yardstick(PAIR, reads), (row.prepare)()];
    let times: [u32; 4] = std::array::from_fn(|at| repetitions(&mut *things[at]));
    let mut samples: [Vec<f64>; 4] = Default::default();
    for round in 0..rounds {
        let mut took = [0.0_f64; 4];
        for turn in 0..things.len() {
            let at = (turn + round) % things.len();
            took[at] = time(&mut *things[at], times[at]).as_secs_f64() / f64::from(times[at]);
        }
        for (sample, yardstick) in samples.iter_mut().zip(took) {
            sample.push(yardstick / took[3]);
        }
        // (The row's ratio to itself says nothing: its place is for the speed.)
        samples[3][round] = row.units as f64 / took[3] / 1e9;
    }
    let [copy, octet, pair, speed] = samples.map(median);
    (speed, [copy, octet, pair])
}

/// The work of a yardstick: what it does with each chunk is the least that anybody could do with it.
fn yardstick(which: usize, reads: &Reads) -> Box<dyn FnMut()> {
    let (text, read) = (reads.text.clone(), reads.read);
    let mut copy = vec![0_u8; read];
    // Every hit is found: the search goes through the whole chunk.
    let finder = memchr::memmem::Finder::new(b"\n.").into_owned();
    match which {
        COPY => Box::new(move || {
            for chunk in text.chunks(read) {
                black_box(&mut copy)[..chunk.len()].copy_from_slice(chunk);
            }
        }),
        OCTET => Box::new(move || {
            for chunk in text.chunks(read) {
                black_box(memchr::memchr_iter(0, black_box(chunk)).next());
            }
        }),
        _ => Box::new(move || {
            for chunk in text.chunks(read) {
                let mut rest = black_box(chunk);
                while let Some(at) = finder.find(rest) {
                    rest = &rest[at + 2..];
                }
                black_box(rest);
            }
        }),
    }
}

/// How often the work fills a turn.
fn repetitions(work: &mut dyn FnMut()) -> u32 {
    let mut times = 1;
    while time(work, times) < TURN {
        times *= 2;
    }
    times
}

fn time(work: &mut dyn FnMut(), times: u32) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        work();
    }
    start.elapsed()
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
