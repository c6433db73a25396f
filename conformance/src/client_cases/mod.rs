//! The cases for clients, one file per RFC section, in the RFCs' order.

pub(crate) mod faults;
mod groups;
mod judge;
mod rfc1939_03;
mod rfc1939_04;
mod rfc1939_05;
mod rfc1939_06;
mod rfc1939_07;
mod rfc1939_08;
mod rfc2449_03;
mod rfc2449_05;
mod rfc2449_06;
mod rfc2449_08;
mod rfc2595;
mod rfc3206;
mod rfc5034;
mod rfc6856;
mod rfc8314;

use crate::case::ClientCase;

/// The lists, in the RFCs' order.
pub const SECTIONS: &[&[ClientCase]] = &[
    rfc1939_03::CASES,
    rfc1939_04::CASES,
    rfc1939_05::CASES,
    rfc1939_06::CASES,
    rfc1939_07::CASES,
    rfc1939_08::CASES,
    rfc2449_03::CASES,
    rfc2449_05::CASES,
    rfc2449_06::CASES,
    rfc2449_08::CASES,
    rfc2595::CASES,
    rfc5034::CASES,
    rfc3206::CASES,
    rfc6856::CASES,
    rfc8314::CASES,
    groups::FRAMING,
    groups::TEXT,
    groups::SESSION,
    faults::CASES,
];

/// All cases, in order.
pub fn all() -> impl Iterator<Item = &'static ClientCase> {
    SECTIONS.iter().copied().flatten()
}
