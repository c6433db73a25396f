//! Our own machines over real sockets on 127.0.0.1, each session in a thread of its own.

use super::fetcher::Fetcher;
use super::house::{Our, account};
use super::memory::{job, our};
use super::socket::{Socket, drive};
use super::tls::Generated;
use super::wire::Wire;
use super::{Account, ClientPeer, ServerPeer, Site, Started, Upgrade};
use crate::case::{ClientCase, Ended, ServerCase};
use crate::mailbox::Mail;
use std::cell::RefCell;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Our server, or our client, over TCP.
#[derive(Clone, Copy, Debug)]
pub struct Loopback {
    upgrade: Upgrade,
    patience: Duration,
}

impl Loopback {
    /// Over TCP, with a time limit for each answer.
    #[must_use]
    pub const fn new(upgrade: Upgrade, patience: Duration) -> Self {
        Self { upgrade, patience }
    }

    fn called(self) -> String {
        match self.upgrade {
            Upgrade::None => "tcp".to_owned(),
            Upgrade::Stls => "tcp, STLS".to_owned(),
            Upgrade::Implicit => "tcp, TLS".to_owned(),
        }
    }
}

/// How long nothing has to come to be nothing. Both ends are on this machine.
const QUIET: Duration = Duration::from_millis(40);

impl ServerPeer for Loopback {
    fn name(&self) -> String {
        self.called()
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }

    fn may_delete(&self) -> bool {
        true
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn quiet(&self) -> Duration {
        QUIET
    }

    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        Ok(Box::new(LoopbackSite { our: our(case), listener, peer: *self }))
    }
}

struct LoopbackSite {
    our: Our,
    listener: TcpListener,
    peer: Loopback,
}

impl Site for LoopbackSite {
    fn connect(&mut self) -> Result<Box<dyn Wire>, String> {
        let words = |error: std::io::Error| error.to_string();
        let address = self.listener.local_addr().map_err(words)?;
        let ours = TcpStream::connect(address).map_err(words)?;
        let (theirs, _) = self.listener.accept().map_err(words)?;
        let generated = Generated::get();
        let mut socket = Socket::new(ours, Some(generated.client()), self.peer.patience).map_err(words)?;
        let mut server = Socket::new(theirs, Some(generated.server()), self.peer.patience).map_err(words)?;
        let implicit = self.peer.upgrade == Upgrade::Implicit;
        let our = self.our.clone();
        thread::spawn(move || {
            if implicit && server.start_tls().is_err() {
                return;
            }
            let mut out = Vec::new();
            let mut session = our.session(implicit, &mut out);
            drive(&mut session, out, server, None);
        });
        if implicit {
            socket.start_tls()?;
        }
        Ok(Box::new(socket))
    }

    fn account(&self) -> Account {
        account()
    }

    fn number(&self, mail: Mail) -> Option<u32> {
        self.our.number(mail)
    }

    fn count(&self) -> Option<u32> {
        Some(self.our.count())
    }
}

impl ClientPeer for Loopback {
    fn name(&self) -> String {
        self.called()
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn quiet(&self) -> Duration {
        QUIET
    }

    fn account(&self) -> Account {
        account()
    }

    fn start(&self, case: &ClientCase) -> Result<Box<dyn Started + '_>, String> {
        let words = |error: std::io::Error| error.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").map_err(words)?;
        let stream = TcpStream::connect(listener.local_addr().map_err(words)?).map_err(words)?;
        let (theirs, _) = listener.accept().map_err(words)?;
        let (peer, job) = (*self, job(case));
        let mut socket = Socket::new(stream, Some(Generated::get().client()), peer.patience).map_err(words)?;
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let mut fetcher = Fetcher::new(job, peer.upgrade);
            if peer.upgrade == Upgrade::Implicit && socket.start_tls().is_err() {
                let _ = sender.send((Ended::Failed("no TLS".to_owned()), Vec::new()));
                return;
            }
            // In place of its ten minutes: the runner has said all that it will say.
            drive(&mut fetcher, Vec::new(), socket, Some(CLIENTS_PATIENCE));
            let _ = sender.send((fetcher.ended(), fetcher.stored().to_vec()));
        });
        Ok(Box::new(LoopbackStarted { theirs: Some(theirs), peer, receiver, result: RefCell::new(None) }))
    }
}

/// After so long without octets our client in a thread takes its time to be up.
const CLIENTS_PATIENCE: Duration = Duration::from_millis(1500);

struct LoopbackStarted {
    theirs: Option<TcpStream>,
    peer: Loopback,
    receiver: Receiver<(Ended, Vec<Vec<u8>>)>,
    result: RefCell<Option<(Ended, Vec<Vec<u8>>)>>,
}

impl LoopbackStarted {
    fn wait(&self) -> (Ended, Vec<Vec<u8>>) {
        let mut result = self.result.borrow_mut();
        if result.is_none() {
            let wait = self.peer.patience.max(2 * CLIENTS_PATIENCE);
            *result = Some(self.receiver.recv_timeout(wait).unwrap_or((Ended::Hung, Vec::new())));
        }
        result.clone().unwrap_or((Ended::Hung, Vec::new()))
    }
}

impl Started for LoopbackStarted {
    fn accept(&mut self) -> Result<Box<dyn Wire>, String> {
        let Some(theirs) = self.theirs.take() else { return Err("it connects once".to_owned()) };
        let mut socket = Socket::new(theirs, Some(Generated::get().server()), self.peer.patience)
            .map_err(|error| error.to_string())?;
        if self.peer.upgrade == Upgrade::Implicit {
            socket.start_tls()?;
        }
        Ok(Box::new(socket))
    }

    fn end(&mut self) -> Ended {
        self.wait().0
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        self.wait().1
    }
}
