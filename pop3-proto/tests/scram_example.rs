//! SCRAM-SHA-256 on both sides, as the example `scram` runs it: what the machines have to make possible for mechanisms that
//! they do not know.

#![cfg(feature = "sasl")]

#[path = "support/built.rs"]
mod built;

use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// What the example printed, by the title of the login: the dialogue and, in its last line, how it ended.
fn logins() -> &'static [(String, Vec<String>)] {
    static LOGINS: OnceLock<Vec<(String, Vec<String>)>> = OnceLock::new();
    LOGINS.get_or_init(|| {
        let output = Command::new(built::example("scram")).stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{}\n{text}", output.status);
        text.split("--- ")
            .skip(1)
            .map(|part| {
                let mut lines = part.lines().take_while(|line| !line.is_empty()).map(str::to_owned);
                (lines.next().unwrap(), lines.collect())
            })
            .collect()
    })
}

/// The lines from AUTH on.
fn exchange(title: &str) -> Vec<&'static str> {
    let (_, lines) = logins().iter().find(|(found, _)| found.starts_with(title)).expect("there is such a login");
    lines.iter().map(String::as_str).skip_while(|line| !line.starts_with("C: AUTH")).collect()
}

#[test]
fn the_last_message_of_the_server_is_a_challenge_that_an_empty_line_answers() {
    assert_eq!(
        exchange("the right password"),
        [
            "C: AUTH SCRAM-SHA-256 ****",
            "S: + ****",
            "C: ****",
            "S: + ****",
            "C: ****",
            "S: +OK mrose's maildrop is open",
            "C: QUIT",
            "S: +OK signing off",
            "logged in, and the server's signature is right",
        ]
    );
}

#[test]
fn a_first_message_that_does_not_fit_behind_auth_waits_for_the_empty_challenge() {
    let exchange = exchange("a name so long");
    assert_eq!(exchange[..3], ["C: AUTH SCRAM-SHA-256", "S: +", "C: ****"]);
    assert!(exchange.last().unwrap().starts_with("logged in"));
}

#[test]
fn a_wrong_password_is_refused_with_the_auth_code() {
    let exchange = exchange("a wrong password");
    assert_eq!(exchange[2..4], ["C: ****", "S: -ERR [AUTH] wrong name or password"]);
    assert!(exchange.last().unwrap().starts_with("refused, because of the credentials"));
}

#[test]
fn the_client_cancels_when_the_signature_of_the_server_is_wrong() {
    let exchange = exchange("a server with the wrong signature");
    assert_eq!(exchange[3..6], ["S: + ****", "C: *", "S: -ERR the exchange is cancelled"]);
    assert!(exchange.last().unwrap().starts_with("refused by the client"));
}

#[test]
fn the_client_does_not_take_ok_for_a_signature() {
    let exchange = exchange("a server that says +OK");
    assert_eq!(exchange[3], "S: +OK welcome");
    assert!(exchange[4].starts_with("refused by the client"), "{exchange:?}");
}

#[test]
fn the_exchange_is_bound_to_the_tls_connection() {
    let bound = exchange("bound to the TLS connection");
    assert_eq!(bound[0], "C: AUTH SCRAM-SHA-256-PLUS ****");
    assert!(bound.last().unwrap().starts_with("logged in"));
    let middle = exchange("somebody in the middle");
    assert_eq!(middle[0], "C: AUTH SCRAM-SHA-256-PLUS ****");
    assert!(middle.last().unwrap().starts_with("refused"));
}

#[test]
fn the_trace_shows_nothing_of_the_exchanges() {
    for (title, lines) in logins() {
        for line in
            lines.iter().skip_while(|line| !line.starts_with("C: AUTH")).filter(|line| line.starts_with("S: + "))
        {
            assert_eq!(line, "S: + ****", "{title}");
        }
        // "pencil", "crayon" and the beginnings of SCRAM's messages ("n,,", "r=", "c=", "v="), in base64.
        for secret in ["pencil", "crayon", "biws", "bixh", "cj0", "Yz1", "dj1"] {
            assert!(!lines.concat().contains(secret), "{title}: {secret}");
        }
    }
    assert_eq!(logins().len(), 7);
}
