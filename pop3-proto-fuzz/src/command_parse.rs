//! Target 1: a parser of commands agrees with the naive one, and what it writes again parses to the same (P10, P20, P28).
//!
//! The plan: an octet whose low bits are what is tolerated (`0` nothing, 1 a bare LF, 2 trailing spaces, 4 spaces in a
//! name), and the octets that are parsed.

use crate::finding::{ensure, same};
use crate::naive::Parsed;
use crate::naive::command::{LIMIT, Tolerated, command};
use crate::plan::{Octets, octet, rest};
use crate::{Finding, Target, Verdict};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::grammar::{self, Grammar};
use pop3_proto::{Quirk, Quirks};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "command_parse",
    check: |octets, _| {
        let plan = plan(octets);
        check(&plan, &mut Ours)?;
        round_trip(&plan)
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// A parser of commands.
pub trait CommandParser {
    /// The command at the front of the octets, as it is written again, with CRLF.
    fn parse(&mut self, octets: &[u8], tolerated: Tolerated) -> Parsed<Vec<u8>>;
}

/// What is parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What may pass although the RFCs do not have it.
    pub tolerated: Tolerated,
    /// What is parsed.
    pub octets: Octets<'a>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let bits = octet(u);
        let tolerated =
            Tolerated { bare_lf: bits & 1 != 0, trailing_spaces: bits & 2 != 0, spaces_in_name: bits & 4 != 0 };
        Ok(Self { tolerated, octets: Octets(rest(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets))
        .unwrap_or(Plan { tolerated: Tolerated::default(), octets: Octets(&[]) })
}

/// Holds a parser against the naive one.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan<'_>, parser: &mut impl CommandParser) -> Verdict {
    let Plan { tolerated, octets: Octets(octets) } = *plan;
    let expected = match command(octets, tolerated) {
        Parsed::Taken(command, took) => Parsed::Taken(command.line(), took),
        Parsed::Refused => Parsed::Refused,
        Parsed::Incomplete => Parsed::Incomplete,
    };
    let got = parser.parse(octets, tolerated);
    if expected != got {
        let show = |parsed: &Parsed<Vec<u8>>| match parsed {
            Parsed::Taken(line, took) => format!("\"{}\" from {took} octets", line.escape_ascii()),
            other => format!("{other:?}"),
        };
        return Err(Finding {
            promise: "P20, P28: a command is what the grammar says",
            what: format!("{plan:?}\n  expected: {}\n       got: {}", show(&expected), show(&got)),
        });
    }
    if let Parsed::Taken(line, _) = got {
        if line.len() > LIMIT {
            return Ok(()); // it came with a bare LF, and CRLF is one octet too many
        }
        let again = parser.parse(&line, tolerated);
        same!(Parsed::Taken(line.clone(), line.len()), again, "parse, encode, parse is identity", "written again");
    }
    Ok(())
}

/// The parser of `pop3-proto`.
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl CommandParser for Ours {
    fn parse(&mut self, octets: &[u8], tolerated: Tolerated) -> Parsed<Vec<u8>> {
        let parsed = match tolerated == Tolerated::default() {
            true => grammar::command(octets),
            false => grammar(tolerated).command(octets),
        };
        match parsed {
            Ok((behind, command)) => {
                let mut line = vec![];
                command.encode(&mut line);
                Parsed::Taken(line, octets.len() - behind.len())
            }
            Err(error) if error.is_incomplete() => Parsed::Incomplete,
            Err(error) => {
                assert!(!error.to_string().is_empty(), "a fault has words");
                Parsed::Refused
            }
        }
    }
}

/// The values are the same too, not only what they look like.
fn round_trip(plan: &Plan<'_>) -> Verdict {
    let grammar = grammar(plan.tolerated);
    let Ok((_, command)) = grammar.command(plan.octets.0) else { return Ok(()) };
    let mut line = vec![];
    command.encode(&mut line);
    if line.len() > LIMIT {
        return Ok(());
    }
    match grammar.command(&line) {
        Ok(([], again)) => same!(command, again, "parse, encode, parse is identity", "the command"),
        other => ensure!(false, "parse, encode, parse is identity", "{command:?} comes back as {other:?}"),
    }
    same!(command, command.clone().into_owned(), "a value without its borrow is the same", "the command");
    Ok(())
}

fn grammar(tolerated: Tolerated) -> Grammar {
    let quirks = [
        (tolerated.bare_lf, Quirk::BareLfCommand),
        (tolerated.trailing_spaces, Quirk::TrailingSpaces),
        (tolerated.spaces_in_name, Quirk::NameWithSpaces),
    ];
    Grammar::new(quirks.into_iter().filter(|(on, _)| *on).fold(Quirks::STRICT, |all, (_, quirk)| all.with(quirk)))
}
