//! Octets of a line that borrow from the input, print escaped, or (secrets) do not print at all.

use alloc::borrow::Cow;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt::{self, Write as _};
use core::hash::{Hash, Hasher};

/// Octets of one line: no CR LF inside, else anything, for what the peer sends is not always text.
///
/// [`Display`](fmt::Display) shows it as UTF-8, with what is not UTF-8 replaced, and escaped what ends a line or turns the
/// direction of what is behind it: control characters, U+2028 and U+2029, and the bidirectional controls. A terminal or a
/// log line survives it; [`Text::as_bytes`] gives the octets as they came.
///
/// ```
/// use pop3_proto::Text;
///
/// assert_eq!(Text::from("maildrop \x1b[2J locked").to_string(), "maildrop \\u{1b}[2J locked");
/// ```
///
/// It borrows from the input where its line lay whole in it. The texts of a line that two reads shared lie in one buffer of
/// that line, and a clone of such a text copies nothing. [`Text::into_owned`], for what a program keeps, copies a text that is
/// a small part of a long line: what it gives holds at most four times its own octets, or 256.
#[derive(Clone)]
pub struct Text<'a>(Octets<'a>);

/// Where a text is.
#[derive(Clone)]
enum Octets<'a> {
    Borrowed(&'a [u8]),
    /// In a buffer that it may share with others: so many octets from its front, and so many from its end.
    Shared {
        buffer: Buffer,
        front: u16,
        behind: u32,
    },
}

impl<'a> Text<'a> {
    /// The octets as they came.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Octets::Borrowed(octets) => octets,
            Octets::Shared { buffer, front, behind } => {
                let end = buffer.0.len().saturating_sub(*behind as usize);
                buffer.0.get(usize::from(*front)..end).unwrap_or_default()
            }
        }
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The text, if it is UTF-8.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(self.as_bytes()).ok()
    }

    /// The same text without the borrow. It keeps no line that is much longer than it is.
    #[must_use]
    pub fn into_owned(self) -> Text<'static> {
        match self.0 {
            Octets::Shared { buffer, front, behind } => {
                let text = Text(Octets::Shared { buffer, front, behind });
                if text.is_small_in_its_line() { Text::alone(text.as_bytes()) } else { text }
            }
            Octets::Borrowed(_) => self.out_of(&mut Carried::new(&[])),
        }
    }

    /// In a buffer of its own.
    fn alone(octets: &[u8]) -> Text<'static> {
        Text(Octets::Shared { buffer: Buffer(Arc::from(octets)), front: 0, behind: 0 })
    }

    /// A line as long as a server likes is not kept for the few octets of a text that a program keeps.
    fn is_small_in_its_line(&self) -> bool {
        let line = match &self.0 {
            Octets::Shared { buffer, .. } => buffer.0.len(),
            Octets::Borrowed(_) => 0,
        };
        line > KEPT && line > self.as_bytes().len().saturating_mul(4)
    }

    /// The same text without the borrow, in the buffer of its line. One that does not lie in that line is copied by itself.
    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Text<'static> {
        match self.0 {
            Octets::Shared { buffer, front, behind } => Text(Octets::Shared { buffer, front, behind }),
            Octets::Borrowed(octets) => line.text(octets),
        }
    }

    /// The octets, borrowed from the input where the line lay whole in it, and copied where it did not.
    #[must_use]
    pub fn into_bytes(self) -> Cow<'a, [u8]> {
        match self.borrowed() {
            Some(octets) => Cow::Borrowed(octets),
            None => Cow::Owned(self.as_bytes().to_vec()),
        }
    }

    /// The octets, if they are borrowed.
    pub(crate) const fn borrowed(&self) -> Option<&'a [u8]> {
        match self.0 {
            Octets::Borrowed(octets) => Some(octets),
            Octets::Shared { .. } => None,
        }
    }

    /// A text that borrows from this one.
    #[must_use]
    pub fn as_borrowed(&self) -> Text<'_> {
        Text::from(self.as_bytes())
    }
}

impl Default for Text<'_> {
    fn default() -> Self {
        Self(Octets::Borrowed(&[]))
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text<'_> {}

impl PartialOrd for Text<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl<'a> From<&'a [u8]> for Text<'a> {
    #[inline]
    fn from(octets: &'a [u8]) -> Self {
        Self(Octets::Borrowed(octets))
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Text<'a> {
    fn from(octets: &'a [u8; N]) -> Self {
        Self(Octets::Borrowed(octets))
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Octets::Borrowed(text.as_bytes()))
    }
}

impl From<Vec<u8>> for Text<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Text::from(octets.as_slice()).into_owned()
    }
}

impl AsRef<[u8]> for Text<'_> {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<[u8]> for Text<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        self.as_bytes() == other
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            for character in chunk.valid().chars() {
                if character.is_control() || misleads(character) {
                    write!(f, "{}", character.escape_default())?;
                } else {
                    f.write_char(character)?;
                }
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// The line and paragraph separators, and the controls that turn the direction of text.
const fn misleads(character: char) -> bool {
    matches!(
        character,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    )
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// A line that was carried, and the one buffer that its texts move to.
pub(crate) struct Carried<'l> {
    line: &'l [u8],
    /// Made when the first text asks for it: a line without texts needs none.
    buffer: Option<Buffer>,
}

impl<'l> Carried<'l> {
    pub(crate) const fn new(line: &'l [u8]) -> Self {
        Self { line, buffer: None }
    }

    fn text(&mut self, octets: &[u8]) -> Text<'static> {
        if octets.is_empty() {
            return Text::default();
        }
        let Some((front, behind)) = self.place(octets) else { return Text::alone(octets) };
        let buffer = self.buffer.get_or_insert_with(|| Buffer(Arc::from(self.line))).clone();
        Text(Octets::Shared { buffer, front, behind })
    }

    /// How many octets of the line are before these, and how many behind them. `None` if they lie elsewhere: the address
    /// tells, for octets that are there belong to one object only.
    fn place(&self, octets: &[u8]) -> Option<(u16, u32)> {
        let front = octets.as_ptr().addr().checked_sub(self.line.as_ptr().addr())?;
        let behind = self.line.len().checked_sub(front)?.checked_sub(octets.len())?;
        Some((u16::try_from(front).ok()?, u32::try_from(behind).ok()?))
    }
}

/// A line of so many octets is kept for any text in it.
const KEPT: usize = 256;

/// Octets that several texts may have.
#[derive(Clone)]
struct Buffer(Arc<[u8]>);

/// No secret is here, but the name in USER may be a password that was typed a line too early. The last text wipes it. (If the
/// last two are dropped at the same moment in two threads, none of them may be the last.)
#[cfg(feature = "zeroize")]
impl Drop for Buffer {
    fn drop(&mut self) {
        if let Some(octets) = Arc::get_mut(&mut self.0) {
            zeroize::Zeroize::zeroize(octets);
        }
    }
}

/// Octets that no log may show: a password, a digest, a SASL response.
///
/// Neither `Debug` nor `Display` shows them, nor how many there are. Two secrets compare in time that depends on their
/// lengths alone.
///
/// ```
/// use pop3_proto::Secret;
///
/// let secret = Secret::from(&b"tanstaaf"[..]);
/// assert_eq!(format!("{secret:?} {secret}"), "<secret> <secret>");
/// assert_eq!(secret.reveal(), b"tanstaaf");
/// ```
#[derive(Clone)]
pub struct Secret<'a>(Cow<'a, [u8]>);

impl<'a> Secret<'a> {
    /// The octets themselves.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// The octets that these stand for in base64 (RFC 4648 §4, canonical): a SASL response as it came.
    ///
    /// # Errors
    ///
    /// [`Fault::Base64`](crate::grammar::Fault::Base64).
    #[cfg(feature = "sasl")]
    pub fn decode(&self) -> Result<Secret<'static>, crate::grammar::Fault> {
        // (A secret from the start: what is no canonical base64 is wiped too.)
        let mut decoded = Secret::from(Vec::new());
        crate::sasl::decode(self.reveal(), decoded.0.to_mut())?;
        Ok(decoded)
    }

    /// The same secret without the borrow, in a buffer of its own.
    #[must_use]
    pub fn into_owned(mut self) -> Secret<'static> {
        Secret(Cow::Owned(core::mem::take(&mut self.0).into_owned()))
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Secret<'_> {
    fn drop(&mut self) {
        if let Cow::Owned(octets) = &mut self.0 {
            zeroize::Zeroize::zeroize(octets);
        }
    }
}

impl<'a> From<&'a [u8]> for Secret<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self(Cow::Borrowed(octets))
    }
}

impl From<Vec<u8>> for Secret<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Self(Cow::Owned(octets))
    }
}

impl PartialEq for Secret<'_> {
    fn eq(&self, other: &Self) -> bool {
        alike(self.reveal(), other.reveal())
    }
}

impl Eq for Secret<'_> {}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

impl fmt::Display for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// Base64 by its alphabet, in quartets, padding at the end only; not empty.
pub(crate) fn is_base64_text(octets: &[u8]) -> bool {
    let body = octets.strip_suffix(b"==").or_else(|| octets.strip_suffix(b"=")).unwrap_or(octets);
    !body.is_empty()
        && octets.len() % 4 == 0
        && body.iter().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/'))
}

/// Whether the octets are the same, in time that depends on their lengths alone.
pub(crate) fn alike(ours: &[u8], theirs: &[u8]) -> bool {
    let differing = ours.iter().zip(theirs).fold(0, |seen, (a, b)| seen | (a ^ b));
    ours.len() == theirs.len() && core::hint::black_box(differing) == 0
}

/// The first eight octets as one word, the first the lowest, and zeros where there are fewer; letters in upper case.
///
/// Every other octet loses the same bit. Among octets that are no control characters, letters, digits and hyphens are told
/// from all others all the same.
#[inline(always)]
pub(crate) const fn first_eight_in_upper_case(octets: &[u8]) -> u64 {
    first_eight(octets) & (EACH * 0xDF)
}

/// 1*VCHAR: how many octets in front are in the range 0x21 to 0x7E.
#[inline(always)]
pub(crate) fn visible(octets: &[u8]) -> usize {
    // An octet beyond ASCII is marked itself; what it carries into those behind it does not count.
    before(octets, |word| word | !word.wrapping_add(EACH * 0x5F) | word.wrapping_add(EACH))
}

/// How many octets in front are not CTL (0x00 to 0x1F, 0x7F).
#[inline(always)]
pub(crate) fn printable(octets: &[u8]) -> usize {
    before(octets, |word| {
        let low = word & (EACH * 0x7F);
        (!low.wrapping_add(EACH * 0x60) | low.wrapping_add(EACH)) & !word
    })
}

/// CTL: the first octet in the range 0x00 to 0x1F, or 0x7F.
#[inline(always)]
pub(crate) fn control(octets: &[u8]) -> Option<u8> {
    octets.get(printable(octets)).copied()
}

/// The octets before the first space, and those from it on.
#[inline(always)]
pub(crate) fn split_space(octets: &[u8]) -> (&[u8], &[u8]) {
    let space = before(octets, |word| {
        let spaces = word ^ (EACH * 0x20);
        // A NUL is one too, so that what is shorter than a word ends.
        (spaces.wrapping_sub(EACH) & !spaces) | (word.wrapping_sub(EACH) & !word)
    });
    octets.split_at_checked(space).unwrap_or((octets, &[]))
}

/// How many octets there are before the first that `marks` marks. It takes eight at once, and sets the highest bit of each
/// that it marks; NUL it marks always. Only the first mark of a word counts.
#[inline(always)]
fn before(octets: &[u8], marks: impl Fn(u64) -> u64) -> usize {
    let place = |word| match marks(word) & (EACH * 0x80) {
        0 => None,
        marked => Some((marked.trailing_zeros() / 8) as usize),
    };
    let mut words = octets.chunks_exact(8);
    let mut at = 0_usize;
    for eight in &mut words {
        if let Some(found) = place(first_eight(eight)) {
            return at.wrapping_add(found);
        }
        at = at.wrapping_add(8);
    }
    place(first_eight(words.remainder())).map_or(octets.len(), |found| at.wrapping_add(found))
}

/// The first eight octets as one word, the first the lowest, and zeros where there are fewer.
#[inline(always)]
pub(crate) const fn first_eight(octets: &[u8]) -> u64 {
    if let Some(eight) = octets.first_chunk() {
        return u64::from_le_bytes(*eight);
    }
    if let (Some(first), Some(last)) = (octets.first_chunk(), octets.last_chunk()) {
        // The two overlap, in the same octets at the same place.
        let bits = (octets.len() as u32).wrapping_sub(4).wrapping_mul(8);
        return u32::from_le_bytes(*first) as u64 | (u32::from_le_bytes(*last) as u64).wrapping_shl(bits);
    }
    match *octets {
        [] => 0,
        [one] => one as u64,
        [one, two] => u16::from_le_bytes([one, two]) as u64,
        [one, two, three, ..] => u32::from_le_bytes([one, two, three, 0]) as u64,
    }
}

/// Each octet of a word 1.
const EACH: u64 = 0x0101_0101_0101_0101;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn buffer<'t>(text: &'t Text<'_>) -> Option<&'t Arc<[u8]>> {
        match &text.0 {
            Octets::Borrowed(_) => None,
            Octets::Shared { buffer, .. } => Some(&buffer.0),
        }
    }

    #[test]
    fn every_text_of_a_carried_line_is_the_same_text_in_one_buffer() {
        let line = b"+OK [X-CODE] 3 id-2";
        let mut carried = Carried::new(line);
        let whole = Text::from(line).out_of(&mut carried);
        for front in 0..=line.len() {
            for end in front..=line.len() {
                let borrowed = Text::from(&line[front..end]);
                let owned = borrowed.clone().out_of(&mut carried);
                assert_eq!((&owned, owned.as_bytes()), (&borrowed, &line[front..end]));
                assert_eq!(owned.is_empty(), front == end);
                let shared = buffer(&owned).is_some_and(|octets| Arc::ptr_eq(octets, buffer(&whole).unwrap()));
                assert_eq!(shared, front < end, "{borrowed:?}");
                assert_eq!(owned.clone().into_owned().into_bytes(), borrowed.into_bytes());
            }
        }
    }

    #[test]
    fn a_text_that_lies_elsewhere_or_far_behind_is_copied_by_itself() {
        let line = vec![b'x'; 70_000];
        let mut carried = Carried::new(&line);
        for (octets, shared) in [
            (&line[..], true),
            (&line[..17_500], true),
            (&line[..17_499], false),
            (&line[17_500..], true),
            (&line[50_000..], true),
            (&line[..1], false),
            (b"elsewhere", false),
            (&b""[..], false),
        ] {
            let text = Text::from(octets).out_of(&mut carried).into_owned();
            assert_eq!(text.as_bytes(), octets);
            assert_eq!(buffer(&text).is_some_and(|buffer| buffer.len() == line.len()), shared, "{}", octets.len());
        }
        // The places are counted in 16 and 32 bits.
        let line = vec![b'x'; 80_000];
        for (octets, shared) in [(&line[65_535 - 10_000..], true), (&line[65_536..], false)] {
            let text = Text::from(octets).out_of(&mut Carried::new(&line));
            assert_eq!(buffer(&text).is_some_and(|buffer| buffer.len() == line.len()), shared, "{}", octets.len());
        }
        // A line that is not long is kept whatever the text.
        for (length, shared) in [(KEPT, true), (KEPT + 1, false)] {
            let line = vec![b'x'; length];
            let text = Text::from(&line[..2]).out_of(&mut Carried::new(&line)).into_owned();
            assert_eq!(buffer(&text).is_some_and(|buffer| buffer.len() == length), shared, "{length}");
        }
    }

    #[test]
    fn the_first_eight_octets_are_a_word() {
        let octets: Vec<u8> = (1..=20).collect();
        for length in 0..=octets.len() {
            let mut expected = [0; 8];
            let filled = length.min(8);
            expected[..filled].copy_from_slice(&octets[..filled]);
            assert_eq!(first_eight(&octets[..length]), u64::from_le_bytes(expected), "{length}");
        }
    }

    #[test]
    fn eight_octets_at_a_time_are_as_one_at_a_time() {
        for length in 0..=26 {
            for at in 0..length {
                for octet in 0..=255 {
                    for others in [b'!', b'~', 0xFF, 0x80, b'!' - 1] {
                        let mut octets = vec![others; length];
                        octets[at] = octet;
                        let place = |odd: fn(&u8) -> bool| octets.iter().position(odd).unwrap_or(length);
                        assert_eq!(visible(&octets), place(|octet| !octet.is_ascii_graphic()), "{octets:?}");
                        assert_eq!(printable(&octets), place(u8::is_ascii_control), "{octets:?}");
                        if octet != 0 {
                            assert_eq!(split_space(&octets).0.len(), place(|octet| *octet == b' '), "{octets:?}");
                        }
                    }
                }
            }
        }
    }
}
