//! All cases, on our own machines: in memory, over TCP, over TLS; and on a live server or client, several at a time.

use crate::case::{ClientCase, NO_DELETIONS, ServerCase};
use crate::peer::live_client::LiveClient;
use crate::peer::live_server::LiveServer;
use crate::peer::loopback::Loopback;
use crate::peer::memory::Memory;
use crate::peer::{ClientPeer, ServerPeer, Upgrade};
use crate::run::{self, Outcome, Result};
use crate::{client_cases, server_cases};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// One of our machines, somewhere.
///
/// ```
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let cases = Case::selected("rfc1939/5/noop");
/// let results = suite::run(&cases, &Ours::in_memory(), 2, &|| {});
/// let peers: Vec<_> = results.iter().map(|result| result.peer.as_str()).collect();
/// assert_eq!(peers.first(), Some(&"memory"));
/// assert_eq!(results.len(), 3 * cases.len()); // without TLS, with STLS, with TLS from the start
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Ours(Place);

#[derive(Clone, Copy, Debug)]
enum Place {
    Memory(Memory),
    Loopback(Loopback),
}

/// A case of either kind.
///
/// ```
/// use pop3_conformance::suite::Case;
///
/// let selected = Case::selected("rfc1939/5/");
/// let for_servers = selected.iter().filter_map(Case::server).count();
/// assert!(for_servers > 30 && for_servers < selected.len()); // the others are for clients
/// assert!(selected.iter().all(|case| case.id().starts_with("rfc1939/5/") && !case.title().is_empty()));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Case {
    /// For a server.
    Server(&'static ServerCase),
    /// For a client.
    Client(&'static ClientCase),
}

impl Case {
    /// All cases whose ids begin with `prefix`, in order: those for servers, those for clients.
    #[must_use]
    pub fn selected(prefix: &str) -> Vec<Self> {
        let server = server_cases::all().map(Case::Server);
        let client = client_cases::all().map(Case::Client);
        server.chain(client).filter(|case| case.id().starts_with(prefix)).collect()
    }

    /// The case, if it is one for servers.
    #[must_use]
    pub const fn server(&self) -> Option<&'static ServerCase> {
        match self {
            Self::Server(case) => Some(case),
            Self::Client(_) => None,
        }
    }

    /// The case, if it is one for clients.
    #[must_use]
    pub const fn client(&self) -> Option<&'static ClientCase> {
        match self {
            Self::Server(_) => None,
            Self::Client(case) => Some(case),
        }
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Server(case) => case.id,
            Self::Client(case) => case.id,
        }
    }

    /// Its sentence.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Server(case) => case.title,
            Self::Client(case) => case.title,
        }
    }
}

impl Ours {
    /// In memory: without TLS, with STLS, with TLS from the start.
    #[must_use]
    pub const fn in_memory() -> [Self; 3] {
        [
            Self(Place::Memory(Memory::new(Upgrade::None))),
            Self(Place::Memory(Memory::new(Upgrade::Stls))),
            Self(Place::Memory(Memory::new(Upgrade::Implicit))),
        ]
    }

    /// Over sockets: without TLS, with STLS, with TLS from the start.
    #[must_use]
    pub const fn over_sockets(patience: Duration) -> [Self; 3] {
        [
            Self(Place::Loopback(Loopback::new(Upgrade::None, patience))),
            Self(Place::Loopback(Loopback::new(Upgrade::Stls, patience))),
            Self(Place::Loopback(Loopback::new(Upgrade::Implicit, patience))),
        ]
    }

    fn run(&self, case: Case) -> Result {
        let (server, client): (&dyn ServerPeer, &dyn ClientPeer) = match &self.0 {
            Place::Memory(peer) => (peer, peer),
            Place::Loopback(peer) => (peer, peer),
        };
        match case {
            Case::Server(case) => run::server(case, server),
            Case::Client(case) => run::client(case, client),
        }
    }
}

/// Runs cases on peers, as many at a time as `workers`; the results come in the order of the peers and of the cases.
/// `done` is called once for each.
///
/// # Panics
///
/// If a case does.
pub fn run(cases: &[Case], peers: &[Ours], workers: usize, done: &(dyn Fn() + Sync)) -> Vec<Result> {
    let jobs: Vec<_> = peers.iter().flat_map(|peer| cases.iter().map(move |case| (peer, *case))).collect();
    in_parallel(&jobs, workers, |(peer, case)| {
        let result = peer.run(*case);
        done();
        result
    })
}

/// Runs the cases for servers on a server. Where two sessions may be in its maildrop at a time, as many cases as `workers`
/// run at a time, but for those that mark messages as deleted: they come last, one by one. What failed is run once more,
/// alone and with more time. The results come in the order of the cases.
///
/// # Panics
///
/// If a case does.
#[doc(hidden)] // the program's
#[must_use]
pub fn on_server(
    cases: &[&'static ServerCase],
    server: &LiveServer,
    workers: usize,
    done: &(dyn Fn() + Sync),
) -> Vec<Result> {
    let together = workers > 1 && server.admits_several();
    server.deletions(!together);
    let mut results = in_parallel(cases, if together { workers } else { 1 }, |case| {
        let result = run::server(case, server);
        done();
        result
    });
    server.deletions(true);
    for (result, case) in results.iter_mut().zip(cases) {
        // What stopped at the permission to delete is run once more, with it.
        if server.may_delete() && matches!(&result.outcome, Outcome::Skipped(why) if why == NO_DELETIONS) {
            *result = run::server(case, server);
        }
    }
    server.take_time();
    for (result, case) in results.iter_mut().zip(cases) {
        run_again(result, || run::server(case, server));
    }
    results
}

/// Runs the cases for clients on a client, as many at a time as `workers`. What failed is run once more, alone and with more
/// time. The results come in the order of the cases.
///
/// # Panics
///
/// If a case does.
#[doc(hidden)] // the program's
#[must_use]
pub fn on_client(
    cases: &[&'static ClientCase],
    client: &LiveClient,
    workers: usize,
    done: &(dyn Fn() + Sync),
) -> Vec<Result> {
    let mut results = in_parallel(cases, workers, |case| {
        let result = run::client(case, client);
        done();
        result
    });
    let patient = LiveClient { patience: client.patience * SLOWER, ..client.clone() };
    for (result, case) in results.iter_mut().zip(cases) {
        run_again(result, || run::client(case, &patient));
    }
    results
}

/// On a busy machine an answer may come too late, and a line from another session's end may get in between: neither is the
/// peer's doing. Whoever fails twice fails; a case that passes by itself is noted, with what came the first time.
fn run_again(result: &mut Result, run: impl FnOnce() -> Result) {
    let Some(first) = result.outcome.difference().cloned() else { return };
    let second = run();
    let words = format!("{ALONE}: the first time, expected {}, got {}", first.expected, first.got);
    match &second.outcome {
        Outcome::Fail(_) | Outcome::Warn(_) => *result = second,
        Outcome::Pass => *result = Result { outcome: Outcome::Note(words), ..second },
        Outcome::Note(notes) => *result = Result { outcome: Outcome::Note(format!("{words}; {notes}")), ..second },
        // It has used up what it needs.
        Outcome::Skipped(_) => {}
    }
}

/// Does each of the jobs, as many at a time as `workers`; what comes of them is in their order.
fn in_parallel<J: Sync, R: Send>(jobs: &[J], workers: usize, work: impl Fn(&J) -> R + Sync) -> Vec<R> {
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(jobs.len())));
    std::thread::scope(|scope| {
        for _ in 0..workers.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    let result = work(job);
                    results.lock().expect("no case panics").push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().expect("no case panics");
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// How the note begins about a case that passed when it was run again.
const ALONE: &str = "passed only when it was run again, alone";

/// How many times as long an answer may take then.
pub(crate) const SLOWER: u32 = 3;
