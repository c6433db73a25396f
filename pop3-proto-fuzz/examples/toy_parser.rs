//! How to put your own POP3 code through our oracles: implement the trait of a target for it, and run the corpus.
//!
//!     cargo run -p pop3-proto-fuzz --example toy_parser
//!
//! The code under test is a toy with the mistakes that recur in every language. The program says which promise each
//! breaks and with which input, and fails if a mistake goes unnoticed. Under a fuzzer, the body of the loop is what you
//! put into your fuzz target: octets, plan, check.

use arbitrary::{Arbitrary, Unstructured};
use pop3_proto_fuzz::body_decode::{self, Decoder};
use pop3_proto_fuzz::body_encode::{self, Encoder};
use pop3_proto_fuzz::command_parse::{self, CommandParser};
use pop3_proto_fuzz::naive::Parsed;
use pop3_proto_fuzz::naive::command::Tolerated;
use pop3_proto_fuzz::naive::dot::Policy;
use pop3_proto_fuzz::{Finding, Verdict};
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// A parser as one writes it in an afternoon.
struct ToyParser;

impl CommandParser for ToyParser {
    fn parse(&mut self, octets: &[u8], _: Tolerated) -> Parsed<Vec<u8>> {
        // Mistake: whatever is before the first LF is a line.
        let Some(end) = octets.iter().position(|&octet| octet == b'\n') else { return Parsed::Incomplete };
        // Mistake: white space is trimmed, and octets are text.
        let line = String::from_utf8_lossy(&octets[..end]).trim().to_string();
        let mut words = line.split_whitespace();
        let keyword = words.next().unwrap_or_default().to_uppercase();
        let written = match keyword.as_str() {
            "STAT" | "NOOP" | "RSET" | "QUIT" | "CAPA" | "STLS" | "UTF8" => keyword,
            "RETR" | "DELE" => match words.next().and_then(number) {
                Some(number) => format!("{keyword} {number}"),
                None => return Parsed::Refused,
            },
            _ => return Parsed::Refused,
        };
        Parsed::Taken(format!("{written}\r\n").into_bytes(), end + 1)
    }
}

/// Mistake: what `atoi` does.
fn number(word: &str) -> Option<u32> {
    let digits = word.trim_start_matches('+').split(|character: char| !character.is_ascii_digit()).next()?;
    digits.bytes().try_fold(0_u32, |number, digit| Some(number.wrapping_mul(10).wrapping_add(u32::from(digit - b'0'))))
}

/// A reader of message text.
#[derive(Default)]
struct ToyDecoder {
    line: Vec<u8>,
}

impl Decoder for ToyDecoder {
    fn begin(&mut self, _: bool) {
        self.line.clear();
    }

    fn read(&mut self, octets: &[u8], text: &mut Vec<u8>) -> Option<usize> {
        for (at, &octet) in octets.iter().enumerate() {
            self.line.push(octet);
            // Mistake: every LF ends a line.
            if octet == b'\n' {
                let line = std::mem::take(&mut self.line);
                if line == b".\r\n" || line == b".\n" {
                    return Some(at + 1);
                }
                // Mistake: only two dots are one.
                let stuffed = line.starts_with(b"..");
                text.extend_from_slice(&line[usize::from(stuffed)..]);
            }
        }
        None
    }

    fn held(&self) -> usize {
        // Mistake: a line is held back, however long it is.
        self.line.len()
    }
}

/// A writer of message text.
#[derive(Default)]
struct ToyEncoder;

impl Encoder for ToyEncoder {
    fn begin(&mut self, _: Policy) {}

    fn write(&mut self, chunk: &[u8], wire: &mut Vec<u8>) -> bool {
        // Mistake: a dot is stuffed behind LF, but not at the beginning, and not where the chunk was cut.
        for (at, &octet) in chunk.iter().enumerate() {
            if octet == b'.' && at > 0 && chunk[at - 1] == b'\n' {
                wire.push(b'.');
            }
            wire.push(octet);
        }
        true
    }

    fn end(&mut self, wire: &mut Vec<u8>) -> bool {
        // Mistake: the message is taken to end a line.
        wire.extend_from_slice(b".\r\n");
        true
    }

    fn size(&mut self, _: Policy, chunks: &[&[u8]]) -> Option<Option<u64>> {
        // Mistake: what is stored is what is sent.
        Some(Some(chunks.iter().map(|chunk| chunk.len() as u64).sum()))
    }
}

fn main() -> ExitCode {
    find()
}

/// A target, how it is run, and inputs that must find a mistake.
type Try = (&'static str, fn(&[u8]) -> Verdict, &'static [&'static str]);

/// Puts the toys through the oracles.
pub(crate) fn find() -> ExitCode {
    let tries: [Try; 3] = [
        (
            "command_parse",
            |octets| command_parse::check(&plan(octets), &mut ToyParser),
            &["field-w4-number-wraps", "field-w5-digit-and-letter", "field-w7-trailing-space", "field-w8-bare-lf"],
        ),
        (
            "body_decode",
            |octets| body_decode::check(&plan(octets), &mut ToyDecoder::default()),
            &["smuggling-lf-dot-lf-stuffed", "field-f33-dots-inside-not-stuffed", "dot-space-cut-1"],
        ),
        (
            "body_encode",
            |octets| body_encode::check(&plan(octets), &mut ToyEncoder),
            &["field-w2-one-dot-canonical", "field-w16-no-line-end-canonical", "lines-of-lf-canonical"],
        ),
    ];
    let mut unnoticed = 0;
    for (target, check, known) in tries {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let mut inputs: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        inputs.sort();
        let mut broken = vec![];
        for path in &inputs {
            let octets = fs::read(path).unwrap_or_default();
            if let Err(Finding { promise, what }) = check(&octets) {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if known.contains(&name.as_str()) {
                    println!("{target}: {name} breaks {promise}: {}\n", what.replace('\n', "\n    "));
                }
                broken.push(name);
            }
        }
        println!("{target}: {} of {} inputs break a promise\n", broken.len(), inputs.len());
        for name in known.iter().filter(|name| !broken.iter().any(|broken| broken == *name)) {
            println!("{target}: {name} should have found a mistake, and did not\n");
            unnoticed += 1;
        }
    }
    if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn plan<'a, P: Arbitrary<'a>>(octets: &'a [u8]) -> P {
    // Every input is a plan.
    P::arbitrary(&mut Unstructured::new(octets)).expect("a plan")
}
