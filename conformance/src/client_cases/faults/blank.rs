//! The cells of the matrix that are no cases, and why.

use crate::fault_matrix::{BEHIND, Blank};

/// Which they are.
pub(crate) const BLANK: &[Blank] = &[
    Blank::at("octet-by-octet", BEHIND, GONE),
    Blank::at("cut", BEHIND, GONE),
    Blank::at("cut-everywhere", BEHIND, GONE),
    Blank::at("garbage-within", ONE_LINE, "the answer is one line"),
    Blank::at("garbage-within", &["retr", "top"], "any line is a line of the message there"),
    Blank::at("empty-line", BEHIND, "as garbage-before"),
    Blank::at("wrong-status", BEHIND, GONE),
    Blank::at("refused", BEHIND, GONE),
    Blank::at("twice", &["auth"], "a challenge that comes twice is the next challenge: rfc5034/4/client-cancels"),
    Blank::at("twice", &["quit"], "it is after-quit: twice"),
    Blank::at("missing", BEHIND, GONE),
    Blank::at("early", &["stls"], "it is stls: cleartext"),
    Blank::at("early", &["auth"], "no client can tell: the next word is the server's"),
    Blank::at("early", &["quit", "after-quit"], "no command follows"),
    Blank::at("at-the-limit", &["auth"], "a challenge has a limit of its own: rfc5034/4/client-long-challenge"),
    Blank::at("at-the-limit", BEHIND, GONE),
    Blank::at("beyond-the-limit", &["auth"], "a challenge has a limit of its own: rfc5034/4/client-long-challenge"),
    Blank::at("beyond-the-limit", BEHIND, GONE),
    Blank::at("endless-line", BEHIND, "the client has closed the connection"),
    Blank::at("endless-rows", ONE_LINE, "the answer is one line"),
    Blank::but_at("numbers", &["stat", "uidl", "list", "retr", "top"], "it has no numbers"),
    Blank::at(
        "numbers",
        &["retr", "top"],
        "numbers in the first line are words for people: rfc1939/9/client-text-means-nothing",
    ),
    Blank::at("false-end", ONE_LINE, "the answer is one line"),
    Blank::at("odd-octets", &["auth"], "a challenge is Base64: rfc5034/4/client-challenge-no-base64"),
    Blank::at("odd-octets", &["stat"], "it is stat: numbers"),
    Blank::at("odd-octets", BEHIND, GONE),
    Blank::at("line-feeds", &["stls", "apop", "auth"], "it shows nothing that it does not show at pass"),
    Blank::at("line-feeds", BEHIND, GONE),
    Blank::but_at("cleartext", &["stls"], "TLS begins behind STLS alone"),
    Blank::but_at("lies", &["capa"], "the capability list makes the promises"),
    Blank::but_at("unique-ids", &["uidl"], "UIDL alone gives unique-ids"),
    Blank::but_at("login-refused", &["pass", "apop", "auth"], "it is no login"),
    Blank::but_at("lost", &["auth"], "it is no exchange: see cut"),
];

const ONE_LINE: &[&str] = &["greeting", "stls", "user", "pass", "apop", "auth", "stat", "dele", "quit", "after-quit"];
const GONE: &str = "no answer is due there";
