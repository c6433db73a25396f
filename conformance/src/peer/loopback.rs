//! Our own machines over real sockets on 127.0.0.1, each session in a thread of its own.

use super::fetcher::Fetcher;
use super::ours::{OurSite, job};
use super::socket::{Socket, drive};
use super::tls::Generated;
use super::wire::Wire;
use super::{ClientPeer, Peer, ServerPeer, Site, Started, Upgrade};
use crate::case::{ClientCase, Ended, ServerCase};
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
}

/// How long nothing has to come to be nothing. Both ends are on this machine.
const QUIET: Duration = Duration::from_millis(40);

impl Peer for Loopback {
    fn name(&self) -> String {
        format!("tcp{}", self.upgrade.behind_a_name())
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
}

impl ServerPeer for Loopback {
    fn may_delete(&self) -> bool {
        true
    }

    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String> {
        let (peer, certificate) = (*self, case.certificate);
        Ok(Box::new(OurSite::new(case, move |our| {
            let (ours, theirs) = connected().map_err(|error| error.to_string())?;
            let (server, client) = Generated::get().sides(certificate);
            let our = our.clone();
            thread::spawn(move || {
                let Ok(server) = Socket::open(theirs, Some(server), peer.upgrade, peer.patience) else { return };
                let mut out = Vec::new();
                let mut session = our.session(peer.upgrade == Upgrade::Implicit, &mut out);
                drive(&mut session, out, server, None);
            });
            Ok(Box::new(Socket::open(ours, Some(client), peer.upgrade, peer.patience)?))
        })))
    }
}

impl ClientPeer for Loopback {
    fn start(&self, case: &ClientCase) -> Result<Box<dyn Started + '_>, String> {
        let (stream, theirs) = connected().map_err(|error| error.to_string())?;
        let (peer, job) = (*self, job(case));
        let (sender, receiver) = channel();
        thread::spawn(move || {
            let Ok(socket) = Socket::open(stream, Some(Generated::get().client()), peer.upgrade, peer.patience) else {
                let _ = sender.send((Ended::Failed("no TLS".to_owned()), Vec::new()));
                return;
            };
            let mut fetcher = Fetcher::new(job, peer.upgrade);
            // In place of its ten minutes: the runner has said all that it will say.
            drive(&mut fetcher, Vec::new(), socket, Some(CLIENTS_PATIENCE));
            let _ = sender.send((fetcher.ended(), fetcher.stored().to_vec()));
        });
        Ok(Box::new(LoopbackStarted { theirs: Some(theirs), peer, receiver, result: RefCell::new(None) }))
    }
}

/// Both ends of a connection: who connected, and who was connected to.
fn connected() -> std::io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    Ok((ours, theirs))
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
        let Loopback { upgrade, patience } = self.peer;
        Ok(Box::new(Socket::open(theirs, Some(Generated::get().server()), upgrade, patience)?))
    }

    fn end(&mut self) -> Ended {
        self.wait().0
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        self.wait().1
    }
}
