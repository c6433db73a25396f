//! The toy server.

use super::Mistake;
use base64ct::{Base64, Encoding as _};
use pop3_conformance::case::{Honest, Mailbox, ServerCase};
use pop3_conformance::mailbox::Mail;
use pop3_conformance::peer::wire::{Endpoint, MemoryWire, Wire};
use pop3_conformance::peer::{Account, Peer, ServerPeer, Site, Upgrade, house};
use std::cell::RefCell;
use std::rc::Rc;

/// The toy server as a subject.
#[derive(Debug)]
pub(crate) struct ToyServer {
    pub(crate) mistake: Option<Mistake>,
    pub(crate) upgrade: Upgrade,
}

/// The messages, for all sessions of a case.
type Store = Rc<RefCell<Vec<(String, Vec<u8>)>>>;

impl Peer for ToyServer {
    fn name(&self) -> String {
        "memory (toy)".to_owned()
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }
}

impl ServerPeer for ToyServer {
    fn may_delete(&self) -> bool {
        true
    }

    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String> {
        let announced = ["APOP", "CAPA", "TOP", "USER", "SASL", "RESP-CODES", "AUTH-RESP-CODE", "UIDL", "STLS"];
        if let Some(tag) = case.needed().iter().find(|tag| !announced.contains(tag)) {
            return Err(format!("the toy does not have {tag}"));
        }
        let mut honest = Honest::new(house::account());
        honest.keep(&Mail::ALL);
        let mut store = honest.messages;
        if case.mailbox == Mailbox::Empty {
            store.clear();
        }
        Ok(Box::new(ToySite { mistake: self.mistake, store: Rc::new(RefCell::new(store)) }))
    }
}

struct ToySite {
    mistake: Option<Mistake>,
    store: Store,
}

impl Site for ToySite {
    fn connect(&mut self) -> Result<Box<dyn Wire>, String> {
        let mut honest = Honest::new(house::account());
        honest.stls = true;
        honest.messages.clone_from(&self.store.borrow());
        let out = format!("+OK {}\r\n", honest.greeting).into_bytes();
        let store = Rc::clone(&self.store);
        let toy = Toy { mistake: self.mistake, honest, store, input: Vec::new(), over: false };
        Ok(Box::new(MemoryWire::new(toy, out)))
    }

    fn account(&self) -> Account {
        house::account()
    }

    fn number(&self, mail: Mail) -> Option<u32> {
        let index = self.store.borrow().iter().position(|(_, octets)| Mail::find(octets) == Some(mail))?;
        u32::try_from(index + 1).ok()
    }

    fn count(&self) -> Option<u32> {
        u32::try_from(self.store.borrow().len()).ok()
    }
}

struct Toy {
    mistake: Option<Mistake>,
    honest: Honest,
    store: Store,
    input: Vec<u8>,
    over: bool,
}

impl Toy {
    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    fn commit(&self) {
        let mut index = 0;
        self.store.borrow_mut().retain(|_| {
            index += 1;
            !self.honest.deleted.get(index - 1).copied().unwrap_or_default()
        });
    }

    /// The next line, without CRLF.
    fn line(&mut self) -> Option<Vec<u8>> {
        let at = self.input.windows(2).position(|pair| pair == b"\r\n");
        if self.makes(Mistake::Bound) && at.unwrap_or(self.input.len()) > 255 {
            return Some(self.input.drain(..255).collect());
        }
        let line = self.input.drain(..at? + 2).collect::<Vec<_>>();
        Some(line[..line.len() - 2].to_vec())
    }

    fn answer(&mut self, line: &[u8]) -> Vec<u8> {
        if line.len() > 253 && !self.honest.in_exchange() {
            return b"-ERR too long\r\n".to_vec();
        }
        let in_exchange = self.honest.in_exchange();
        let words = String::from_utf8_lossy(line).to_ascii_uppercase();
        let verb = words.split(' ').next().unwrap_or_default();
        let mut answer = self.honest.answer(line);
        let is_message = answer.starts_with(b"+OK") && matches!(verb, "RETR" | "TOP") && !in_exchange;
        let body = answer.windows(2).position(|pair| pair == b"\r\n").unwrap_or_default() + 2;
        match self.mistake {
            Some(Mistake::Stuffing) if is_message && answer[body..].starts_with(b"..") => {
                answer.remove(body);
            }
            Some(Mistake::Text) if is_message => {
                for octet in &mut answer[body..] {
                    if !octet.is_ascii() {
                        *octet = b'?';
                    }
                }
            }
            Some(Mistake::Injection) if answer.starts_with(b"-ERR") && (in_exchange || verb == "AUTH") => {
                let token = line.rsplit(|&octet| octet == b' ').next().unwrap_or_default();
                let token = std::str::from_utf8(token).ok().and_then(|token| Base64::decode_vec(token).ok());
                let token = token.unwrap_or_default();
                let name = token.split(|&octet| octet == 0).nth(1).unwrap_or_default();
                answer = [b"-ERR I do not know ", name, b"\r\n"].concat();
            }
            Some(Mistake::Step) if answer.starts_with(b"-ERR what") => answer.extend_from_slice(b"-ERR really\r\n"),
            Some(Mistake::Top) if is_message && verb == "TOP" => {
                let mut words = words.split(' ').skip(1);
                let number: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
                let lines: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
                let message = self.honest.messages.get(number.wrapping_sub(1)).map(|(_, octets)| &octets[..]);
                answer.truncate(body);
                for line in message.unwrap_or_default().split_inclusive(|&octet| octet == b'\n').take(lines) {
                    if line.starts_with(b".") {
                        answer.push(b'.');
                    }
                    answer.extend_from_slice(line);
                }
                answer.extend_from_slice(b".\r\n");
            }
            _ => {}
        }
        answer
    }
}

impl Endpoint for Toy {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if self.honest.wants_tls() && !self.makes(Mistake::Stls) {
            self.over = true;
            return;
        }
        self.input.extend_from_slice(octets);
        while !self.is_over() && !self.honest.wants_tls() {
            let Some(line) = self.line() else { break };
            let answer = self.answer(&line);
            out.extend_from_slice(&answer);
        }
        if self.honest.wants_tls() && !self.input.is_empty() && !self.makes(Mistake::Stls) {
            self.over = true;
        }
        if self.makes(Mistake::Split) {
            self.input.clear();
        }
        if self.honest.over && self.honest.logged_in {
            self.commit();
        }
    }

    fn handle_eof(&mut self) {
        if self.makes(Mistake::Eof) && self.honest.logged_in {
            self.commit();
        }
        self.over = true;
    }

    fn wants_tls(&self) -> bool {
        self.honest.wants_tls()
    }

    fn tls_established(&mut self, out: &mut Vec<u8>) {
        self.honest.tls_established();
        self.take(b"", out);
    }

    fn is_over(&self) -> bool {
        self.over || self.honest.over
    }
}
