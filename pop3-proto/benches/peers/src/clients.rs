//! Clients over loopback. All read the same message from the blaster, which holds nobody up; a raw sink is the limit.

use crate::House;
use crate::blaster::{self, Script};
use crate::input::{self, Lines};
use crate::reader::Reader;
use crate::results::{Results, in_turn};
use pop3_proto::{Client, Command, Config, Event, Verb};
use rust_pop3_client::{Pop3Connection as _, Pop3ConnectionFactory};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process;
use std::time::Instant;

type Measure<'a> = Box<dyn FnMut() -> Result<f64, String> + 'a>;

/// Gives the seconds, by its own clock or from the beginning of its process to its end.
struct Subject<'a> {
    name: &'static str,
    measure: Measure<'a>,
}

fn subject<'a>(name: &'static str, measure: impl FnMut() -> Result<f64, String> + 'a) -> Subject<'a> {
    Subject { name, measure: Box::new(measure) }
}

pub(crate) fn run(house: &House, results: &mut Results) -> Result<(), String> {
    results.section("clients");
    let octets = 50_000_000;
    let text = input::message(50, octets, Lines::Lf);
    let script = Script::new(&[text], 1, true);
    let wire = script.retr[0].len();
    let address = blaster::start(script).map_err(|error| error.to_string())?;
    let port = address.port().to_string();
    let scripts = house.root.join("pop3-proto/benches/peers/clients");
    let own_clock = |program: &str, arguments: &[&str]| seconds_said(program, arguments);

    let mut subjects = vec![
        subject("raw sink", || timed(|| Reader::login(address, "mrose", "tanstaaf")?.block("RETR 1").map(drop))),
        subject("pop3-proto, thin driver", || thin_driver(address).map_err(|error| error.to_string())),
        subject("libcurl, 64 KiB buffer", || own_clock("python3", &[&at(&scripts, "libcurl.py"), &port, "65536", "1"])),
        subject("libcurl, as it comes", || own_clock("python3", &[&at(&scripts, "libcurl.py"), &port, "0", "1"])),
        subject("node-pop3", || {
            let module = house.root.join("target/peers/node_modules/node-pop3");
            own_clock("node", &[&at(&scripts, "node_pop3.mjs"), &module.to_string_lossy(), &port, "1"])
        }),
        subject("rust-pop3-client", || {
            let error = |error: Box<dyn std::error::Error>| error.to_string();
            let mut connection = Pop3ConnectionFactory::without_tls("127.0.0.1", address.port()).map_err(error)?;
            connection.login("mrose", "tanstaaf").map_err(error)?;
            let began = Instant::now();
            connection.retrieve(1, &mut io::sink()).map_err(error)?;
            Ok(began.elapsed().as_secs_f64())
        }),
        subject("poplib", || own_clock("python3", &[&at(&scripts, "poplib_retr.py"), &port, "1"])),
        subject("Net::POP3", || own_clock("perl", &[&at(&scripts, "net_pop3.pl"), &port, "1"])),
    ];
    let rate = |seconds: f64| wire as f64 / seconds / 1e6;
    report(house, results, "RETR of 50 MB, to nowhere", &mut subjects, rate, "MB/s", 7);

    // Into a file, from the start of the program to its end.
    let room = client_room(house)?;
    let mut subjects = vec![
        subject("raw sink", || timed(|| sink_to_file(address, &room.join("sink")))),
        subject("fetch", || {
            let directory = room.join("fetch");
            let took = fetch(house, address, &directory, &[]);
            let _ = std::fs::remove_dir_all(directory);
            took
        }),
        subject("curl", || {
            let url = format!("pop3://127.0.0.1:{port}/1");
            run_to_end("curl", &["-sS", "--user", "mrose:tanstaaf", "-o", &room.join("curl").to_string_lossy(), &url])
        }),
    ];
    report(house, results, "RETR of 50 MB, into a file", &mut subjects, rate, "MB/s", 7);
    drop(subjects);
    std::fs::remove_dir_all(room).map_err(|error| error.to_string())
}

fn report(
    house: &House,
    results: &mut Results,
    row: &str,
    subjects: &mut [Subject<'_>],
    rate: impl Fn(f64) -> f64,
    unit: &str,
    rounds: usize,
) {
    let measured = in_turn(house.rounds(rounds), subjects, |subject| (subject.measure)().map(&rate));
    for (subject, value) in subjects.iter().zip(measured) {
        match value {
            Ok(value) => results.add(row, subject.name, value, unit),
            Err(why) => results.skip(row, subject.name, &why),
        }
    }
}

fn at(directory: &Path, file: &str) -> String {
    directory.join(file).to_string_lossy().into_owned()
}

fn timed(work: impl FnOnce() -> io::Result<()>) -> Result<f64, String> {
    let began = Instant::now();
    work().map_err(|error| error.to_string())?;
    Ok(began.elapsed().as_secs_f64())
}

/// The loop of the guide, and a buffer of the size that suits the socket. Gives the seconds of RETR.
fn thin_driver(address: SocketAddr) -> Result<f64, Box<dyn std::error::Error>> {
    let mut socket = TcpStream::connect(address)?;
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out) = (vec![0; 256 * 1024], Vec::new());
    let (mut octets, mut began) = (0, Instant::now());
    loop {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            client.handle_eof()?;
            return Err("closed".into());
        }
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::user("mrose")?, &mut out)?,
                Event::Ok { to: Verb::User, .. } => client.send(&Command::pass("tanstaaf")?, &mut out)?,
                Event::Ok { to: Verb::Pass, .. } => {
                    began = Instant::now();
                    client.send(&Command::Retr(pop3_proto::MessageNumber::FIRST), &mut out)?;
                }
                Event::Body(text) => octets += text.len(),
                Event::End { .. } if octets > 0 => return Ok(began.elapsed().as_secs_f64()),
                Event::Err { to, text, .. } => return Err(format!("{to}: {text}").into()),
                _ => {}
            }
        }
        socket.write_all(&out)?;
        out.clear();
    }
}

/// What a client that writes a file cannot be faster than: reads and writes, and nothing else.
fn sink_to_file(address: SocketAddr, path: &Path) -> io::Result<()> {
    let mut socket = TcpStream::connect(address)?;
    socket.write_all(b"RETR 1\r\n")?;
    let (mut file, mut buffer) = (File::create(path)?, vec![0; 256 * 1024]);
    loop {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        file.write_all(&buffer[..n])?;
        if buffer[..n].ends_with(b"\r\n.\r\n") {
            return file.sync_all();
        }
    }
}

/// The example `fetch`, from its start to its end; it may have more options.
pub(crate) fn fetch(house: &House, address: SocketAddr, directory: &Path, options: &[&str]) -> Result<f64, String> {
    let password = house.room.join("password");
    std::fs::write(&password, "tanstaaf\n").map_err(|error| error.to_string())?;
    let program = house.example("fetch").to_string_lossy().into_owned();
    let (place, password, directory) = (address.to_string(), password.to_string_lossy(), directory.to_string_lossy());
    let mut arguments = vec!["--allow-cleartext", "--user", "mrose", "--password-file", &password];
    arguments.extend(options);
    arguments.extend([place.as_str(), &directory]);
    run_to_end(&program, &arguments)
}

/// A program from its start to its end, in seconds.
pub(crate) fn run_to_end(program: &str, arguments: &[&str]) -> Result<f64, String> {
    let began = Instant::now();
    output(program, arguments)?;
    Ok(began.elapsed().as_secs_f64())
}

/// A program that says itself how long it took.
fn seconds_said(program: &str, arguments: &[&str]) -> Result<f64, String> {
    let said = output(program, arguments)?;
    said.trim().parse().map_err(|_| format!("{program} said {said:?}"))
}

fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let mut command = process::Command::new("timeout");
    command.args(["--kill-after=5", "180", program]).args(arguments).stdin(process::Stdio::null());
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{program}: {}: {}", output.status, words.lines().last().unwrap_or_default()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A directory for what clients write.
pub(crate) fn client_room(house: &House) -> Result<PathBuf, String> {
    let room = house.room.join("clients");
    std::fs::create_dir_all(&room).map_err(|error| format!("{}: {error}", room.display()))?;
    Ok(room)
}
