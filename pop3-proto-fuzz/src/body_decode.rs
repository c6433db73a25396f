//! Target 4: message text without its stuffing is the same at every cut, as is the place of its end; at most four octets
//! are held back (P18, P24, P33).
//!
//! The plan: an octet whose lowest bit says that the status line ended in a bare LF, a chunk of cuts, the octets.

use crate::finding::{ensure, same};
use crate::naive::dot::unstuff;
use crate::plan::{Cuts, Octets, chunk, octet, rest};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::wire::dot::{Passage, Piece, Unstuff};
use pop3_proto::wire::line::LineEnd;
use pop3_proto::{Client, Command, Config, Event, Verb};
use std::sync::{Arc, LazyLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "body_decode",
    check: |octets, ways| {
        let plan = plan(octets);
        if ways.takes(0, 2) {
            check_ways(&plan, ways.again(), &mut Ours::default())?;
        }
        if ways.takes(1, 4) {
            check_cut(&plan, plan.cuts, &mut OursAtClient::default())?;
        }
        if ways.takes(3, 4) {
            ways.again().cuts(plan.cuts).try_for_each(|cuts| passage(&plan, cuts))?;
        }
        Ok(())
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// Takes the stuffing out of message text and finds its end.
pub trait Decoder {
    /// A new message begins; with `bare_lf` its status line ended in a bare LF.
    fn begin(&mut self, bare_lf: bool);

    /// The octets of one read. Text is appended to `text`. When the end is there: how many of the read's octets belong
    /// to the message; nothing more is read then.
    fn read(&mut self, octets: &[u8], text: &mut Vec<u8>) -> Option<usize>;

    /// Octets held back; 0 if that cannot be told.
    fn held(&self) -> usize {
        0
    }
}

/// What is read, and how it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// The status line ended in a bare LF, and so every line does.
    pub bare_lf: bool,
    /// The reads.
    pub cuts: Cuts<'a>,
    /// What is behind the status line.
    pub octets: Octets<'a>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { bare_lf: octet(u) & 1 != 0, cuts: Cuts(chunk(u)), octets: Octets(rest(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        bare_lf: false,
        cuts: Cuts::WHOLE,
        octets: Octets(&[]),
    })
}

/// Holds a decoder against the naive one: cut as the plan says, whole, and an octet at a time.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan<'_>, decoder: &mut impl Decoder) -> Verdict {
    check_ways(plan, Ways::ALL, decoder)
}

fn check_ways(plan: &Plan<'_>, ways: Ways, decoder: &mut impl Decoder) -> Verdict {
    ways.cuts(plan.cuts).try_for_each(|cuts| check_cut(plan, cuts, decoder))
}

/// The same, cut in one way only.
///
/// # Errors
///
/// The finding.
pub fn check_cut(plan: &Plan<'_>, cuts: Cuts<'_>, decoder: &mut impl Decoder) -> Verdict {
    let octets = plan.octets.0;
    let expected = unstuff(octets, plan.bare_lf);
    let (mut text, mut end, mut fed) = (vec![], None, 0);
    decoder.begin(plan.bare_lf);
    for piece in cuts.of(octets) {
        let took = decoder.read(piece, &mut text);
        ensure!(decoder.held() <= 4, "P24", "{} octets are held back, {cuts:?}", decoder.held());
        if let Some(took) = took {
            end = Some(fed + took);
            break;
        }
        fed += piece.len();
        let known = if fed == 0 { 0 } else { expected.known.get(fed - 1).copied().unwrap_or(usize::MAX) };
        ensure!(
            expected.end.is_none_or(|end| fed < end),
            "P18",
            "the end at {:?} is missed behind {fed} octets, {cuts:?}",
            expected.end
        );
        ensure!(
            text.len() <= known && known <= text.len() + 4,
            "P24",
            "behind {fed} octets {known} of text are known, and {} were handed out, {cuts:?}",
            text.len()
        );
    }
    same!(expected.end, end, "P18", format!("the end, {cuts:?}"));
    same!(Octets(&expected.text), Octets(&text), "P18", format!("the text, {cuts:?}"));
    Ok(())
}

/// [`Unstuff`].
#[derive(Clone, Debug)]
pub struct Ours(Unstuff);

impl Default for Ours {
    fn default() -> Self {
        Self(Unstuff::new(LineEnd::Crlf))
    }
}

impl Decoder for Ours {
    fn begin(&mut self, bare_lf: bool) {
        self.0 = Unstuff::new(if bare_lf { LineEnd::BareLf } else { LineEnd::Crlf });
    }

    fn read(&mut self, octets: &[u8], text: &mut Vec<u8>) -> Option<usize> {
        let (mut input, mut calls) = (octets, 0);
        while let Some(piece) = self.0.next(&mut input) {
            calls += 1;
            assert!(calls <= 2 * octets.len() + 1, "P33: {calls} calls over {} octets", octets.len());
            match piece {
                Piece::Text(octets) => text.extend_from_slice(octets),
                Piece::End => return Some(octets.len() - input.len()),
            }
        }
        assert!(input.is_empty(), "P33: `None`, and {} octets are left", input.len());
        None
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}

/// A [`Client`] that asked for a message.
#[derive(Debug, Default)]
pub struct OursAtClient(Option<Client>);

impl Decoder for OursAtClient {
    fn begin(&mut self, bare_lf: bool) {
        static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::new().allow_cleartext_login()));
        let (mut client, mut out) = (Client::with_config(Arc::clone(&CONFIG)), vec![]);
        let hear = |client: &mut Client, mut octets: &[u8]| client.next_event(&mut octets).map(|_| ());
        let greeted = hear(&mut client, b"+OK\r\n");
        let in_session = [Command::user("u"), Command::pass("p"), Command::retr(1)].into_iter().all(|command| {
            let sent = command.and_then(|command| client.send(&command, &mut out).map(|()| command.verb()));
            let answer: &[u8] = if bare_lf { b"+OK\n" } else { b"+OK\r\n" };
            sent.is_ok_and(|verb| {
                hear(&mut client, answer).is_ok() && (verb != Verb::Retr || client.outstanding() == 1)
            })
        });
        assert!(greeted.is_ok() && in_session, "the way to RETR is well known");
        self.0 = Some(client);
    }

    fn read(&mut self, octets: &[u8], text: &mut Vec<u8>) -> Option<usize> {
        let client = self.0.as_mut()?;
        let mut input = octets;
        loop {
            // With an event around it, or without.
            while let Some(octets) = (octets.len() % 3 != 2).then(|| client.body(&mut input)).flatten() {
                assert!(!octets.is_empty(), "P33: no text");
                text.extend_from_slice(octets);
            }
            match client.next_event(&mut input) {
                Ok(Some(Event::Body(octets))) => text.extend_from_slice(octets),
                Ok(Some(Event::End { of: Verb::Retr })) => return Some(octets.len() - input.len()),
                Ok(None) => return None,
                other => panic!("P18: message text is {other:?}"),
            }
        }
    }

    fn held(&self) -> usize {
        self.0.as_ref().map_or(0, Client::held)
    }
}

/// With the stuffing left in, the same octets come out as went in, and the end is at the same place.
fn passage(plan: &Plan<'_>, cuts: Cuts<'_>) -> Verdict {
    let octets = plan.octets.0;
    let end = unstuff(octets, plan.bare_lf).end;
    let tail = if plan.bare_lf { &[&b".\r\n"[..], b".\n"][..] } else { &[&b".\r\n"[..]] };
    let mut passage = Passage::new(if plan.bare_lf { LineEnd::BareLf } else { LineEnd::Crlf });
    let (mut text, mut fed, mut found) = (vec![], 0, None);
    'reads: for piece in cuts.of(octets) {
        let mut input = piece;
        while let Some(taken) = passage.next(&mut input) {
            match taken {
                Piece::Text(octets) => text.extend_from_slice(octets),
                Piece::End => {
                    found = Some(fed + piece.len() - input.len());
                    break 'reads;
                }
            }
        }
        fed += piece.len();
    }
    same!(end, found, "P18", format!("the end of text that is passed on, {cuts:?}"));
    let whole = &octets[..found.unwrap_or(octets.len())];
    let passed = match found {
        Some(_) => tail.iter().find_map(|tail| whole.strip_suffix(*tail)).unwrap_or(whole),
        None => &whole[..whole.len() - passage.held().min(whole.len())],
    };
    same!(Octets(passed), Octets(&text), "P18", format!("the text that is passed on, {cuts:?}"));
    Ok(())
}
