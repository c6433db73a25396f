//! P35: "Client against Server never falls out of step, under pipelining, any chunking, any interleaving: replies ==
//! commands, each matched." An answer that is matched to the wrong command, or a state on which the two do not agree,
//! breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{DIGEST, Heard, Site, hear};
use pop3_proto::{
    Client, Command, Committed, Config, Extension, Greeting, Incoming, Misuse, Server, Shape, State, Support, Verb,
};
use proptest::prelude::*;

/// What an application may want next; most of it fails in some state.
fn command(choice: u8) -> Command<'static> {
    match choice % 25 {
        0 => Command::Stat,
        1 => Command::List(None),
        2 => Command::list(2).unwrap(),
        3 => Command::list(9).unwrap(),
        4 => Command::Uidl(None),
        5 => Command::uidl(1).unwrap(),
        6..=8 => Command::retr(1).unwrap(),
        9 => Command::retr(2).unwrap(),
        10 => Command::retr(3).unwrap(),
        11 => Command::retr(9).unwrap(),
        12 => Command::top(2, 1).unwrap(),
        13 => Command::dele(1).unwrap(),
        14 => Command::dele(3).unwrap(),
        15 => Command::Noop,
        16 => Command::Rset,
        17 => Command::Capa,
        18 => Command::Lang(None),
        19 => Command::lang("en").unwrap(),
        20 => Command::user("mrose").unwrap(),
        21 => Command::pass(if choice >= 200 { "wrong" } else { "tanstaaf" }).unwrap(),
        22 => Command::apop("mrose", DIGEST).unwrap(),
        23 => Command::auth("X-TWO").unwrap(),
        _ => Command::other("XTND XLST", Shape::MultiLine).unwrap(),
    }
}

const MESSAGES: [&[u8]; 3] =
    [b".\r\n..\r\n\r\n+OK not an answer\r\n-ERR neither\r\n.\r\n", b"Subject: two\r\n\r\nfirst\r\nsecond\r\n", b""];

/// Two machines, the wire between them, and an application on either side.
struct Session {
    client: Client,
    server: Server,
    site: Site,
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// What the server has not taken yet; the driver keeps it.
    kept: Vec<u8>,
    /// What waits for the server's application.
    owed: Option<Incoming<'static>>,
    sent: Vec<Command<'static>>,
    seen: Vec<Verb>,
    heard: Vec<Heard>,
    responses: usize,
}

impl Session {
    fn new(announced: bool) -> Self {
        let mut to_client = vec![];
        let config = machines::everything();
        let config = if announced { config } else { config.without_pipelining() };
        let greeting = Greeting::text("ready").unwrap().with_timestamp(machines::TIMESTAMP).unwrap();
        let server = Server::new(config, greeting, &mut to_client);
        let client = Client::with_config(Config::new().allow_cleartext_login().allow_apop_md5().window(5, 60));
        let (site, heard) = (Site::new(&MESSAGES), vec![]);
        let (to_server, kept, sent, seen) = (vec![], vec![], vec![], vec![]);
        Self { client, server, site, to_server, to_client, kept, owed: None, sent, seen, heard, responses: 0 }
    }

    /// The client's application wants a command, and takes no for an answer.
    fn want(&mut self, command: Command<'static>) -> Result<(), Misuse> {
        self.client.send(&command, &mut self.to_server)?;
        self.sent.push(command);
        assert!(self.client.outstanding() <= 5);
        Ok(())
    }

    /// So many octets arrive at the client.
    fn client_reads(&mut self, octets: usize) {
        let octets = octets.min(self.to_client.len());
        let read: Vec<u8> = self.to_client.drain(..octets).collect();
        hear(&mut self.client, &read, &mut self.heard).unwrap();
        let challenged = matches!(self.heard.last(), Some(Heard::Event(event)) if event.starts_with("Challenge"));
        if challenged && self.client.awaiting() == pop3_proto::Wait::Answer(Verb::Auth) {
            self.responses += 1;
            match self.responses % 3 {
                0 => self.client.cancel(&mut self.to_server).unwrap(),
                1 => self.client.respond_line(b"", &mut self.to_server).unwrap(),
                _ => self.client.respond_line(b"dGFuc3RhYWY=", &mut self.to_server).unwrap(),
            }
        }
    }

    /// So many octets arrive at the server, which takes what it may.
    fn server_reads(&mut self, octets: usize) {
        let octets = octets.min(self.to_server.len());
        self.kept.extend(self.to_server.drain(..octets));
        let kept = std::mem::take(&mut self.kept);
        let mut input = &kept[..];
        if let Some(incoming) = self.server.next_event(&mut input, &mut self.to_client).unwrap() {
            assert!(self.owed.is_none(), "nothing is read past an unanswered command");
            let refused = matches!(incoming, Incoming::Refused { .. } | Incoming::Cancelled);
            self.seen.push(match &incoming {
                Incoming::Refused { verb, .. } => *verb,
                Incoming::Cancelled => Verb::Auth,
                _ => self.server.owes().unwrap(),
            });
            let response = matches!(incoming, Incoming::Response(_) | Incoming::Cancelled);
            if response {
                self.seen.pop();
            }
            self.owed = (!refused).then(|| incoming.into_owned());
        }
        self.kept = input.to_vec();
    }

    fn server_answers(&mut self) {
        if let Some(incoming) = self.owed.take() {
            self.site.answer(&incoming, &mut self.server, &mut self.to_client);
        }
    }

    /// Until nothing moves any more.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            let still = self.to_server.is_empty() && self.to_client.is_empty() && self.owed.is_none();
            let before = self.kept.len();
            self.server_answers();
            self.server_reads(usize::MAX);
            self.client_reads(usize::MAX);
            if still && self.kept.len() == before && self.to_server.is_empty() {
                return;
            }
        }
        panic!("the session does not settle");
    }

    /// After everything is answered: replies == commands, each matched, and both sides agree.
    fn in_step(&self) {
        assert_eq!(self.client.outstanding(), 0, "every command is answered");
        assert_eq!((self.kept.len(), self.server.owes()), (0, None));
        assert_eq!((self.client.held(), self.server.held()), (0, 0));
        let sent: Vec<Verb> = self.sent.iter().map(Command::verb).collect();
        assert_eq!(self.seen, sent, "the server saw what the client sent");
        assert_eq!(answered(&self.heard), sent, "every command has its answer, in its place");
        assert_eq!(self.client.state(), self.server.state());
        self.bodies();
    }

    fn bodies(&self) {
        let expected: Vec<Vec<u8>> = self
            .sent
            .iter()
            .zip(self.heard.iter().filter(|heard| matches!(heard, Heard::Event(event) if is_answer(event))))
            .filter(|(_, answer)| matches!(answer, Heard::Event(event) if event.starts_with("Ok")))
            .filter_map(|(command, _)| match command {
                Command::Retr(number) => Some(MESSAGES[number.get() as usize - 1].to_vec()),
                Command::Top { .. } => Some(b"Subject: two\r\n\r\nfirst\r\n".to_vec()),
                _ => None,
            })
            .filter(|body| !body.is_empty())
            .collect();
        let bodies: Vec<&Vec<u8>> = self
            .heard
            .iter()
            .filter_map(|heard| match heard {
                Heard::Body(body) => Some(body),
                _ => None,
            })
            .collect();
        assert_eq!(bodies, expected.iter().collect::<Vec<_>>());
    }
}

fn is_answer(event: &str) -> bool {
    event.starts_with("Ok {") || event.starts_with("Err {")
}

fn answered(heard: &[Heard]) -> Vec<Verb> {
    heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Event(event) if is_answer(event) => {
                let name = event.split("to: ").nth(1)?.split([',', ' ']).next()?;
                Verb::ALL.into_iter().find(|verb| format!("{verb:?}") == name)
            }
            Heard::Event(_) | Heard::Body(_) => None,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Want(u8),
    ClientReads(usize),
    ServerReads(usize),
    ServerAnswers,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let octets = prop_oneof![2 => 1..4_usize, 2 => 4..40_usize, 1 => Just(usize::MAX)];
    prop::collection::vec(
        prop_oneof![
            4 => any::<u8>().prop_map(Move::Want),
            3 => octets.clone().prop_map(Move::ClientReads),
            3 => octets.prop_map(Move::ServerReads),
            2 => Just(Move::ServerAnswers),
        ],
        0..400,
    )
}

fn login(session: &mut Session, way: u8) {
    session.settle();
    let way: &[Command<'_>] = match way % 8 {
        0 | 3..=5 => &[Command::user("mrose").unwrap(), Command::pass("tanstaaf").unwrap(), Command::Capa],
        1 => &[Command::apop("mrose", DIGEST).unwrap(), Command::Capa],
        2 | 6 => &[Command::auth("X-TWO").unwrap(), Command::Capa],
        _ => &[Command::Capa],
    };
    for command in way {
        session.want(command.clone().into_owned()).unwrap();
        session.settle();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn client_and_server_stay_in_step(announced: bool, way: u8, moves in moves(), quit: bool) {
        let mut session = Session::new(announced);
        login(&mut session, way);
        let before = session.client.outstanding();
        prop_assert_eq!(before, 0);
        for step in moves {
            match step {
                Move::Want(choice) => {
                    let capa = session.client.supports(Extension::Pipelining);
                    let waiting = session.client.outstanding() > 0;
                    let sent = session.want(command(choice));
                    prop_assert!(!(waiting && sent.is_ok()) || announced && capa == Support::Yes, "pipelined unasked");
                }
                Move::ClientReads(octets) => session.client_reads(octets),
                Move::ServerReads(octets) => session.server_reads(octets),
                Move::ServerAnswers => session.server_answers(),
            }
        }
        session.settle();
        session.in_step();
        if quit && session.want(Command::Quit).is_ok() {
            let open = session.server.state() == State::Transaction;
            let marked: Vec<usize> = session.site.maildrop.deleted().collect();
            session.settle();
            session.in_step();
            prop_assert_eq!(session.client.state(), State::Closed);
            prop_assert_eq!(session.client.committed(), if open { Committed::Yes } else { Committed::No });
            prop_assert_eq!(session.site.removed, open.then_some(marked));
            prop_assert!(session.server.is_over() && session.client.is_over());
        }
    }
}

#[test]
fn a_batch_is_really_in_flight_here() {
    let mut session = Session::new(true);
    login(&mut session, 0);
    for choice in [0, 6, 1, 12] {
        session.want(command(choice)).unwrap();
    }
    assert_eq!(session.client.outstanding(), 4);
    assert_eq!(session.want(command(0)), Ok(()));
    assert_eq!(session.want(command(0)), Err(Misuse::WindowFull));
    session.settle();
    session.in_step();
    assert_eq!(session.heard.iter().filter(|heard| matches!(heard, Heard::Body(_))).count(), 2);
}

#[test]
fn every_way_to_log_in_leads_to_the_maildrop() {
    for way in 0..3 {
        let mut session = Session::new(true);
        login(&mut session, way);
        session.in_step();
        assert_eq!(session.client.state(), State::Transaction, "way {way}");
    }
}
