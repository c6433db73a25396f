//! RFC 1939 §8 to §11: site policies, the text of responses, sizes.

use super::judge::{all_stored, ends_well, retrieved, with_first_line};
use crate::case::{ClientCase, skip};
use crate::mailbox::Mail;
use crate::octets::{escape, stuffed};
use crate::peer::Upgrade;
use crate::peer::fetcher::JobLogin;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc1939/8/client-deletes-itself",
        "The client does not rely on a site's policy to delete: it still sends DELE",
        &["RFC1939-8-004"],
        |c| {
            super::judge::each(c, &["EXPIRE 0", "EXPIRE 1", "EXPIRE 0 USER"], |c, expire| {
                c.honest.capabilities.get_or_insert_default().push(expire.to_owned());
                c.serve()?;
                if !c.ours() && !c.has_given("DELE") {
                    return skip("the client gave no DELE; it was not told to, or takes the policy's word");
                }
                let deleted = c.lines().iter().filter(|line| line.verb == "DELE").count();
                let fetched = retrieved(c).len();
                c.check(deleted == fetched, format!("{fetched} times DELE"), format!("{deleted} times"))?;
                ends_well(c)
            })
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc1939/9/client-text-means-nothing",
        "Except for STAT, LIST and UIDL the client depends on +OK and -ERR alone, not on the text",
        &["RFC1939-9-003", "RFC1939-9-004"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second, Mail::HeaderOnly, Mail::Spare, Mail::Spare2, Mail::Spare3]);
            let texts: [&[u8]; 6] =
                [b"+OK", b"+OK 5 octets", b"+OK \xE9", b"+OK message follows", b"+OK -ERR", b"+OK 99999999999 octets"];
            let mut count = 0;
            c.serve_with(|honest, line| {
                (line.verb == "RETR").then(|| {
                    count += 1;
                    with_first_line(&honest.answer(line.text()), texts[(count - 1) % texts.len()])
                })
            })?;
            all_stored(c)
        },
    ),
    ClientCase::must(
        "rfc1939/10/client-example",
        "The client's side of the example session",
        &["RFC1939-10-001"],
        |c| {
            if !c.ours() || c.upgrade() == Upgrade::Stls {
                return skip("it needs a client that gives those commands, and APOP");
            }
            c.honest.keep(&[Mail::First, Mail::Second]);
            let wanted = [
                "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
                "STAT",
                "LIST",
                "RETR 1",
                "DELE 1",
                "RETR 2",
                "DELE 2",
                "QUIT",
            ];
            let answers = [
                "+OK mrose's maildrop has 2 messages (320 octets)",
                "+OK 2 320",
                "+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.",
                "+OK 120 octets",
                "+OK message 1 deleted",
                "+OK 200 octets",
                "+OK message 2 deleted",
                "+OK dewey POP3 server signing off (maildrop empty)",
            ];
            c.say(b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n")?;
            for (wanted, answer) in wanted.into_iter().zip(answers) {
                let line = c.command()?.map(|line| line.raw).unwrap_or_default();
                c.check(line == [wanted.as_bytes(), b"\r\n"].concat(), wanted, escape(&line))?;
                c.say(format!("{answer}\r\n").as_bytes())?;
                if wanted.starts_with("RETR") {
                    let message = stuffed(&c.honest.messages[usize::from(wanted == "RETR 2")].1);
                    c.say(&[&message[..], b".\r\n"].concat())?;
                }
            }
            ends_well(c)?;
            c.has_stored(&Mail::First.octets())?;
            c.has_stored(&Mail::Second.octets())
        },
    )
    .job(|job| {
        (job.capa, job.login) = (false, JobLogin::Apop);
        job.commands = ["STAT", "LIST", "RETR 1", "DELE 1", "RETR 2", "DELE 2"].map(str::to_owned).to_vec();
    }),
    ClientCase::should(
        "rfc1939/11/client-size-differs",
        "A size that differs from what RETR delivers is no reason to fail, or to stop early or late",
        &["RFC1939-11-004"],
        |c| {
            c.honest.keep(&[Mail::First, Mail::Second, Mail::Spare]);
            let mut size = 0;
            c.serve_with(|honest, line| match line.verb.as_str() {
                "STAT" => Some(b"+OK 3 12\r\n".to_vec()),
                "LIST" if line.rest.is_empty() => Some(b"+OK\r\n1 1\r\n2 0\r\n3 9999999\r\n.\r\n".to_vec()),
                "RETR" => {
                    size += 7;
                    Some(with_first_line(&honest.answer(line.text()), format!("+OK {size} octets").as_bytes()))
                }
                _ => None,
            })?;
            all_stored(c)
        },
    ),
];
