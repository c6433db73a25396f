//! Many: idle sessions in one process, connections that all download at once, messages in one maildrop.

use crate::House;
use crate::input::Random;
use crate::process;
use crate::reader::Reader;
use crate::results::Results;
use crate::servers::login;
use crate::weight;
use pop3_proto::{
    Client, Command, Config, Event, Greeting, Incoming, Maildrop, MessageNumber, Misuse, Reconciliation, Reply, Server,
    Verb,
};
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn run(house: &House, results: &mut Results) -> Result<(), String> {
    results.section("scale");
    let words = |error: Failure| error.to_string();
    for what in weight::ALL {
        results.add(what.row, what.subject, what.in_a_process_of_its_own()?, what.unit);
    }
    million(house, results).map_err(words)?;
    crowd(house, results).map_err(words)
}

pub(crate) const MILLION: u32 = 1_000_000;

/// A maildrop of a million messages over loopback: login, STAT, LIST, UIDL, and the listing held against what is known.
fn million(house: &House, results: &mut Results) -> Result<(), Failure> {
    let count = if house.quick { MILLION / 10 } else { MILLION };
    let named = if house.quick { "100,000 messages" } else { "1,000,000 messages" };
    let began = Instant::now();
    let maildrop = maildrop(count)?;
    results.add(&format!("{named}: maildrop made"), "Maildrop", began.elapsed().as_secs_f64() * 1e3, "ms");

    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || serve(&listener, maildrop));

    // All but every tenth are known from before.
    let mut known = Reconciliation::new(256 << 20);
    for number in (1..=count).filter(|number| number % 10 != 0) {
        known.remember(unique_id(number).as_bytes())?;
    }
    let mut session = Session::login(address, "mrose")?;
    let mut listed = 0_u32;
    let began = Instant::now();
    session.ask(&Command::List(None), |event| {
        if let Event::Scan(row) = event {
            listed += u32::from(row.octets == u64::from(row.number.get() % 5_000) + 300);
        }
    })?;
    results.add(&format!("{named}: LIST"), "Client and Server", began.elapsed().as_secs_f64() * 1e3, "ms");
    let (mut new, mut odd) = (0_u32, 0_u32);
    let began = Instant::now();
    session.ask(&Command::Uidl(None), |event| {
        if let Event::UniqueId(row) = event {
            match known.listed(&row) {
                Ok(pop3_proto::Finding::New) => new += u32::from(row.number.get() % 10 == 0),
                Ok(pop3_proto::Finding::Known) => {}
                _ => odd += 1,
            }
        }
    })?;
    results.add(&format!("{named}: UIDL, reconciled"), "Client and Server", began.elapsed().as_secs_f64() * 1e3, "ms");
    session.ask(&Command::Quit, |_| {})?;
    server.join().map_err(|_| "the server panicked")??;
    let expected = (count, count / 10, 0, 0);
    let got = (listed, new, odd, known.gone().count());
    if got == expected { Ok(()) } else { Err(format!("listed, new, odd, gone: {got:?}, and not {expected:?}").into()) }
}

pub(crate) fn maildrop(messages: u32) -> Result<Maildrop, Failure> {
    Ok(Maildrop::new((1..=messages).map(|number| (u64::from(number % 5_000) + 300, unique_id(number))))?)
}

fn unique_id(number: u32) -> String {
    format!("{}.M{number}P1.example", 1_700_000_000 + number)
}

/// One connection, and listings written as they go.
fn serve(listener: &TcpListener, mut maildrop: Maildrop) -> Result<(), Failure> {
    let (mut socket, _) = listener.accept()?;
    socket.set_nodelay(true)?;
    let (mut buffer, mut out) = (vec![0; 4096], Vec::new());
    let mut server = Server::new(Config::new().allow_cleartext_login(), Greeting::text("ready")?, &mut out);
    loop {
        socket.write_all(&out)?;
        out.clear();
        if server.is_over() {
            return Ok(());
        }
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            server.handle_eof();
            return Err("the client went away".into());
        }
        let mut input = &buffer[..n];
        while let Some(incoming) = server.next_event(&mut input, &mut out)? {
            let mut flush = |out: &mut Vec<u8>| -> Result<(), Failure> {
                if out.len() >= 64 * 1024 {
                    socket.write_all(out)?;
                    out.clear();
                }
                Ok(())
            };
            match incoming {
                Incoming::Login(_) => server.reply(&Reply::ok("logged in")?, &mut out)?,
                Incoming::Update => server.reply(&Reply::ok("bye")?, &mut out)?,
                Incoming::Command(Command::List(None)) => {
                    server.begin("scan listing follows", &mut out)?;
                    for row in maildrop.scan_listings() {
                        server.listing(row, &mut out)?;
                        flush(&mut out)?;
                    }
                    server.end(&mut out)?;
                }
                Incoming::Command(Command::Uidl(None)) => {
                    server.begin("unique-id listing follows", &mut out)?;
                    for row in maildrop.unique_id_listings() {
                        server.listing(row, &mut out)?;
                        flush(&mut out)?;
                    }
                    server.end(&mut out)?;
                }
                other => maildrop.answer(&other, &mut server, &mut out)?,
            }
        }
    }
}

const CROWD: usize = 1_000;
const EACH: u32 = 10;

/// A thousand connections to `maildir_server`, each with a maildrop of its own. All ask for all of their messages at once, and
/// each octet is compared.
fn crowd(house: &House, results: &mut Results) -> Result<(), Failure> {
    let crowd = if house.quick { CROWD / 10 } else { CROWD };
    let accounts = accounts(&house.room.join("crowd"), crowd, stored)?;
    let program = house.example("maildir_server");
    let connections = (crowd + 10).to_string();
    let arguments = ["--accounts".to_owned(), accounts, "--connections".to_owned(), connections];
    let (process, address) = process::maildir_server(&program, &arguments)?;

    let (inside, go) = (Arc::new(Barrier::new(crowd + 1)), Arc::new(Barrier::new(crowd + 1)));
    let mut threads = Vec::new();
    for user in 0..crowd {
        let (inside, go) = (Arc::clone(&inside), Arc::clone(&go));
        let run = move || -> Result<u64, Failure> {
            let session = Session::login(address, &format!("user{user}"));
            // Who could not get in must not keep the others waiting.
            inside.wait();
            go.wait();
            session?.download(user)
        };
        threads.push(thread::Builder::new().stack_size(128 * 1024).spawn(run)?);
    }
    inside.wait();
    let waiting = process.memory();
    let began = Instant::now();
    go.wait();
    let (mut octets, mut failed) = (0, None);
    for thread in threads {
        match thread.join().map_err(|_| "a client panicked")? {
            Ok(came) => octets += came,
            Err(why) => failed = Some(why),
        }
    }
    let took = began.elapsed().as_secs_f64();
    if let Some(why) = failed {
        return Err(why);
    }
    let row = |what: &str| format!("{crowd} connections download at once: {what}");
    results.add(&row("text, each octet right"), "maildir_server", octets as f64 / took / 1e6, "MB/s");
    let messages = (crowd as f64) * f64::from(EACH);
    results.add(&row("messages of 10 KB"), "maildir_server", messages / took, "messages/s");
    results.add(&row("memory, all logged in"), "maildir_server", waiting as f64 / crowd as f64, "octets/session");
    Ok(())
}

/// Maildirs for as many users, and the file that lists them.
pub(crate) fn accounts(
    room: &Path,
    users: usize,
    message: impl Fn(usize, u32) -> Vec<u8>,
) -> Result<String, io::Error> {
    let mut listed = String::new();
    for user in 0..users {
        let maildir = room.join(user.to_string());
        crate::input::maildir(&maildir, EACH, crate::input::Names::Plain, |number| message(user, number))?;
        let _ = writeln!(listed, "user{user}\ttanstaaf\t{}", maildir.display());
    }
    let file = room.join("accounts");
    fs::write(&file, listed)?;
    Ok(file.to_string_lossy().into_owned())
}

/// A message that nobody else has: up to 20 KB, dots at the start of many lines.
pub(crate) fn stored(user: usize, number: u32) -> Vec<u8> {
    let mut random = Random(user as u64 * 1_000 + u64::from(number));
    let mut message = format!("Subject: number {number} of user{user}\n\n").into_bytes();
    let length = (random.next() % 20_000) as usize;
    while message.len() < length {
        let word = random.next();
        if word % 5 == 0 {
            message.push(b'.');
        }
        let _ = writeln!(message, "{word:x}{:x}", random.next());
    }
    message
}

/// A client that holds every octet against what must come.
struct Session {
    client: Client,
    socket: TcpStream,
    out: Vec<u8>,
}

impl Session {
    fn login(address: SocketAddr, user: &str) -> Result<Self, Failure> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(std::time::Duration::from_secs(120)))?;
        let client = Client::with_config(Config::new().allow_cleartext_login());
        let mut session = Self { client, socket, out: Vec::new() };
        while session.client.state() == pop3_proto::State::Greeting {
            session.turn(|_| {})?;
        }
        for command in [Command::Capa, Command::user(user)?, Command::pass("tanstaaf")?] {
            session.ask(&command, |_| {})?;
        }
        session.ask(&Command::Capa, |_| {})?;
        Ok(session)
    }

    fn ask(&mut self, command: &Command<'_>, mut hear: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        self.client.send(command, &mut self.out)?;
        let mut refused = None;
        while self.client.outstanding() > 0 {
            self.turn(|event| match event {
                Event::Err { to, text, .. } => refused = Some(format!("{to}: {text}")),
                event => hear(event),
            })?;
        }
        refused.map_or(Ok(()), |why| Err(why.into()))
    }

    fn turn(&mut self, mut hear: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        self.socket.write_all(&self.out)?;
        self.out.clear();
        let mut buffer = [0; 32 * 1024];
        let n = self.socket.read(&mut buffer)?;
        if n == 0 {
            self.client.handle_eof()?;
            return Err("the server closed".into());
        }
        let mut input = &buffer[..n];
        while let Some(event) = self.client.next_event(&mut input)? {
            hear(event);
        }
        Ok(())
    }

    /// All messages, as many on the way as the machine lets go; gives their octets.
    fn download(mut self, user: usize) -> Result<u64, Failure> {
        let (mut asked, mut came, mut octets, mut wrong) = (0, 0, 0_u64, None);
        let (mut expected, mut at) = (Vec::new(), 0);
        while came < EACH && wrong.is_none() {
            while let Some(number) = MessageNumber::new(asked + 1).filter(|_| asked < EACH) {
                match self.client.send(&Command::Retr(number), &mut self.out) {
                    Ok(()) => asked += 1,
                    Err(Misuse::WindowFull | Misuse::Outstanding { .. }) => break,
                    Err(misuse) => return Err(misuse.into()),
                }
            }
            self.turn(|event| match event {
                Event::Ok { to: Verb::Retr, .. } => {
                    expected = canonical(&stored(user, came + 1));
                    at = 0;
                }
                Event::Body(text) => {
                    if expected.get(at..at + text.len()) != Some(text) {
                        wrong = Some(format!("user{user}, message {}: differs near octet {at}", came + 1));
                    }
                    at += text.len();
                }
                Event::End { of: Verb::Retr } => {
                    if at != expected.len() {
                        wrong = Some(format!("user{user}, message {}: {at} of {} octets", came + 1, expected.len()));
                    }
                    octets += at as u64;
                    came += 1;
                }
                Event::Err { to, text, .. } => wrong = Some(format!("{to}: {text}")),
                _ => {}
            })?;
        }
        if let Some(why) = wrong {
            return Err(why.into());
        }
        self.ask(&Command::Quit, |_| {})?;
        Ok(octets)
    }
}

fn canonical(stored: &[u8]) -> Vec<u8> {
    stored
        .split_inclusive(|&octet| octet == b'\n')
        .flat_map(|line| [&line[..line.len() - 1], b"\r\n"])
        .flatten()
        .copied()
        .collect()
}

/// So many sessions that are logged in and wait: gives the memory of the server for each.
pub(crate) fn waiting_sessions(
    process: &process::Running,
    address: SocketAddr,
    mut users: impl Iterator<Item = String>,
) -> Result<f64, String> {
    // The first session pays for what all share.
    let first = login(address, &users.next().unwrap_or_default())?;
    let before = process.memory();
    let mut sessions = vec![first];
    for user in users {
        let mut session = login(address, &user)?;
        session.ask("STAT").map_err(|error| error.to_string())?;
        sessions.push(session);
    }
    thread::sleep(std::time::Duration::from_millis(500));
    let memory = process.memory().saturating_sub(before) as f64 / (sessions.len() - 1) as f64;
    drop::<Vec<Reader>>(sessions);
    Ok(memory)
}
