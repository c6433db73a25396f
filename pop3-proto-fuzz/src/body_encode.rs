//! Target 5: a message that is sent is byte-stuffed so that every kind of reader finds its end at the last octet; what
//! arrives is the canonical message; its size is known beforehand (P16, P17, P19).
//!
//! The plan: an octet whose low bits are the policy, a chunk of cuts, the message as it is stored.

use crate::finding::{ensure, same};
use crate::naive::dot::{Policy, Reader, canonical, stuff, unstuff};
use crate::plan::{Cuts, Octets, chunk, octet, rest};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::wire::dot::{Newlines, Size, Stuff};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "body_encode",
    check: |octets, ways| {
        let plan = plan(octets);
        if ways.takes(0, 2) {
            check_ways(&plan, ways.again(), &mut Ours::new(Way::Appended))?;
        }
        if ways.takes(1, 2) {
            check_ways(&plan, ways.again(), &mut Ours::new(Way::Segments))?;
        }
        Ok(())
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// Stuffs message text and ends it.
pub trait Encoder {
    /// A new message begins.
    fn begin(&mut self, policy: Policy);

    /// Appends a chunk of the message, stuffed. `false`: the policy refuses it, and nothing was written.
    fn write(&mut self, chunk: &[u8], wire: &mut Vec<u8>) -> bool;

    /// Appends the end of the message. `false`: the policy refuses the message.
    fn end(&mut self, wire: &mut Vec<u8>) -> bool;

    /// The size that LIST gives for the message, if this is known: `None` within for a message that is refused.
    fn size(&mut self, policy: Policy, chunks: &[&[u8]]) -> Option<Option<u64>>;
}

/// A message, and how it is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What becomes of line ends that are not CRLF.
    pub policy: Policy,
    /// The chunks in which it is read from its store.
    pub cuts: Cuts<'a>,
    /// The message.
    pub message: Octets<'a>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let policy = Policy::ALL[usize::from(octet(u) & 3)];
        Ok(Self { policy, cuts: Cuts(chunk(u)), message: Octets(rest(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        policy: Policy::Canonical,
        cuts: Cuts::WHOLE,
        message: Octets(&[]),
    })
}

/// Holds an encoder against the naive one: cut as the plan says, whole, and an octet at a time.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan<'_>, encoder: &mut impl Encoder) -> Verdict {
    check_ways(plan, Ways::ALL, encoder)
}

fn check_ways(plan: &Plan<'_>, ways: Ways, encoder: &mut impl Encoder) -> Verdict {
    if ways.again().takes(0, 4) {
        if let Some(text) = canonical(plan.message.0, plan.policy) {
            readers_agree(plan.policy, &text, &stuff(&text))?;
        }
    }
    ways.cuts(plan.cuts).try_for_each(|cuts| check_cut(plan, cuts, encoder))
}

/// The same, cut in one way only.
///
/// # Errors
///
/// The finding.
pub fn check_cut(plan: &Plan<'_>, cuts: Cuts<'_>, encoder: &mut impl Encoder) -> Verdict {
    let Plan { policy, message: Octets(message), .. } = *plan;
    let text = canonical(message, policy);
    let expected = text.as_deref().map(stuff);
    let mut wire = vec![];
    encoder.begin(policy);
    let mut refused = false;
    for piece in cuts.of(message) {
        let before = wire.len();
        if !encoder.write(piece, &mut wire) {
            ensure!(wire.len() == before, "P17", "something of a refused chunk was written, {cuts:?}");
            refused = true;
            break;
        }
    }
    refused = refused || !encoder.end(&mut wire);
    same!(expected.is_none(), refused, "P17", format!("whether the message is refused, {cuts:?}"));
    if let Some(expected) = &expected {
        same!(Octets(expected), Octets(&wire), "P16, P17", format!("the octets on the wire, {cuts:?}"));
    }
    let chunks: Vec<&[u8]> = cuts.of(message).collect();
    if let Some(size) = encoder.size(policy, &chunks) {
        let expected = text.as_ref().map(|text| text.len() as u64);
        same!(expected, size, "P17", format!("the size that LIST gives, {cuts:?}"));
    }
    Ok(())
}

/// The expectation itself is held to the promise.
fn readers_agree(policy: Policy, text: &[u8], wire: &[u8]) -> Verdict {
    let all = [Reader::Crlf, Reader::Lf, Reader::Nul, Reader::CrOrLf];
    let readers = if policy == Policy::CanonicalAll { &all[..] } else { &all[..3] };
    for reader in readers {
        same!(Some(wire.len()), reader.end(wire), "P16", format!("the end as {reader:?} sees it"));
    }
    if policy != Policy::Trusted {
        let back = unstuff(wire, false);
        same!(Octets(text), Octets(&back.text), "P17", "the message that arrives");
    }
    Ok(())
}

/// [`Stuff`] and [`Size`].
#[derive(Clone, Debug)]
pub struct Ours {
    stuff: Stuff,
    way: Way,
}

/// How the stuffed octets are had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Appended to a buffer.
    Appended,
    /// As slices for a vectored write.
    Segments,
}

impl Ours {
    /// An encoder that hands its octets out that way.
    #[must_use]
    pub fn new(way: Way) -> Self {
        Self { stuff: Stuff::new(Newlines::Canonical), way }
    }
}

impl Encoder for Ours {
    fn begin(&mut self, policy: Policy) {
        self.stuff = Stuff::new(newlines(policy));
    }

    fn write(&mut self, chunk: &[u8], wire: &mut Vec<u8>) -> bool {
        match self.way {
            Way::Appended => match self.stuff.encode(chunk, wire) {
                Ok(()) => true,
                Err(offence) => {
                    assert!(!offence.to_string().is_empty(), "an offence has words");
                    false
                }
            },
            Way::Segments => match self.stuff.segments(chunk) {
                Ok(segments) => {
                    let mut calls = 0;
                    for segment in segments {
                        calls += 1;
                        assert!(!segment.is_empty() && calls <= 3 * chunk.len(), "P33: segment {calls} of {segment:?}");
                        wire.extend_from_slice(segment);
                    }
                    true
                }
                Err(_) => false,
            },
        }
    }

    fn end(&mut self, wire: &mut Vec<u8>) -> bool {
        self.stuff.finish().map(|octets| wire.extend_from_slice(octets)).is_ok()
    }

    fn size(&mut self, policy: Policy, chunks: &[&[u8]]) -> Option<Option<u64>> {
        let mut size = Size::new(newlines(policy));
        for chunk in chunks {
            size.add(chunk);
        }
        Some(size.offence().is_none().then(|| size.octets()))
    }
}

fn newlines(policy: Policy) -> Newlines {
    match policy {
        Policy::Canonical => Newlines::Canonical,
        Policy::CanonicalAll => Newlines::CanonicalAll,
        Policy::Reject => Newlines::Reject,
        Policy::Trusted => Newlines::Trusted,
    }
}
