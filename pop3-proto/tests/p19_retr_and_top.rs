//! P19: RETR and TOP share one encoder and one decoder. A message that is stuffed for RETR and not for TOP, or unstuffed
//! for one of them only, would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{Heard, asking, every_chunking, every_string, given, hear, server};
use pop3_proto::wire::dot::Newlines;
use pop3_proto::{Command, Config, Verb};

#[test]
fn the_server_sends_one_message_in_the_same_octets_to_retr_and_to_top() {
    for policy in [Newlines::Canonical, Newlines::CanonicalAll, Newlines::Trusted] {
        let mut server = server(Config::new().newlines(policy));
        every_string(b".\r\nx\0", 5, &mut |message| {
            let mut sent = |command: &[u8]| {
                assert!(given(&mut server, command).is_some());
                let mut out = Vec::new();
                server.begin("", &mut out).unwrap();
                let (front, back) = message.split_at(message.len() / 2);
                server.body(front, &mut out).unwrap();
                server.body(back, &mut out).unwrap();
                server.end(&mut out).unwrap();
                out
            };
            assert_eq!(sent(b"RETR 1\r\n"), sent(b"TOP 1 1\r\n"), "{policy:?}: {}", message.escape_ascii());
        });
    }
}

#[test]
fn the_client_reads_one_message_alike_from_retr_and_from_top() {
    for status in [&b"+OK\r\n"[..], b"+OK\n"] {
        every_string(b".\r\nx", 5, &mut |message| {
            let mut answer = [status, message, b"\r\n.\r\n"].concat();
            // An end in the middle would leave octets that no command asked for.
            answer
                .truncate(status.len() + oracle::unstuffed(&answer[status.len()..], status == b"+OK\n").used.unwrap());
            let read = |command: &Command<'_>, chunks: &[&[u8]]| {
                let (heard, error) = hear(&mut asking(Config::new(), command), chunks);
                assert_eq!(error, None);
                heard
            };
            let retr = read(&Command::retr(1).unwrap(), &[&answer]);
            let top = read(&Command::top(1, u64::MAX).unwrap(), &[&answer]);
            assert_eq!(named(retr.clone(), Verb::Retr), named(top, Verb::Top), "{}", answer.escape_ascii());
            if message.len() < 3 {
                every_chunking(&answer[status.len()..], &mut |chunks| {
                    let chunks: Vec<_> = [status].into_iter().chain(chunks.iter().copied()).collect();
                    assert_eq!(
                        named(retr.clone(), Verb::Retr),
                        named(read(&Command::top(1, 0).unwrap(), &chunks), Verb::Top)
                    );
                });
            }
        });
    }
}

/// The events without the name of the command.
fn named(heard: Vec<Heard>, verb: Verb) -> Vec<Heard> {
    let verb = format!("{verb:?}");
    heard
        .into_iter()
        .map(|heard| match heard {
            Heard::Event(event) => Heard::Event(event.replace(&verb, "verb")),
            body @ Heard::Body(_) => body,
        })
        .collect()
}
