//! The cases for servers, one file per RFC section, in the RFCs' order.

pub mod faults;
pub mod groups;
pub mod groups_more;
mod houses;
mod reading;
pub mod rfc1939_03;
pub mod rfc1939_03_states;
pub mod rfc1939_04;
pub mod rfc1939_05;
pub mod rfc1939_06;
pub mod rfc1939_07;
pub mod rfc1939_07_login;
pub mod rfc1939_08;
pub mod rfc2449_03;
pub mod rfc2449_05;
pub mod rfc2449_06;
pub mod rfc2449_08;
pub mod rfc2595;
pub mod rfc3206;
pub mod rfc5034;
pub mod rfc5034_base64;
pub mod rfc5034_layer;
pub mod rfc6856;
pub mod rfc8314;
mod steps;

use crate::case::ServerCase;

/// The lists, in the RFCs' order.
pub const SECTIONS: &[&[ServerCase]] = &[
    rfc1939_03::CASES,
    rfc1939_03_states::CASES,
    rfc1939_04::CASES,
    rfc1939_05::CASES,
    rfc1939_06::CASES,
    rfc1939_07::CASES,
    rfc1939_07_login::CASES,
    rfc1939_08::CASES,
    rfc2449_03::CASES,
    rfc2449_05::CASES,
    rfc2449_06::CASES,
    rfc2449_08::CASES,
    rfc2595::CASES,
    rfc5034::CASES,
    rfc5034_base64::CASES,
    rfc5034_layer::CASES,
    rfc3206::CASES,
    rfc6856::CASES,
    rfc8314::CASES,
    groups::CASES,
    groups_more::CASES,
    faults::CELLS,
    faults::SESSION,
];

/// All cases, in order.
pub fn all() -> impl Iterator<Item = &'static ServerCase> {
    SECTIONS.iter().copied().flatten()
}
