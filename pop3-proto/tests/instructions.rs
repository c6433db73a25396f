//! P15 and P26, by counting instructions: digests compare alike wherever they differ, and twice the octets cost at most
//! 2.2 times the work, whatever the peer sends and however it is cut.
//!
//! Broken if a comparison stopped at the first difference, or if any octet of a line or message were looked at again for
//! each read. The program runs itself once under valgrind, which writes down what each piece of work costs; where valgrind
//! is missing, the tests count as ignored, and in CI as failed.

use libtest_mimic::{Arguments, Failed, Trial};
use pop3_proto::wire::dot::{Newlines, Stuff};
use pop3_proto::{Client, Command, Config, Digest, Greeting, Peer, Reply, Secret, Server, Verb};
use std::collections::BTreeMap;
use std::hint::black_box;
use std::process::{Command as Process, ExitCode, Stdio};
use std::sync::OnceLock;

const WORK: &str = "POP3_PROTO_WORK";

fn main() -> ExitCode {
    if std::env::var_os(WORK).is_some() {
        for (name, size, reads) in pieces() {
            measured(name, &octets(name, size), reads);
        }
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
    for name in COMPARED {
        let label = format!("a_{name}_compares_alike_wherever_it_differs");
        trials.push(Trial::test(label, move || constant(name)).with_ignored_flag(!there && !missing_in_ci));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

const SHAPES: [&str; 28] = [
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
    "stuffing_of_bare_crs",
    "stuffing_that_rejects",
    "stuffing_in_slices",
    "text_that_is_stuffed",
];

/// What is compared. Comparing with the digest of a secret needs the feature that computes it.
const COMPARED: &[&str] = if cfg!(feature = "md5") { &["digest", "secret", "matches"] } else { &["digest", "secret"] };

/// What a limit bounds can only be measured below it: no more octets than that, and twice.
const SIZE: usize = 3000;

/// In one read, and octet by octet.
const READS: [usize; 2] = [65536, 1];

/// Where two digests differ.
const PLACES: [usize; 6] = [0, 1, 15, 16, 30, 31];

/// A piece of work: its name, how many octets (or the place), and how many octets a read has.
type Piece = (&'static str, usize, usize);

/// All pieces of work, in the order in which they are counted.
fn pieces() -> Vec<Piece> {
    let shapes = SHAPES
        .iter()
        .flat_map(|&name| READS.into_iter().flat_map(move |reads| [0, SIZE, 2 * SIZE].map(|size| (name, size, reads))));
    shapes.chain(COMPARED.iter().flat_map(|&name| PLACES.map(|at| (name, at, 1)))).collect()
}

fn linear(name: &'static str) -> Result<(), Failed> {
    for reads in READS {
        let idle = count(name, 0, reads)?;
        let [once, twice] = [SIZE, 2 * SIZE].map(|size| count(name, size, reads));
        let (once, twice) = (once?.saturating_sub(idle), twice?.saturating_sub(idle));
        if once < 1000 || twice <= once {
            return Err(format!("reads of {reads}: {once} and {twice} instructions are no work").into());
        }
        if twice * 10 > once * 22 {
            return Err(
                format!("reads of {reads}: {once} instructions for {SIZE} octets, {twice} for twice as many").into()
            );
        }
    }
    Ok(())
}

fn constant(name: &'static str) -> Result<(), Failed> {
    let counts: Vec<u64> = PLACES.into_iter().map(|at| count(name, at, 1)).collect::<Result<_, _>>()?;
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    // Each piece compares a hundred times or more: an early exit would show as thousands.
    if least > 1000 && most - least <= 500 { Ok(()) } else { Err(format!("{counts:?}").into()) }
}

/// The instructions of a piece of work.
fn count(name: &'static str, size: usize, reads: usize) -> Result<u64, Failed> {
    static COUNTS: OnceLock<Result<BTreeMap<Piece, u64>, String>> = OnceLock::new();
    let counts = COUNTS.get_or_init(|| counts().map_err(|error| error.to_string()));
    counts.as_ref().map(|counts| counts[&(name, size, reads)]).map_err(Failed::from)
}

/// Runs this program under valgrind, which collects within `measured` and writes a file whenever that returns.
fn counts() -> Result<BTreeMap<Piece, u64>, Box<dyn std::error::Error>> {
    let dumps = tempfile::tempdir()?;
    let output = Process::new("valgrind")
        .args(["--tool=callgrind", "--toggle-collect=*instructions::measured", "--dump-after=*instructions::measured"])
        .arg(format!("--callgrind-out-file={}/dump", dumps.path().display()))
        .arg(std::env::current_exe()?)
        .env(WORK, "1")
        .output()?;
    if !output.status.success() {
        return Err(format!("valgrind failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    let total = |part: usize| -> Result<u64, Box<dyn std::error::Error>> {
        let dump = std::fs::read_to_string(dumps.path().join(format!("dump.{part}")))?;
        let total = dump.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(total.ok_or("a dump has no total")?.trim().parse()?)
    };
    pieces().into_iter().zip(1..).map(|(piece, part)| Ok((piece, total(part)?))).collect()
}

/// What is counted; valgrind knows it by its name.
#[inline(never)]
fn measured(name: &str, octets: &[u8], reads: usize) {
    match name {
        "answers_to_a_batch" => batch(octets, reads),
        "stuffing" => stuff(Newlines::Canonical, octets, reads),
        "stuffing_of_bare_crs" => stuff(Newlines::CanonicalAll, octets, reads),
        "stuffing_that_rejects" => stuff(Newlines::Reject, octets, reads),
        "stuffing_in_slices" => slices(octets, reads),
        "text_that_is_stuffed" => pass(octets, reads),
        "digest" => {
            let (one, other) = octets.split_at(32);
            let (one, other) = (Digest::new(one).unwrap(), Digest::new(other).unwrap());
            (0..1000).for_each(|_| assert!(black_box(&one) != black_box(&other)));
        }
        "secret" => {
            let (one, other) = octets.split_at(32);
            let (one, other) = (Secret::from(one), Secret::from(other));
            (0..1000).for_each(|_| assert!(black_box(&one) != black_box(&other)));
        }
        "matches" => matches(octets),
        _ => match CLIENTS.iter().find(|(shape, _)| *shape == name) {
            Some((_, command)) => hear(command, octets, reads),
            None => serve(octets, reads),
        },
    }
}

/// What a client hears, and the command that it answers; the other shapes are for the server.
const CLIENTS: [(&str, &str); 15] = [
    ("body_dots", "RETR"),
    ("body_cr", "RETR"),
    ("body_lf", "RETR"),
    ("body_x", "RETR"),
    ("body_dotted_lines", "RETR"),
    ("body_near_misses", "RETR"),
    ("listing_rows", "LIST"),
    ("listing_rows_with_more_spaces", "LIST"),
    ("listing_rows_that_are_bad", "LIST"),
    ("listing_without_end", "LIST"),
    ("unique_id_rows", "UIDL"),
    ("capability_rows", "CAPA"),
    ("capability_rows_without_crlf", "CAPA"),
    ("status_without_end", "NOOP"),
    ("challenge_without_end", "AUTH"),
];

/// The octets of a shape; what is compared, as two strings of 32 digits.
fn octets(name: &str, size: usize) -> Vec<u8> {
    let line = |text: &[u8]| text.iter().copied().cycle().take(size).collect::<Vec<u8>>();
    match name {
        "body_dots" => line(b"."),
        "body_cr" => line(b"\r"),
        "body_lf" => line(b"\n"),
        "body_x" | "status_without_end" | "command_without_end" => line(b"x"),
        "body_dotted_lines" => line(b"..\r\n"),
        "body_near_misses" => line(b"\n.\r\r\n.\n."),
        "listing_rows" => line(b"1 2\r\n"),
        "listing_rows_with_more_spaces" => line(b" 1  2 \r\n"),
        "listing_rows_that_are_bad" => line(b"..x\r\n99999999999 1\r\n\r\n"),
        "listing_without_end" => line(b"1"),
        "unique_id_rows" => line(b"1 whqtswO00WBw418f9t5JxYwZ\r\n"),
        "capability_rows" => line(b"TOP\r\nSASL PLAIN\r\nX-ODD with more\r\n"),
        "capability_rows_without_crlf" => line(b"TOP\n"),
        "answers_to_a_batch" => line(b"+OK\r\n"),
        "challenge_without_end" => line(b"+ "),
        "commands" => line(b"NOOP\r\n"),
        "commands_with_numbers" => line(b"RETR 1\r\nTOP 1 1\r\n"),
        "commands_that_end_in_lf" => line(b"NOOP\n"),
        "refused_commands" => line(b"RETR 0\r\n"),
        "commands_that_are_too_long" => line(&[&[b'x'; 600][..], b"\r\n"].concat()),
        "response_without_end" => [b"AUTH X-TWO\r\n", &line(b"A")[..]].concat(),
        "stuffing" => line(b".\n"),
        "stuffing_in_slices" => line(b".\n\r\n"),
        "stuffing_of_bare_crs" => line(b"\r.\r\r\n"),
        "stuffing_that_rejects" => line(b".\r\n"),
        "text_that_is_stuffed" => line(b"..\r\n.\rx\0\n"),
        "digest" | "secret" => pair(size).concat(),
        "matches" => nearly_right(size).concat(),
        other => panic!("what is {other}?"),
    }
}

/// Two strings of 32 digits that differ at one place.
fn pair(at: usize) -> [[u8; 32]; 2] {
    let mut other = [b'a'; 32];
    other[at] = b'b';
    [[b'a'; 32], other]
}

/// The digest of a secret, and one that differs at one place.
#[cfg(feature = "md5")]
fn nearly_right(at: usize) -> [[u8; 32]; 2] {
    let timestamp = pop3_proto::Timestamp::find(b"<a@b>").unwrap();
    let right = <[u8; 32]>::try_from(Digest::compute(&timestamp, b"tanstaaf").as_bytes()).unwrap();
    let mut wrong = right;
    wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
    [right, wrong]
}

#[cfg(not(feature = "md5"))]
fn nearly_right(at: usize) -> [[u8; 32]; 2] {
    pair(at)
}

#[cfg(feature = "md5")]
fn matches(octets: &[u8]) {
    let timestamp = pop3_proto::Timestamp::find(b"<a@b>").unwrap();
    let wrong = Digest::new(&octets[32..]).unwrap();
    (0..100).for_each(|_| assert!(!black_box(&wrong).matches(&timestamp, b"tanstaaf")));
}

#[cfg(not(feature = "md5"))]
fn matches(_: &[u8]) {}

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

fn stuff(newlines: Newlines, octets: &[u8], reads: usize) {
    let mut stuff = Stuff::new(newlines);
    let mut out = Vec::with_capacity(octets.len() * 3);
    for chunk in octets.chunks(reads) {
        stuff.encode(chunk, &mut out).unwrap();
    }
    black_box(&out);
}

fn slices(octets: &[u8], reads: usize) {
    let mut stuff = Stuff::new(Newlines::Canonical);
    for chunk in octets.chunks(reads) {
        stuff.segments(chunk).unwrap().for_each(|segment| {
            black_box(segment);
        });
    }
}

/// A server that passes on text as it came.
fn pass(octets: &[u8], reads: usize) {
    let mut out = Vec::with_capacity(octets.len() + 1024);
    let config = Config::new().allow_cleartext_login();
    let mut server = Server::new(config, Greeting::text("ready").unwrap(), &mut out);
    let mut input = &b"USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\n"[..];
    for _ in 0..2 {
        server.next_event(&mut input, &mut out).unwrap();
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    }
    server.next_event(&mut input, &mut out).unwrap();
    server.begin("", &mut out).unwrap();
    for chunk in octets.chunks(reads) {
        server.body_stuffed(chunk, &mut out).unwrap();
    }
    black_box(&out);
}
