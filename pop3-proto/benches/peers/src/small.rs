//! 10,000 messages of 4 KB: what pipelining is for (RFC 2449 section 6.6).

use crate::House;
use crate::blaster::{self, Script};
use crate::clients::{client_room, fetch, run_to_end};
use crate::input::{self, Lines};
use crate::link;
use crate::results::Results;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

const COUNT: usize = 10_000;
const ROUND_TRIP: Duration = Duration::from_millis(1);

pub(crate) fn run(house: &House, results: &mut Results) -> Result<(), String> {
    let io = |error: std::io::Error| error.to_string();
    results.section("small");
    let texts: Vec<_> = (0..16).map(|seed| input::message(seed, 4_000, Lines::Lf)).collect();
    let server = |pipelining| blaster::start(Script::new(&texts, COUNT, pipelining)).map_err(io);
    let (pipelined, unpipelined) = (server(true)?, server(false)?);
    let room = client_room(house)?;

    // The client is the same, and pipelines where the server announces it.
    let row = "10,000 messages of 4 KB over a round trip of 1 ms";
    for (name, server) in [("fetch, pipelining", pipelined), ("fetch, one at a time", unpipelined)] {
        let address = link::start(server, ROUND_TRIP).map_err(io)?;
        // One at a time takes some twelve seconds, and no noise moves that.
        let rounds = house.rounds(if server == pipelined { 3 } else { 1 });
        report(results, row, name, rounds, || fetched(house, address, &room));
    }
    let row = "10,000 messages of 4 KB over loopback";
    let rounds = house.rounds(3);
    report(results, row, "fetch, pipelining", rounds, || fetched(house, pipelined, &room));
    report(results, row, "fetch, one at a time", rounds, || fetched(house, unpipelined, &room));
    for (name, pipelining) in [("mpop, pipelining", "on"), ("mpop, one at a time", "off")] {
        report(results, row, name, rounds, || mpop(pipelined, pipelining, &room));
    }
    report(results, row, "fetchmail", rounds, || fetchmail(pipelined, &room));
    fs::remove_dir_all(room).map_err(io)
}

fn report(
    results: &mut Results,
    row: &str,
    subject: &str,
    rounds: usize,
    mut seconds: impl FnMut() -> Result<f64, String>,
) {
    let rates: Result<Vec<f64>, String> =
        (0..rounds).map(|_| seconds().map(|seconds| COUNT as f64 / seconds)).collect();
    match rates {
        Ok(mut rates) => results.add(row, subject, crate::results::median(&mut rates), "messages/s"),
        Err(why) => results.skip(row, subject, &why),
    }
}

/// All messages, each in a file of its own.
fn fetched(house: &House, address: SocketAddr, room: &Path) -> Result<f64, String> {
    let directory = room.join("fetch");
    let took = fetch(house, address, &directory, &[]);
    let came = fs::read_dir(&directory).map_err(|error| error.to_string())?.count();
    let _ = fs::remove_dir_all(directory);
    if came == COUNT { took } else { Err(format!("{came} of {COUNT} messages: {}", took.err().unwrap_or_default())) }
}

fn mpop(address: SocketAddr, pipelining: &str, room: &Path) -> Result<f64, String> {
    let directory = room.join("mpop");
    for folder in ["cur", "new", "tmp"] {
        fs::create_dir_all(directory.join(folder)).map_err(|error| error.to_string())?;
    }
    let uidls = directory.join("uidls");
    let took = run_to_end(
        "mpop",
        &[
            "--host=127.0.0.1",
            &format!("--port={}", address.port()),
            "--user=mrose",
            "--passwordeval=echo tanstaaf",
            "--auth=user",
            "--tls=off",
            "--quiet",
            &format!("--pipelining={pipelining}"),
            &format!("--uidls-file={}", uidls.display()),
            &format!("--delivery=maildir,{}", directory.display()),
        ],
    );
    let came = fs::read_dir(directory.join("new")).map_err(|error| error.to_string())?.count();
    let _ = fs::remove_dir_all(directory);
    if came == COUNT { took } else { Err(format!("{came} of {COUNT} messages: {}", took.err().unwrap_or_default())) }
}

/// Into one file in the format of BSMTP: the least that fetchmail can do with mail.
fn fetchmail(address: SocketAddr, room: &Path) -> Result<f64, String> {
    let io = |error: std::io::Error| error.to_string();
    let directory = room.join("fetchmail");
    fs::create_dir_all(&directory).map_err(io)?;
    let (rc, mail) = (directory.join("rc"), directory.join("mail"));
    fs::write(
        &rc,
        format!(
            "poll 127.0.0.1 service {} protocol pop3 no dns:\n user mrose password tanstaaf is root here\n \
             options keep fetchall no rewrite no mimedecode sslproto '' bsmtp {}\n",
            address.port(),
            mail.display()
        ),
    )
    .map_err(io)?;
    restrict(&rc)?;
    let home = format!("FETCHMAILHOME={}", directory.display());
    let took = run_to_end("env", &[&home, "fetchmail", "--nodetach", "--silent", "-f", &rc.to_string_lossy()]);
    let octets = fs::metadata(&mail).map(|metadata| metadata.len()).unwrap_or_default();
    let _ = fs::remove_dir_all(directory);
    if octets > 39_000_000 { took } else { Err(format!("{octets} octets: {}", took.err().unwrap_or_default())) }
}

/// fetchmail reads no file that others could.
fn restrict(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(|error| error.to_string())
}
