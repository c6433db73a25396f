//! The cells of the matrix that are no cases, and why.

use crate::fault_matrix::{BEHIND, Blank};

/// Which they are.
pub(crate) const BLANK: &[Blank] = &[
    Blank::at("octet-by-octet", BEHIND, CLOSED),
    Blank::at("one-write", &["stls"], "it is stls: cleartext"),
    Blank::at("one-write", &["auth"], "no client may send a response before its challenge: rfc5034/4"),
    Blank::at("one-write", BEHIND, "it is fault/batch/server-behind-quit"),
    Blank::at("cut", BEHIND, CLOSED),
    Blank::at("lost", BEHIND, CLOSED),
    Blank::at("garbage-within", BEHIND, "it shows nothing that garbage-before does not show"),
    Blank::at("empty-line", BEHIND, "it shows nothing that garbage-before does not show"),
    Blank::at("misspelt", &["auth"], "a response has no keyword"),
    Blank::at("misspelt", BEHIND, "it shows nothing that garbage-before does not show"),
    Blank::at("arguments", &["greeting"], "it is quit: arguments"),
    Blank::at(
        "arguments",
        &["auth"],
        "a response has no arguments; too few fields: fault/exchange/server-half-a-message",
    ),
    Blank::at("arguments", BEHIND, "it shows nothing that garbage-before does not show"),
    Blank::at("twice", &["greeting"], "the greeting is the server's, and comes once"),
    Blank::at("twice", &["quit"], "it is after-quit: twice"),
    Blank::at("wrong-state", &["capa", "quit"], "it is for both states"),
    Blank::at("missing", BEHIND, CLOSED),
    Blank::at("limits", &["auth"], "a response has a limit of its own: fault/exchange/server-endless-response"),
    Blank::at("limits", BEHIND, CLOSED),
    Blank::at("endless-line", BEHIND, CLOSED),
    Blank::but_at("numbers", &["uidl", "list", "retr", "top", "dele"], "it has no numbers"),
    Blank::at("line-feeds", &["greeting"], "it is quit: line-feeds"),
    Blank::at("line-feeds", &["stls", "auth"], "it shows nothing that it does not show at pass"),
    Blank::at("line-feeds", BEHIND, CLOSED),
    Blank::but_at("cleartext", &["stls"], "TLS begins behind STLS alone"),
    Blank::but_at("login-refused", &["pass", "apop", "auth"], "it is no login"),
    Blank::at("false-end", &["top"], "it is group/2/server-odd-messages-top"),
    Blank::at("false-end", &["capa", "uidl", "list"], "its rows are the server's own, and begin with no dot"),
    Blank::but_at("false-end", &["capa", "uidl", "list", "retr", "top"], "the answer is one line"),
];

const CLOSED: &str = "the server has closed the connection";
