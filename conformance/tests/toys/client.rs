//! The toy client: CAPA, USER, PASS, LIST, RETR (or TOP) of everything, QUIT; with STLS in front where the run wants it.

use super::Mistake;
use pop3_conformance::case::{ClientCase, Ended};
use pop3_conformance::peer::fetcher::Job;
use pop3_conformance::peer::wire::{Endpoint, MemoryWire, Wire};
use pop3_conformance::peer::{ClientPeer, Peer, Started, Upgrade};
use std::cell::RefCell;
use std::rc::Rc;

/// The toy client as a subject.
#[derive(Debug)]
pub(crate) struct ToyClient {
    pub(crate) mistake: Option<Mistake>,
    pub(crate) upgrade: Upgrade,
}

impl Peer for ToyClient {
    fn name(&self) -> String {
        "memory (toy)".to_owned()
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }
}

impl ClientPeer for ToyClient {
    fn start(&self, case: &ClientCase) -> Result<Box<dyn Started + '_>, String> {
        let mut job = Job::default();
        if let Some(change) = case.job {
            change(&mut job);
        }
        let mut steps = vec!["CAPA".to_owned()];
        if self.upgrade == Upgrade::Stls {
            steps.push("STLS".to_owned());
            steps.push("CAPA".to_owned());
        }
        let unsendable = |name: &str| name.contains(['\r', '\n', '\0']);
        let refused = self.mistake != Some(Mistake::Injection) && (unsendable(&job.user) || unsendable(&job.password));
        if refused {
            steps.push("QUIT".to_owned());
        } else {
            steps.extend([format!("USER {}", job.user), format!("PASS {}", job.password), "LIST".to_owned()]);
        }
        let toy = Toy {
            mistake: self.mistake,
            top: job.top,
            steps: steps.into_iter().rev().collect(),
            current: String::new(),
            input: Vec::new(),
            numbers: Vec::new(),
            rows: None,
            stored: Vec::new(),
            failure: refused.then(|| "that is no name".to_owned()),
            over: false,
            handshake: false,
        };
        Ok(Box::new(ToyStarted { toy: Rc::new(RefCell::new(toy)), accepted: false }))
    }
}

struct ToyStarted {
    toy: Rc<RefCell<Toy>>,
    accepted: bool,
}

impl Started for ToyStarted {
    fn accept(&mut self) -> Result<Box<dyn Wire>, String> {
        if std::mem::replace(&mut self.accepted, true) {
            return Err("it connects once".to_owned());
        }
        Ok(Box::new(MemoryWire::new(Rc::clone(&self.toy), Vec::new())))
    }

    fn end(&mut self) -> Ended {
        let mut toy = self.toy.borrow_mut();
        if !toy.over {
            toy.stop("the server is silent");
        }
        toy.failure.clone().map_or(Ended::Well, Ended::Failed)
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        self.toy.borrow().stored.clone()
    }
}

struct Toy {
    mistake: Option<Mistake>,
    /// TOP with so many lines in place of RETR.
    top: Option<u64>,
    /// What is still to be said, the next one last.
    steps: Vec<String>,
    /// What was said last; empty while the greeting is waited for.
    current: String,
    input: Vec<u8>,
    numbers: Vec<String>,
    /// The data lines, while there are some to come.
    rows: Option<Vec<Vec<u8>>>,
    stored: Vec<Vec<u8>>,
    failure: Option<String>,
    over: bool,
    handshake: bool,
}

impl Toy {
    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn stop(&mut self, why: &str) {
        self.failure.get_or_insert_with(|| why.to_owned());
        self.over = true;
    }

    /// Says the next thing.
    fn say(&mut self, out: &mut Vec<u8>) {
        match self.steps.pop() {
            Some(step) => {
                out.extend_from_slice(format!("{step}\r\n").as_bytes());
                self.current = step;
            }
            None => self.over = true,
        }
    }

    /// Takes one line, without its end.
    fn hear(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let verb = self.current.split(' ').next().unwrap_or_default().to_owned();
        if let Some(rows) = &mut self.rows {
            let odd = line.starts_with(b"-ERR") && self.mistake == Some(Mistake::Step);
            if line == b"." || odd {
                let rows = self.rows.take().unwrap_or_default();
                self.complete(&verb, rows, out);
                return;
            }
            let take_off = match self.mistake {
                Some(Mistake::Stuffing) => line.starts_with(b".."),
                _ => line.starts_with(b"."),
            };
            rows.push(line[usize::from(take_off)..].to_vec());
            return;
        }
        let ok = line == b"+OK" || line.starts_with(b"+OK ");
        if !ok && line != b"-ERR" && !line.starts_with(b"-ERR ") {
            self.stop("that is no answer");
            return;
        }
        match verb.as_str() {
            "CAPA" | "LIST" | "RETR" | "TOP" if ok => self.rows = Some(Vec::new()),
            "STLS" if ok => {
                self.handshake = true;
                if !self.input.is_empty() && !self.makes(Mistake::Stls) {
                    self.stop("there are octets in the clear behind STLS");
                }
            }
            "QUIT" => self.over = true,
            "CAPA" => self.say(out),
            "" if !ok => self.stop("the server refuses"),
            _ if !ok => {
                self.failure.get_or_insert_with(|| format!("{verb} is refused"));
                if !matches!(verb.as_str(), "RETR" | "TOP") {
                    self.steps = vec!["QUIT".to_owned()];
                }
                self.say(out);
            }
            _ => self.say(out),
        }
    }

    fn complete(&mut self, verb: &str, rows: Vec<Vec<u8>>, out: &mut Vec<u8>) {
        match verb {
            "LIST" => {
                for row in &rows {
                    let row = String::from_utf8_lossy(row).into_owned();
                    self.numbers
                        .extend(row.split(' ').next().filter(|word| word.parse::<u32>().is_ok()).map(str::to_owned));
                }
                self.steps.push("QUIT".to_owned());
                let fetch = |number: &String| match self.top {
                    Some(lines) if self.mistake == Some(Mistake::Top) => {
                        format!("TOP {number} {}", lines.wrapping_add(1))
                    }
                    Some(lines) => format!("TOP {number} {lines}"),
                    None => format!("RETR {number}"),
                };
                self.steps.extend(self.numbers.iter().rev().map(fetch));
            }
            "RETR" | "TOP" => {
                let message: Vec<u8> = rows.iter().flat_map(|row| [row, &b"\r\n"[..]].concat()).collect();
                self.stored.push(match self.mistake {
                    Some(Mistake::Text) => String::from_utf8_lossy(&message).into_owned().into_bytes(),
                    _ => message,
                });
            }
            _ => {}
        }
        self.say(out);
    }

    fn line(&mut self) -> Option<Vec<u8>> {
        let at = self.input.windows(2).position(|pair| pair == b"\r\n");
        if self.makes(Mistake::Bound) && at.unwrap_or(self.input.len()) > 510 {
            return Some(self.input.drain(..510).collect());
        }
        let line: Vec<u8> = self.input.drain(..at? + 2).collect();
        Some(line[..line.len() - 2].to_vec())
    }
}

impl Endpoint for Toy {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if self.handshake && !self.makes(Mistake::Stls) {
            self.stop("there are octets in the clear behind STLS");
        }
        self.input.extend_from_slice(octets);
        while !self.over && !self.handshake {
            let Some(line) = self.line() else { break };
            self.hear(&line, out);
        }
        if self.makes(Mistake::Split) {
            self.input.clear();
        }
        // A line has no end, and the toy has not all the memory there is.
        if self.input.len() > 100_000 {
            self.stop("the line is too long");
        }
    }

    fn handle_eof(&mut self) {
        match self.rows.take() {
            Some(rows) if self.makes(Mistake::Eof) => {
                self.complete("RETR", rows, &mut Vec::new());
                self.over = true;
            }
            _ => self.stop("the server has closed the connection"),
        }
    }

    fn wants_tls(&self) -> bool {
        self.handshake && !self.over
    }

    fn tls_established(&mut self, out: &mut Vec<u8>) {
        self.handshake = false;
        self.say(out);
        self.take(b"", out);
    }

    fn is_over(&self) -> bool {
        self.over
    }
}
