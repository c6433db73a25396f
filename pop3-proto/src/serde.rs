//! `serde` for what a program stores: capabilities, listings, unique-ids. Not for machines, and not for secrets.
//!
//! Texts are sequences of octets, for a peer's octets need not be UTF-8; a value that comes back is checked where its
//! constructor checks it.

use crate::listing::MessageNumber;
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
