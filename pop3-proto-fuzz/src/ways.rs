//! Which of several ways of carrying out a plan are taken.

use crate::plan::Cuts;

/// Which ways are taken.
///
/// A plan can be carried out in ways that must come to the same: cut as it says, whole, an octet at a time; through one
/// type or another. A replay takes them [all](Self::ALL). A fuzzer sees millions of inputs that hardly differ and takes
/// [one](Self::one) way for each, so that it sees more of them; which one hangs on the octets alone, so that an input
/// does the same every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways(Option<u64>);

impl Ways {
    /// Every way there is.
    pub const ALL: Self = Self(None);

    /// One way of each kind, chosen by the octets.
    #[must_use]
    pub fn one(octets: &[u8]) -> Self {
        let words = octets.chunks_exact(8);
        let rest = words.remainder();
        let mixed = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        let word = |octets: &[u8]| octets.iter().fold(0, |word, &octet| word << 8 | u64::from(octet));
        let hash = words.fold(octets.len() as u64, |hash, octets| mixed(hash, word(octets)));
        Self(Some(rest.iter().fold(hash, |hash, &octet| mixed(hash, octet.into()))))
    }

    /// Whether every way is taken.
    #[must_use]
    pub const fn all(self) -> bool {
        self.0.is_none()
    }

    /// Whether the way in that place, of so many, is taken.
    #[must_use]
    pub const fn takes(self, place: u64, of: u64) -> bool {
        match self.0 {
            None => true,
            // The high bits are mixed best.
            Some(hash) => (hash >> 32) % of == place % of,
        }
    }

    /// For another choice that does not hang on the one before.
    #[must_use]
    pub const fn again(self) -> Self {
        match self.0 {
            None => self,
            Some(hash) => Self(Some(hash.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29))),
        }
    }

    /// The cuts of the plan, none, and one behind every octet; or one of them, most often that of the plan.
    pub fn cuts<'a>(self, plan: Cuts<'a>) -> impl Iterator<Item = Cuts<'a>> {
        let all = [
            (plan, self.takes(0, 4) || self.takes(1, 4)),
            (Cuts::WHOLE, self.takes(2, 4)),
            (Cuts::OCTETS, self.takes(3, 4)),
        ];
        all.into_iter().filter(|(_, taken)| *taken).map(|(cuts, _)| cuts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_is_taken_and_over_many_inputs_each_of_them() {
        let mut taken = [0; 6];
        for input in 0..6000_u32 {
            let ways = Ways::one(&input.to_be_bytes());
            let ways = (0..6).filter(|&place| ways.takes(place, 6)).collect::<Vec<_>>();
            assert_eq!(ways.len(), 1);
            taken[ways[0] as usize] += 1;
        }
        assert!(taken.iter().all(|&times| (800..1200).contains(&times)), "{taken:?}");
        assert!((0..6).all(|place| Ways::ALL.takes(place, 6)));
        assert_eq!(Ways::one(b"abc").cuts(Cuts(&[2])).count(), 1);
        assert_eq!(Ways::ALL.cuts(Cuts(&[2])).count(), 3);
    }

    #[test]
    fn a_second_choice_does_not_hang_on_the_first() {
        let mut taken = [[0; 2]; 2];
        for input in 0..4000_u32 {
            let ways = Ways::one(&input.to_be_bytes());
            taken[usize::from(ways.takes(1, 2))][usize::from(ways.again().takes(1, 2))] += 1;
        }
        assert!(taken.as_flattened().iter().all(|&times| (850..1150).contains(&times)), "{taken:?}");
    }
}
