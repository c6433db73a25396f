//! `serde` for what a program stores: capabilities, listings, unique-ids. Not for machines, and not for secrets.
//!
//! Texts are sequences of octets, for a peer's octets need not be UTF-8. A value that comes back is checked where its
//! constructor checks it; what a client keeps as it came (unique-ids, mechanisms) by the grammar with every tolerance, so
//! that all that a session can give is taken back, and nothing else.

use crate::capability::{Capability, Mechanisms};
use crate::grammar::Tolerance;
use crate::grammar::capability::capability;
use crate::grammar::listing::unique_id_listing;
use crate::listing::{MessageNumber, UniqueId};
use crate::quirk::{Quirk, Quirks};
use crate::text::Text;
use alloc::vec::Vec;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_bytes().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Text<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let octets = Vec::<u8>::deserialize(deserializer)?;
        if octets.iter().any(|octet| matches!(octet, b'\r' | b'\n')) {
            return Err(D::Error::custom("a text is one line"));
        }
        Ok(Self::from(octets))
    }
}

impl Serialize for MessageNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(u32::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("message-numbers begin at 1"))
    }
}

impl<'de> Deserialize<'de> for UniqueId<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = Text::deserialize(deserializer)?;
        let row = [b"1 ", id.as_bytes()].concat();
        match unique_id_listing(&row, &mut Tolerance::new(Quirks::STRICT.with(Quirk::UniqueIdOctets))) {
            Ok(_) => Ok(Self::received(id)),
            Err(_) => Err(D::Error::custom("no server can send that unique-id")),
        }
    }
}

impl<'de> Deserialize<'de> for Mechanisms<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Text::deserialize(deserializer)?;
        let line = [b"SASL ", names.as_bytes()].concat();
        match capability(&line) {
            Ok((_, Capability::Sasl(_))) => Ok(Self(names)),
            _ => Err(D::Error::custom("no server can send those mechanisms")),
        }
    }
}
