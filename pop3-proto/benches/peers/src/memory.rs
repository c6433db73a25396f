//! Crates that can be driven in memory: the same octets, one thread, no socket.

use crate::House;
use crate::input::{self, Lines};
use crate::results::{Results, in_turn};
use pop3_proto::{Client, Command, Config, Event, Greeting, Incoming, Maildrop, MessageNumber, Server};
use std::hint::black_box;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const OURS: &str = "pop3-proto";
/// How much of the wire a client gets at a time.
const READ: usize = 16 * 1024;

type Failure = Box<dyn std::error::Error>;
/// Does the work once, and gives how much it was.
type Work<'a> = Box<dyn FnMut() -> Result<usize, Failure> + 'a>;

pub(crate) fn run(house: &House, results: &mut Results) -> Result<(), String> {
    results.section("memory");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|error| error.to_string())?;

    // async-pop looks at all that has come, each time that more comes, and pop3-codec wants all of it at once and makes a
    // String of each line. A megabyte is a size that all of them can be measured with.
    for (octets, row) in [(1_000_000, "message of 1 MB"), (50_000_000, "message of 50 MB")] {
        let text = input::message(1, octets, Lines::Crlf);
        let wire = [&b"+OK\r\n"[..], &input::on_the_wire(&text)].concat();
        let mut subjects: Vec<(&str, Work<'_>)> = vec![
            (OURS, Box::new(|| client(Command::Retr(MessageNumber::FIRST), &wire))),
            ("smtp-proto (DATA, copies)", Box::new(|| smtp_data(&wire[5..]))),
        ];
        if octets == 1_000_000 {
            subjects.push((
                "pop3-codec",
                Box::new(|| match pop3_codec::parse::response_retr(&wire) {
                    Ok(([], response)) => Ok(black_box(response).unwrap().body.len()),
                    _ => Err("not parsed".into()),
                }),
            ));
            subjects.push((
                "async-pop",
                Box::new(|| runtime.block_on(async { Ok(async_pop(&wire).await?.retr(1).await?.len()) })),
            ));
        }
        report(house, results, row, &mut subjects, |took, _| wire.len() as f64 / took / 1e6, "MB/s");
    }

    let rows = 10_000;
    let mut listing = b"+OK\r\n".to_vec();
    for number in 1..=rows {
        listing.extend_from_slice(format!("{number} {}.M{number}P1.example\r\n", 1_700_000_000 + number).as_bytes());
    }
    listing.extend_from_slice(b".\r\n");
    let mut subjects: Vec<(&str, Work<'_>)> = vec![
        (OURS, Box::new(|| client(Command::Uidl(None), &listing))),
        (
            "pop3-codec",
            Box::new(|| match pop3_codec::parse::response_uidl_all(&listing) {
                Ok(([], response)) => Ok(black_box(response).unwrap().body.len()),
                _ => Err("not parsed".into()),
            }),
        ),
        (
            "async-pop",
            Box::new(|| {
                runtime.block_on(async {
                    black_box(async_pop(&listing).await?.uidl(None).await?);
                    Ok(rows)
                })
            }),
        ),
    ];
    report(house, results, "unique-id listing of 10,000", &mut subjects, |took, _| took / rows as f64 * 1e9, "ns/row");

    for (line, row) in [("NOOP\r\n", "command NOOP"), ("RETR 4711\r\n", "command RETR")] {
        let commands = line.repeat(10_000);
        let mut subjects: Vec<(&str, Work<'_>)> = vec![
            (OURS, Box::new(|| server(commands.as_bytes()))),
            (
                "pop3-codec",
                Box::new(|| {
                    let (mut rest, mut count) = (commands.as_bytes(), 0);
                    while !rest.is_empty() {
                        let (behind, command) = pop3_codec::parse::command(rest).map_err(|_| "not parsed")?;
                        black_box(command);
                        rest = behind;
                        count += 1;
                    }
                    Ok(count)
                }),
            ),
        ];
        if line.starts_with("NOOP") {
            subjects.push((
                "smtp-proto",
                Box::new(|| {
                    let (mut octets, mut count) = (commands.as_bytes().iter(), 0);
                    while !octets.as_slice().is_empty() {
                        let request = smtp_proto::Request::parse(&mut octets);
                        black_box(request.map_err(|error| format!("{error:?}"))?);
                        count += 1;
                    }
                    Ok(count)
                }),
            ));
        }
        report(house, results, row, &mut subjects, |took, count| took / count as f64 * 1e9, "ns");
    }
    Ok(())
}

/// Repeats the work until it has taken long enough to be measured, and gives the seconds of one time.
fn report(
    house: &House,
    results: &mut Results,
    row: &str,
    subjects: &mut [(&str, Work<'_>)],
    figure: impl Fn(f64, usize) -> f64,
    unit: &str,
) {
    let measured = in_turn(house.rounds(7), subjects, |(_, work)| {
        let (began, mut times, mut amount) = (Instant::now(), 0_u32, 0);
        while began.elapsed().as_millis() < 40 {
            amount = work().map_err(|error| error.to_string())?;
            times += 1;
        }
        Ok(figure(began.elapsed().as_secs_f64() / f64::from(times), amount))
    });
    for ((name, _), value) in subjects.iter().zip(measured) {
        match value {
            Ok(value) => results.add(row, name, value, unit),
            Err(why) => results.skip(row, name, &why),
        }
    }
}

/// The answer, in reads; gives the events.
fn client(command: Command<'_>, answer: &[u8]) -> Result<usize, Failure> {
    let mut client = logged_in(&Arc::new(Config::new().allow_cleartext_login()))?;
    let (mut out, mut events) = (Vec::new(), 0);
    client.send(&command, &mut out)?;
    for read in answer.chunks(READ) {
        let mut input = read;
        while let Some(event) = client.next_event(&mut input)? {
            if let Event::Err { .. } | Event::BadRow { .. } = event {
                return Err("refused".into());
            }
            black_box(event);
            events += 1;
        }
    }
    if client.outstanding() == 0 { Ok(events) } else { Err("no end".into()) }
}

pub(crate) fn logged_in(config: &Arc<Config>) -> Result<Client, Failure> {
    let mut client = Client::with_config(Arc::clone(config));
    let mut out = Vec::new();
    let mut input: &[u8] = b"+OK\r\n";
    while client.next_event(&mut input)?.is_some() {}
    for command in [Command::user("mrose")?, Command::pass("tanstaaf")?] {
        client.send(&command, &mut out)?;
        let mut input: &[u8] = b"+OK\r\n";
        while client.next_event(&mut input)?.is_some() {}
    }
    Ok(client)
}

/// A maildrop of no message: RETR is refused as it would be answered.
fn server(commands: &[u8]) -> Result<usize, Failure> {
    let mut out = Vec::with_capacity(1 << 20);
    let mut server = Server::new(Config::new().allow_cleartext_login(), Greeting::text("ready")?, &mut out);
    let mut maildrop = Maildrop::default();
    let mut input: &[u8] = b"USER mrose\r\nPASS tanstaaf\r\n";
    while let Some(incoming) = server.next_event(&mut input, &mut out)? {
        match incoming {
            Incoming::Login(_) => server.reply(&pop3_proto::Reply::ok("")?, &mut out)?,
            other => maildrop.answer(&other, &mut server, &mut out)?,
        }
    }
    let mut count = 0;
    for read in commands.chunks(READ) {
        let mut input = read;
        while let Some(incoming) = server.next_event(&mut input, &mut out)? {
            maildrop.answer(&incoming, &mut server, &mut out)?;
            count += 1;
        }
        black_box(&out);
        out.clear();
    }
    Ok(count)
}

fn smtp_data(wire: &[u8]) -> Result<usize, Failure> {
    let mut receiver = smtp_proto::request::receiver::DataReceiver::new();
    let (mut text, mut octets) = (Vec::with_capacity(READ), 0);
    for read in wire.chunks(READ) {
        text.clear();
        let over = receiver.ingest(&mut read.iter(), &mut text);
        octets += black_box(&text).len();
        if over {
            return Ok(octets);
        }
    }
    Err("no end".into())
}

async fn async_pop(answer: &[u8]) -> Result<async_pop::Client<Wire<'_>>, Failure> {
    let greeted = async_pop::new(Wire { login: b"+OK ready\r\n".to_vec(), answer }).await?;
    let mut client = greeted;
    client.login("mrose", "tanstaaf").await?;
    Ok(client)
}

/// Answers `+OK` to what comes until PASS has, an empty list to CAPA, and then with the one answer.
#[derive(Debug)]
struct Wire<'a> {
    login: Vec<u8>,
    answer: &'a [u8],
}

impl AsyncRead for Wire<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.login.is_empty() {
            let (now, later) = self.answer.split_at(self.answer.len().min(buffer.remaining()).min(READ));
            buffer.put_slice(now);
            self.answer = later;
        } else {
            buffer.put_slice(&self.login);
            self.login.clear();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if octets.starts_with(b"CAPA") {
            self.login.extend_from_slice(b"+OK\r\nUSER\r\nUIDL\r\n.\r\n");
        } else if octets.starts_with(b"USER") || octets.starts_with(b"PASS") {
            self.login.extend_from_slice(b"+OK\r\n");
        }
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
