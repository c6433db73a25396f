//! P15 and P26, by counting instructions: digests compare alike wherever they differ, and twice the octets cost at most
//! 2.2 times the work, whatever the peer sends and however it is cut.
//!
//! Broken if a comparison stopped at the first difference, or if any octet of a line or message were looked at again for
//! each read. The program runs itself under valgrind with one piece of work a time; where valgrind is missing, the tests
//! count as ignored, and in CI as failed.

use libtest_mimic::{Arguments, Failed, Trial};
use pop3_proto::{Client, Command, Config, Digest, Greeting, Peer, Reply, Secret, Server, Verb};
use std::hint::black_box;
use std::process::{Command as Process, ExitCode, Stdio};

const WORK: &str = "POP3_PROTO_WORK";

fn main() -> ExitCode {
    if let Ok(work) = std::env::var(WORK) {
        let mut words = work.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (name, size, reads) = (word(), word().parse().unwrap_or(0), word().parse().unwrap_or(1));
        run(name, size, reads);
        return ExitCode::SUCCESS;
    }
    let there = Process::new("valgrind").arg("--version").stdout(Stdio::null()).status().is_ok();
    let missing_in_ci = !there && std::env::var_os("CI").is_some_and(|value| value == "true");
    if !there {
        eprintln!("SKIPPED: the tests that count instructions need valgrind, which is not here");
    }
    let mut trials = Vec::new();
    for name in SHAPES {
        let label = format!("twice_the_octets_of_{name}_cost_at_most_2.2_times_the_work");
        trials.push(Trial::test(label, move || linear(name)).with_ignored_flag(!there && !missing_in_ci));
    }
    // Comparing with the digest of a secret needs the feature that computes it.
    let compared: &[&'static str] =
        if cfg!(feature = "md5") { &["digest", "secret", "matches"] } else { &["digest", "secret"] };
    for &name in compared {
        let label = format!("a_{name}_compares_alike_wherever_it_differs");
        trials.push(Trial::test(label, move || constant(name)).with_ignored_flag(!there && !missing_in_ci));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

const SHAPES: [&str; 24] = [
    "body_dots",
    "body_cr",
    "body_lf",
    "body_x",
    "body_dotted_lines",
    "body_near_misses",
    "listing_rows",
    "listing_rows_with_more_spaces",
    "listing_rows_that_are_bad",
    "listing_without_end",
    "unique_id_rows",
    "capability_rows",
    "capability_rows_without_crlf",
    "answers_to_a_batch",
    "status_without_end",
    "challenge_without_end",
    "commands",
    "commands_with_numbers",
    "commands_that_end_in_lf",
    "refused_commands",
    "commands_that_are_too_long",
    "command_without_end",
    "response_without_end",
    "stuffing",
];

/// In one read, and octet by octet.
fn linear(name: &str) -> Result<(), Failed> {
    // What a limit bounds can only be measured below it: no more than that.
    const SIZE: usize = 3000;
    let idle = count(name, 0, 1)?;
    for reads in [65536, 1] {
        let (once, twice) = (count(name, SIZE, reads)?, count(name, 2 * SIZE, reads)?);
        let (once, twice) = (once.saturating_sub(idle), twice.saturating_sub(idle));
        // Below this the program's own start is what is counted.
        if once > 2000 && twice * 10 > once * 22 {
            return Err(
                format!("reads of {reads}: {once} instructions for {SIZE} octets, {twice} for twice as many").into()
            );
        }
        if once == 0 {
            return Err("no work was counted".into());
        }
    }
    Ok(())
}

fn constant(name: &str) -> Result<(), Failed> {
    let counts: Vec<u64> = [0, 1, 15, 16, 30, 31].into_iter().map(|at| count(name, at, 1)).collect::<Result<_, _>>()?;
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    // Each run compares a thousand times: an early exit would show as thousands.
    if most - least > 500 { Err(format!("{counts:?}").into()) } else { Ok(()) }
}

/// The instructions of one run.
fn count(name: &str, size: usize, reads: usize) -> Result<u64, Failed> {
    let output = Process::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        // As long for every size, so that nothing else differs.
        .env(WORK, format!("{name} {size:08} {reads:08}"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = report.lines().find_map(|line| line.split_once("Collected : "));
    match line.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(format!("valgrind failed: {report}").into()),
    }
}

fn run(name: &str, size: usize, reads: usize) {
    let line = |text: &[u8]| text.iter().copied().cycle().take(size).collect::<Vec<u8>>();
    match name {
        "body_dots" => hear("RETR", &line(b"."), reads),
        "body_cr" => hear("RETR", &line(b"\r"), reads),
        "body_lf" => hear("RETR", &line(b"\n"), reads),
        "body_x" => hear("RETR", &line(b"x"), reads),
        "body_dotted_lines" => hear("RETR", &line(b"..\r\n"), reads),
        "body_near_misses" => hear("RETR", &line(b"\n.\r\r\n.\n."), reads),
        "listing_rows" => hear("LIST", &line(b"1 2\r\n"), reads),
        "listing_rows_with_more_spaces" => hear("LIST", &line(b" 1  2 \r\n"), reads),
        "listing_rows_that_are_bad" => hear("LIST", &line(b"..x\r\n99999999999 1\r\n\r\n"), reads),
        "listing_without_end" => hear("LIST", &line(b"1"), reads),
        "unique_id_rows" => hear("UIDL", &line(b"1 whqtswO00WBw418f9t5JxYwZ\r\n"), reads),
        "capability_rows" => hear("CAPA", &line(b"TOP\r\nSASL PLAIN\r\nX-ODD with more\r\n"), reads),
        "capability_rows_without_crlf" => hear("CAPA", &line(b"TOP\n"), reads),
        "answers_to_a_batch" => batch(&line(b"+OK\r\n"), reads),
        "status_without_end" => hear("NOOP", &line(b"x"), reads),
        "challenge_without_end" => hear("AUTH", &line(b"+ "), reads),
        "commands" => serve(&line(b"NOOP\r\n"), reads),
        "commands_with_numbers" => serve(&line(b"RETR 1\r\nTOP 1 1\r\n"), reads),
        "commands_that_end_in_lf" => serve(&line(b"NOOP\n"), reads),
        "refused_commands" => serve(&line(b"RETR 0\r\n"), reads),
        "commands_that_are_too_long" => serve(&line(&[&[b'x'; 600][..], b"\r\n"].concat()), reads),
        "command_without_end" => serve(&line(b"x"), reads),
        "response_without_end" => serve(&[b"AUTH X-TWO\r\n", &line(b"A")[..]].concat(), reads),
        "stuffing" => stuff(&line(b".\n"), reads),
        "digest" => {
            let (one, other) = pair(size);
            let digest = |octets: &[u8]| Digest::new(octets).unwrap();
            let (one, other) = (digest(&one), digest(&other));
            (0..1000).for_each(|_| assert!(black_box(&one) != black_box(&other)));
        }
        "secret" => {
            let (one, other) = pair(size);
            let (one, other) = (Secret::from(&one[..]), Secret::from(&other[..]));
            (0..1000).for_each(|_| assert!(black_box(&one) != black_box(&other)));
        }
        "matches" => matches(size),
        _ => {}
    }
}

/// Two strings of 32 digits that differ at one place.
fn pair(at: usize) -> ([u8; 32], [u8; 32]) {
    let mut other = [b'a'; 32];
    other[at] = b'b';
    ([b'a'; 32], other)
}

#[cfg(feature = "md5")]
fn matches(at: usize) {
    let timestamp = pop3_proto::Timestamp::find(b"<a@b>").unwrap();
    let right = Digest::compute(&timestamp, b"tanstaaf");
    let mut digits = <[u8; 32]>::try_from(right.as_bytes()).unwrap();
    digits[at] = if digits[at] == b'0' { b'1' } else { b'0' };
    let wrong = Digest::new(&digits).unwrap();
    (0..100).for_each(|_| assert!(!black_box(&wrong).matches(&timestamp, b"tanstaaf")));
}

#[cfg(not(feature = "md5"))]
fn matches(_: usize) {}

/// A client hears this behind the `+OK` to a command.
fn hear(command: &str, octets: &[u8], reads: usize) {
    let config = Config::new().status_line(100_000).newlines(pop3_proto::wire::dot::Newlines::Canonical);
    let mut client = Client::over_tls(config, Peer::Verified);
    let answer = |client: &mut Client, command: &Command<'_>| {
        client.send(command, &mut Vec::new()).unwrap();
        client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    };
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    if command == "AUTH" {
        client = Client::over_tls(Config::new(), Peer::Verified);
        client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
        client.send(&Command::auth("X-TWO").unwrap(), &mut Vec::new()).unwrap();
    } else {
        answer(&mut client, &Command::user("a").unwrap());
        answer(&mut client, &Command::pass("b").unwrap());
    }
    match command {
        "RETR" => answer(&mut client, &Command::retr(1).unwrap()),
        "LIST" => answer(&mut client, &Command::List(None)),
        "UIDL" => answer(&mut client, &Command::Uidl(None)),
        "CAPA" => answer(&mut client, &Command::Capa),
        "NOOP" => client.send(&Command::Noop, &mut Vec::new()).unwrap(),
        _ => {}
    }
    for mut read in octets.chunks(reads) {
        while let Ok(Some(event)) = client.next_event(&mut read) {
            black_box(&event);
        }
    }
}

/// A client hears this in answer to as many commands as may be outstanding, and sends more when they are answered.
fn batch(octets: &[u8], reads: usize) {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    let mut out = Vec::new();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    for command in [Command::user("a").unwrap(), Command::pass("b").unwrap(), Command::Capa] {
        client.send(&command, &mut out).unwrap();
        let mut input = &b"+OK\r\nPIPELINING\r\n.\r\n"[..];
        let all = input.len();
        input = &input[..if command == Command::Capa { all } else { 5 }];
        while client.next_event(&mut input).unwrap().is_some() {}
    }
    // Each answer ends within a read of its own or the next.
    for round in octets.chunks(64 * 5) {
        (0..64).for_each(|_| client.send(&Command::Noop, &mut out).unwrap());
        for mut read in round.chunks(reads) {
            while let Ok(Some(event)) = client.next_event(&mut read) {
                black_box(&event);
            }
        }
        if client.outstanding() > 0 {
            break;
        }
        out.clear();
    }
}

/// A server is told this behind a login; AUTH, instead of one.
fn serve(octets: &[u8], reads: usize) {
    let (mut out, ok, no) = (Vec::new(), Reply::ok("").unwrap(), Reply::err("").unwrap());
    let config = Config::new().discarded(1_000_000).sasl_mechanisms(["X-TWO"]).unwrap();
    let mut server = Server::over_tls(config, Greeting::text("").unwrap(), &mut out);
    let mut tell = |mut read: &[u8]| {
        while let Ok(Some(_)) = server.next_event(&mut read, &mut out) {
            match server.owes() {
                Some(Verb::Auth) => server.challenge_line(b"", &mut out).unwrap(),
                Some(Verb::User | Verb::Pass | Verb::Noop) => server.reply(&ok, &mut out).unwrap(),
                Some(_) => server.reply(&no, &mut out).unwrap(),
                None => {}
            }
            out.clear();
        }
    };
    if !octets.starts_with(b"AUTH") {
        tell(b"USER a\r\nPASS b\r\n");
    }
    octets.chunks(reads).for_each(tell);
}

fn stuff(octets: &[u8], reads: usize) {
    let mut stuff = pop3_proto::wire::dot::Stuff::new(pop3_proto::wire::dot::Newlines::Canonical);
    let mut out = Vec::with_capacity(octets.len() * 3);
    for chunk in octets.chunks(reads) {
        stuff.encode(chunk, &mut out).unwrap();
    }
    black_box(&out);
}
