//! Our own machines in memory: no socket, no thread, and a clock that a case can turn.

use super::fetcher::Fetcher;
use super::ours::{OurSite, job};
use super::wire::{Endpoint, MemoryWire, Wire};
use super::{ClientPeer, Peer, ServerPeer, Site, Started, Upgrade};
use crate::case::{ClientCase, Ended, ServerCase};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

/// Our server, or our client, in memory.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    upgrade: Upgrade,
}

impl Memory {
    /// With TLS (a mere agreement that it is there) from then on.
    #[must_use]
    pub const fn new(upgrade: Upgrade) -> Self {
        Self { upgrade }
    }
}

impl Peer for Memory {
    fn name(&self) -> String {
        format!("memory{}", self.upgrade.behind_a_name())
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }
}

impl ServerPeer for Memory {
    fn may_delete(&self) -> bool {
        true
    }

    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String> {
        Ok(Box::new(OurSite::new(case, |our| {
            let mut out = Vec::new();
            let session = our.session(self.upgrade == Upgrade::Implicit, &mut out);
            Ok(Box::new(MemoryWire::new(session, out)))
        })))
    }
}

impl ClientPeer for Memory {
    fn start(&self, case: &ClientCase) -> Result<Box<dyn Started + '_>, String> {
        let fetcher = Rc::new(RefCell::new(Fetcher::new(job(case), self.upgrade)));
        Ok(Box::new(MemoryStarted { fetcher, accepted: false }))
    }
}

struct MemoryStarted {
    fetcher: Rc<RefCell<Fetcher>>,
    accepted: bool,
}

impl Started for MemoryStarted {
    fn accept(&mut self) -> Result<Box<dyn Wire>, String> {
        if std::mem::replace(&mut self.accepted, true) {
            return Err("it connects once".to_owned());
        }
        Ok(Box::new(MemoryWire::new(Rc::clone(&self.fetcher), Vec::new())))
    }

    fn end(&mut self) -> Ended {
        let mut fetcher = self.fetcher.borrow_mut();
        // It waits as long as it is willing to.
        fetcher.elapse(Duration::from_secs(24 * 3600));
        fetcher.ended()
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        self.fetcher.borrow().stored().to_vec()
    }
}

impl<E: Endpoint> Endpoint for Rc<RefCell<E>> {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.borrow_mut().take(octets, out);
    }

    fn handle_eof(&mut self) {
        self.borrow_mut().handle_eof();
    }

    fn wants_tls(&self) -> bool {
        self.borrow().wants_tls()
    }

    fn tls_established(&mut self, out: &mut Vec<u8>) {
        self.borrow_mut().tls_established(out);
    }

    fn is_over(&self) -> bool {
        self.borrow().is_over()
    }

    fn elapse(&mut self, time: Duration) {
        self.borrow_mut().elapse(time);
    }
}
