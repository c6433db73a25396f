//! The cells of the matrix that are no cases, and why.

/// A fault, the points at which it is no case, and why.
pub const BLANK: &[(&str, &[&str], &str)] = &[
    ("octet-by-octet", BEHIND, CLOSED),
    ("one-write", &["stls"], "it is stls: cleartext"),
    ("one-write", &["auth"], "no client may send a response before its challenge: rfc5034/4"),
    ("one-write", BEHIND, "it is fault/batch/server-behind-quit"),
    ("cut", BEHIND, CLOSED),
    ("lost", BEHIND, CLOSED),
    ("garbage-within", BEHIND, "it shows nothing that garbage-before does not show"),
    ("empty-line", BEHIND, "it shows nothing that garbage-before does not show"),
    ("misspelt", &["auth"], "a response has no keyword"),
    ("misspelt", BEHIND, "it shows nothing that garbage-before does not show"),
    ("arguments", &["greeting"], "it is quit: arguments"),
    ("arguments", &["auth"], "a response has no arguments; too few fields: fault/exchange/server-half-a-message"),
    ("arguments", BEHIND, "it shows nothing that garbage-before does not show"),
    ("twice", &["greeting"], "the greeting is the server's, and comes once"),
    ("twice", &["quit"], "it is after-quit: twice"),
    ("wrong-state", &["capa", "quit"], "it is for both states"),
    ("missing", BEHIND, CLOSED),
    ("limits", &["auth"], "a response has a limit of its own: fault/exchange/server-endless-response"),
    ("limits", BEHIND, CLOSED),
    ("endless-line", BEHIND, CLOSED),
    (
        "numbers",
        &["greeting", "capa", "stls", "user", "pass", "apop", "auth", "stat", "quit", "after-quit"],
        "it has no numbers",
    ),
    ("line-feeds", &["greeting"], "it is quit: line-feeds"),
    ("line-feeds", &["stls", "auth"], "it shows nothing that it does not show at pass"),
    ("line-feeds", BEHIND, CLOSED),
    (
        "cleartext",
        &[
            "greeting",
            "capa",
            "user",
            "pass",
            "apop",
            "auth",
            "stat",
            "uidl",
            "list",
            "retr",
            "top",
            "dele",
            "quit",
            "after-quit",
        ],
        "TLS begins behind STLS alone",
    ),
    (
        "login-refused",
        &["greeting", "capa", "stls", "user", "stat", "uidl", "list", "retr", "top", "dele", "quit", "after-quit"],
        "it is no login",
    ),
    ("false-end", &["top"], "it is group/2/server-odd-messages-top"),
    ("false-end", &["capa", "uidl", "list"], "its rows are the server's own, and begin with no dot"),
    (
        "false-end",
        &["greeting", "stls", "user", "pass", "apop", "auth", "stat", "dele", "quit", "after-quit"],
        "the answer is one line",
    ),
];

const BEHIND: &[&str] = &["after-quit"];
const CLOSED: &str = "the server has closed the connection";
