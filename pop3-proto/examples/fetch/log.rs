//! The dialogue on stderr, for `--trace`: credentials masked, message text counted and not shown.

use crate::connection::Line;
use pop3_proto::{Error, Event, Peer, Trace, Verb};
use std::io::{Write as _, stderr};

/// What was said, if anybody wants to know.
pub(crate) struct Log(Option<Shown>);

struct Shown {
    trace: Trace,
    /// So many octets of a message came, if we are inside one.
    message: Option<u64>,
}

impl Log {
    pub(crate) fn new(wanted: bool) -> Self {
        Self(wanted.then(|| Shown { trace: Trace::new(), message: None }))
    }

    pub(crate) fn sent(&mut self, octets: &[u8]) {
        if let Some(shown) = &mut self.0 {
            shown.trace.client(octets, line);
        }
    }

    /// The octets that led to the event.
    pub(crate) fn received(&mut self, octets: &[u8], event: &Result<Option<Event<'_>>, Error>) {
        let Some(Shown { trace, message }) = &mut self.0 else { return };
        match (&mut *message, event) {
            (Some(count), Ok(Some(Event::End { .. }))) => {
                line(&format!("S: ({count} octets of message text)"));
                line("S: .");
                *message = None;
            }
            (Some(count), Ok(Some(Event::Body(text)))) => *count = count.saturating_add(text.len() as u64),
            (Some(_), _) => {}
            (None, event) => {
                trace.server(octets, line);
                if let Ok(Some(Event::Ok { to: Verb::Retr | Verb::Top, .. })) = event {
                    *message = Some(0);
                }
            }
        }
    }

    /// TLS is on.
    pub(crate) fn tls(&self, now: &Line, peer: Peer) {
        let (Some(_), Line::Tls(tls)) = (&self.0, now) else { return };
        let version =
            tls.conn.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS").replace('_', ".");
        let verified = match peer {
            Peer::Verified => "the certificate stands for the server",
            Peer::Unverified => "nobody looked at the certificate",
        };
        line(&format!("-- {version}, {verified}"));
    }
}

fn line(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}
