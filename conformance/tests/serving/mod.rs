//! A server over a real socket, for the program under test to talk to.

use pop3_conformance::peer::Upgrade;
use pop3_conformance::peer::house::{Our, Session};
use pop3_conformance::peer::socket::{Socket, drive};
use pop3_conformance::peer::tls::{Generated, Side};
use pop3_conformance::peer::wire::Endpoint;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

/// Serves as many sessions at a time as there are connections, for as long as the test runs; where it listens. What
/// `wrap` makes of a session is what speaks.
pub(crate) fn listen<E: Endpoint>(our: Our, wrap: impl Fn(Session) -> E + Clone + Send + 'static) -> String {
    listen_over(Upgrade::None, Generated::get().server(), our, wrap)
}

/// The same, with TLS from the start or behind STLS.
pub(crate) fn listen_over<E: Endpoint>(
    upgrade: Upgrade,
    side: Side,
    our: Our,
    wrap: impl Fn(Session) -> E + Clone + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (our, wrap, side) = (our.clone(), wrap.clone(), side.clone());
            thread::spawn(move || {
                // Whoever has no certificate where one is asked for is not served.
                let Ok(socket) = Socket::open(stream, Some(side), upgrade, Duration::from_secs(20)) else { return };
                let mut out = Vec::new();
                let mut session = wrap(our.session(upgrade == Upgrade::Implicit, &mut out));
                drive(&mut session, out, socket, None);
            });
        }
    });
    address
}
