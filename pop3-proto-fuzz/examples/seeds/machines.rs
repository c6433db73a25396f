//! Seeds of the two machines.

use super::Seeds;
use super::parse::{Transcript, said};
use pop3_proto_fuzz::client_hostile_server::{CANCEL, EOF, HEAR, RESPOND, TLS};
use pop3_proto_fuzz::naive::server::{TOKEN, TOKEN_REFUSED};
use pop3_proto_fuzz::naive::session::Request;
use pop3_proto_fuzz::plan::Script;
use pop3_proto_fuzz::sasl::ALL as MECHANISMS;
use pop3_proto_fuzz::stls_injection::{CLIENT_SESSIONS, SERVER_SESSIONS};

/// The octet that stands for a request.
fn place(request: Request) -> u8 {
    1 + Request::ALL.iter().position(|known| *known == request).unwrap_or_default() as u8
}

/// The request that is most like a line of a transcript.
fn like(line: &str) -> Option<Request> {
    let words = line.split(' ').count();
    let same = |request: &Request| {
        let known = String::from_utf8_lossy(&request.line()).trim_end().to_string();
        known.split(' ').next() == line.split(' ').next() && known.split(' ').count() == words
    };
    Request::ALL.into_iter().find(same)
}

/// A client's session, made step by step.
pub(crate) struct Session(pub(crate) Script);

impl Session {
    pub(crate) fn new(settings: u8, cuts: &[u8]) -> Self {
        Self(Script::new().octet(settings).chunk(cuts))
    }

    pub(crate) fn hear(self, octets: impl AsRef<[u8]>) -> Self {
        octets.as_ref().chunks(255).fold(self, |session, chunk| Self(session.0.octet(HEAR).chunk(chunk)))
    }

    pub(crate) fn send(self, request: Request) -> Self {
        Self(self.0.octet(place(request)))
    }

    pub(crate) fn asked(self, request: Request, answer: impl AsRef<[u8]>) -> Self {
        self.send(request).hear(answer)
    }

    pub(crate) fn open(self) -> Self {
        self.hear("+OK ready\r\n").asked(Request::User, "+OK\r\n").asked(Request::Pass, "+OK\r\n")
    }
}

pub(crate) fn client_hostile_server(transcripts: &[Transcript]) -> Seeds {
    let mut seeds = Seeds::of("client_hostile_server");
    for transcript in transcripts {
        let greeted = transcript.lines.first().is_some_and(|(side, _)| *side == 'S');
        let asks = |request: Request| request.states().0;
        let first = transcript.lines.iter().find(|(side, _)| *side == 'C').and_then(|(_, line)| like(line));
        let mut session = Session::new(0, &[1, 2, 3, 5, 8, 13]);
        if !greeted {
            let ready = "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n";
            session = if first.is_none_or(asks) { session.hear(ready) } else { session.open() };
        }
        for (side, line) in &transcript.lines {
            session = match (side, like(line)) {
                ('C', Some(request)) => session.send(request),
                ('C', None) => Session(session.0.octet(RESPOND).chunk(&line[..line.len().min(252)])),
                _ => session.hear(format!("{line}\r\n")),
            };
        }
        seeds.add(&transcript.name, session.0);
    }
    let one = |cuts: &[u8]| Session::new(0, cuts).open();
    let mut add = |name: &str, session: Session| seeds.add(name, session.0);
    let message = "+OK\r\nSubject: hi\r\n\r\n..dot\r\ntext\r\n.\r\n";
    add("field-f29-end-cut", one(&[1, 2, 1, 30, 1, 1, 1]).asked(Request::Retr(1), message));
    add("field-f28-bare-lf", one(&[]).asked(Request::List, "+OK\n1 120\r\n2 200\n.\n").send(Request::Noop));
    add("smuggling-lf-dot-lf", one(&[]).asked(Request::Retr(1), "+OK\r\na\n.\n-ERR no\r\n.\r\n").send(Request::Noop));
    add("field-f12-err-in-list", one(&[]).asked(Request::Uidl, "+OK\r\n1 a\r\n-ERR gone\r\n2 b\r\n.\r\n"));
    add("field-f21-one-listing-as-many", one(&[]).asked(Request::ListOne(1), "+OK\r\n1 120\r\n.\r\n"));
    add("field-f45-empty-line", one(&[]).asked(Request::Dele(1), "\r\n"));
    add(
        "field-f10-close-behind-pass",
        Session(Session::new(0, &[]).hear("+OK\r\n").asked(Request::User, "+OK\r\n").send(Request::Pass).0.octet(EOF)),
    );
    add(
        "field-f52-quit-without-answer",
        Session(one(&[]).asked(Request::Dele(1), "+OK\r\n").send(Request::Quit).0.octet(EOF)),
    );
    add(
        "quit-answered-err",
        one(&[]).asked(Request::Dele(1), "+OK\r\n").asked(Request::Quit, "-ERR some deleted messages not removed\r\n"),
    );
    add("field-f41-imap", Session::new(0, &[]).hear("* OK Gimap ready for requests\r\n"));
    add("tls-record", Session::new(0, &[]).hear([0x15, 3, 1, 0, 2, 2, 70]));
    add(
        "cve-2021-22947-answers-before-tls",
        Session(Session::new(1, &[]).hear("+OK\r\n").asked(Request::Stls, "+OK\r\n+OK\r\n+OK 1 2\r\n").0.octet(TLS))
            .send(Request::Capa),
    );
    add(
        "cve-2020-14928-octet-before-tls",
        Session(Session::new(1, &[]).hear("+OK\r\n").asked(Request::Stls, "+OK\r\n").hear("-").0.octet(TLS))
            .send(Request::Capa),
    );
    add(
        "cve-2021-22946-stls-refused",
        Session::new(1, &[])
            .hear("+OK\r\n")
            .asked(Request::Capa, "-ERR\r\n")
            .asked(Request::Stls, "-ERR\r\n")
            .send(Request::User),
    );
    add(
        "cve-2021-39272-no-stls",
        Session::new(1, &[])
            .hear("+OK\r\n")
            .asked(Request::Capa, "+OK\r\nUSER\r\n.\r\n")
            .send(Request::Auth)
            .send(Request::User),
    );
    add("unasked-ok", one(&[]).hear("+OK\r\n").send(Request::Stat));
    add("unasked-err-closing", Session(one(&[1, 1, 1]).hear("-ERR autologout\r\n").send(Request::Stat).0.octet(EOF)));
    add("unasked-half-line", one(&[]).hear("-ER").send(Request::Stat).hear("R\r\n"));
    add("unasked-err-and-more", one(&[]).hear("-ERR autologout\r\n").hear("-ERR\r\n").send(Request::Stat));
    add("two-answers-to-one", one(&[]).asked(Request::Noop, "+OK\r\n-ERR late\r\n").send(Request::Stat));
    let list = "+OK\r\nPIPELINING\r\nTOP\r\nUIDL\r\n.\r\n";
    let several = one(&[7, 7]).asked(Request::Capa, list).send(Request::Stat).send(Request::List).send(Request::Uidl);
    add("pipelining", several.hear("+OK 1 120\r\n+OK\r\n1 120\r\n.\r\n+OK\r\n1 id\r\n.\r\n"));
    let several = one(&[]).asked(Request::Capa, list).send(Request::Retr(1)).send(Request::Dele(1)).send(Request::Noop);
    add("mistake-8-odd-reply-in-pipeline", several.hear("+OK\r\n.\r\nwhat\r\n+OK\r\n"));
    let auth = |settings: u8| Session::new(settings, &[2]).hear("+OK\r\n").send(Request::Auth);
    add("field-f4-text-challenge", Session(auth(0).hear("+ go ahead\r\n").0.octet(CANCEL)).hear("-ERR\r\n"));
    add("field-f5-ok-for-plus", auth(0).hear("+OK\r\n").send(Request::Stat));
    add(
        "field-f7-plus-alone",
        Session(auth(0).hear("+\r\n").0.octet(RESPOND).chunk("AG1yb3NlAHRhbnN0YWFm")).hear("+OK\r\n"),
    );
    add("strict-plus-alone", auth(4).hear("+\r\n"));
    add("challenge-and-more", Session(auth(0).hear("+ \r\n+OK\r\n").0.octet(RESPOND).chunk("")));
    add("strict-bare-lf", Session::new(4, &[]).hear("+OK ready\n"));
    add("strict-tab", Session::new(4, &[]).hear("+OK\tready\r\n"));
    add("field-w9-line-without-end", Session::new(4, &[]).hear("x".repeat(600)));
    add("limit-512", Session::new(4, &[]).hear(format!("+OK {}\r\n", "x".repeat(506))).send(Request::Quit));
    add("limit-513", Session::new(4, &[]).hear(format!("+OK {}\r\n", "x".repeat(507))).send(Request::Quit));
    add("implicit-tls", Session::new(3, &[1]).open().send(Request::Stls));
    add("greeting-at-once-with-answers", Session::new(0, &[]).hear("+OK\r\n+OK\r\n+OK\r\n").send(Request::User));
    add(
        "rfc6856-lang",
        Session::new(0, &[])
            .hear("+OK\r\n")
            .asked(Request::Lang, "+OK\r\nen English\r\nes Espa\u{f1}ol\r\n.\r\n")
            .asked(Request::LangTag, "+OK en ok\r\n"),
    );
    super::field::client(&mut seeds);
    seeds
}

/// A server's session: what the client sends, or what happens.
pub(crate) fn script(settings: u8, cuts: &[u8], turns: &[&str]) -> Script {
    turns.iter().fold(Script::new().octet(settings).chunk(cuts), |script, turn| match *turn {
        "TLS" => script.octet(2),
        "EOF" => script.octet(3),
        "LAYER" => script.octet(6),
        "AUTOLOGOUT" => script.octet(7),
        octets => octets.as_bytes().chunks(255).fold(script, |script, chunk| script.octet(0).chunk(chunk)),
    })
}

pub(crate) fn server_hostile_client(transcripts: &[Transcript]) -> Seeds {
    let mut seeds = Seeds::of("server_hostile_client");
    let login = "USER mrose\r\nPASS tanstaaf\r\n";
    for transcript in transcripts {
        let lines = said(transcript, 'C');
        if lines.is_empty() {
            continue;
        }
        let first = lines.split([' ', '\r']).next().unwrap_or_default();
        let open = ["STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL"].contains(&first);
        let lines = if open { format!("{login}{lines}") } else { lines };
        seeds.add(&transcript.name, script(0, &[1, 2, 3, 5, 8], &[&lines]));
    }
    let all = "STAT\r\nLIST\r\nUIDL\r\nRETR 1\r\nRETR 2\r\nRETR 3\r\nTOP 1 0\r\nTOP 1 2\r\nTOP 2 99\r\nTOP 3 1\r\n\
               LIST 2\r\nUIDL 3\r\nDELE 1\r\nDELE 1\r\nLIST 1\r\nRETR 1\r\nSTAT\r\nRSET\r\nDELE 3\r\nNOOP\r\nCAPA\r\nQUIT\r\n";
    let session = format!("{login}{all}");
    let wrong = "RETR 0\r\nRETR 4\r\nRETR 4294967297\r\nRETR 1x\r\nRETR +1\r\nRETR -1\r\nRETR\r\nDELE 1 2\r\nTOP 1\r\nTOP 1 -1\r\n\
                 TOP 1 4294967296\r\nLIST 99999999999999999999\r\nUIDL 0\r\nNOOP 1\r\n NOOP\r\nnoop\r\nQUIT now\r\n";
    let wrong = format!("{login}{wrong}");
    let bare_lf = session.replace("\r\n", "\n");
    let spaces = session.replace("\r\n", "  \r\n");
    let long = |length: usize| format!("NOOP {}\r\nCAPA\r\n", "x".repeat(length));
    let user = |length: usize| format!("USER {}\r\nCAPA\r\n", "x".repeat(length - 7));
    let injected = "STLS\r\nCAPA\r\n";
    for (name, settings, turns) in [
        ("everything", 0, &[&session[..]][..]),
        ("field-w4-w5-w17-wrong-arguments", 0, &[&wrong]),
        ("field-w8-bare-lf", 0, &[&bare_lf]),
        ("tolerant-bare-lf", 64, &[&bare_lf]),
        ("tolerant-trailing-spaces", 64, &[&spaces]),
        ("field-w7-trailing-spaces", 0, &[&spaces]),
        ("clumsy-everything", 128, &[&session]),
        (
            "clumsy-stls",
            128,
            &["CAPA\r\nLANG\r\nLANG en\r\nSTLS\r\n", "TLS", "UTF8\r\nAUTH X-TWO\r\n*\r\nAUTH X-TWO\r\n\r\nNO\r\n"],
        ),
        ("cve-2011-0411-command-behind-stls", 0, &[injected, "TLS", "CAPA\r\n"]),
        ("cve-2021-33515-half-a-command-behind-stls", 0, &["STLS\r\nCA", "TLS", "PA\r\n"]),
        ("cve-2021-38084-command-before-the-handshake", 0, &["STLS\r\n", "CAPA\r\n", "TLS", "CAPA\r\n"]),
        ("stls", 0, &["CAPA\r\nSTLS\r\n", "TLS", "CAPA\r\nSTLS\r\n", login, "STLS\r\nQUIT\r\n"]),
        ("stls-forgets-the-user", 0, &["USER mrose\r\nSTLS\r\n", "TLS", "PASS tanstaaf\r\n"]),
        ("tls-required", 1, &["CAPA\r\n", login, "AUTH PLAIN\r\n", "STLS\r\n", "TLS", login, "STAT\r\n"]),
        ("no-stls", 4, &["STLS\r\n", "TLS", "CAPA\r\n"]),
        ("implicit-tls", 3, &["CAPA\r\nSTLS\r\n", login, "STAT\r\nQUIT\r\n"]),
        ("stls-behind-utf8", 0, &["UTF8\r\nSTLS\r\nCAPA\r\n"]),
        ("field-w15-noop-between-user-and-pass", 0, &["USER mrose\r\nNOOP\r\nPASS tanstaaf\r\n"]),
        ("field-w15-user-twice", 0, &["USER mrose\r\nUSER mrose\r\nPASS tanstaaf\r\n"]),
        ("field-w15-capa-between-user-and-pass", 0, &["USER mrose\r\nCAPA\r\nPASS tanstaaf\r\n"]),
        ("field-f34-sasl-name-with-crlf", 0, &["AUTH PLAIN AG0NCnJvc2UAdGFuc3RhYWY=\r\n"]),
        ("field-f35-password-with-spaces", 0, &["USER mrose\r\nPASS  tanstaaf \r\nUSER mrose\r\nPASS\r\n"]),
        ("field-f36-utf8-name", 0, &["USER m\u{e9}\r\nPASS p\u{e9}\r\nUSER \u{ff}\r\n"]),
        ("without-utf8", 16, &["USER m\u{e9}\r\nUTF8\r\nLANG\r\nLANG en\r\n"]),
        ("lang", 0, &["LANG\r\nLANG en\r\nLANG *\r\nLANG xx\r\nLANG a_b\r\n"]),
        ("field-w12-auth-alone", 0, &["AUTH\r\nAUTH \r\nAUTH PLAIN =\r\nAUTH PLAIN\r\n*\r\nCAPA\r\n"]),
        ("apop", 0, &["APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\nSTAT\r\nQUIT\r\n"]),
        ("field-w13-apop-upper-case", 0, &["APOP mrose C4C9334BAC560ECC979E58001B3E22FB\r\n"]),
        ("apop-off", 8, &["APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n"]),
        ("nul-in-command", 0, &["NOOP\0\r\nUSER m\0rose\r\nQUIT\0\r\n"]),
        ("field-w20-dropped-behind-dele", 0, &[login, "DELE 1\r\nDELE 2\r\n", "EOF"]),
        ("field-w20-half-a-quit", 0, &[login, "DELE 1\r\nQUI", "EOF"]),
        ("quit-at-once", 0, &["QUIT\r\nSTAT\r\n"]),
        ("before-login", 0, &["STAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n"]),
        ("behind-quit", 0, &[login, "DELE 2\r\nQUIT\r\nRSET\r\nNOOP\r\n"]),
        ("limit-user-512", 0, &[&user(512)]),
        ("limit-user-513", 0, &[&user(513)]),
        ("line-too-long-510", 0, &[&long(510)]),
        ("line-too-long-505", 0, &[&long(505)]),
        ("line-too-long-506", 0, &[&long(506)]),
        ("line-far-too-long", 0, &[&long(3000)]),
        ("cyrus-prot-fgets-tail-is-a-command", 0, &[&long(600).replace("\r\nCAPA", "\nQUIT\r\nCAPA")]),
    ] {
        let cuts: &[u8] = if name.len() % 2 == 0 { &[1, 4, 1, 5, 9, 2, 6] } else { &[] };
        seeds.add(name, script(settings, cuts, turns));
    }
    super::field::server(&mut seeds);
    seeds
}

pub(crate) fn conversation() -> Seeds {
    let mut seeds = Seeds::of("conversation");
    let octet = |request: Request| -> u8 {
        let number = match request {
            Request::ListOne(number) | Request::Retr(number) | Request::UidlOne(number) | Request::Dele(number) => {
                number
            }
            Request::Top(number, _) => number,
            _ => 1,
        };
        let like = match request {
            Request::ListOne(_) => Request::ListOne(1),
            Request::Retr(_) => Request::Retr(1),
            Request::Top(..) => Request::Top(1, 2),
            Request::UidlOne(_) => Request::UidlOne(1),
            Request::Dele(_) => Request::Dele(1),
            other => other,
        };
        (place(like) - 1) | ((number - 1) as u8) << 5
    };
    use Request::{
        Apop, Auth, AuthWithInitial, Capa, Dele, Lang, LangTag, List, ListOne, Noop, Pass, Quit, Retr, Rset, Stat,
        Stls, Top, Uidl, UidlOne, User, Utf8,
    };
    let schedules: [(&str, &[u8]); 4] = [
        ("in-turn", &[]),
        ("by-octets", &[0, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 1, 2, 1, 2, 1, 2]),
        (
            "batched",
            &[
                0xFE, 0, 0xFD, 0xFE, 0, 0xFD, 0xFE, 0, 0xFD, 0xFE, 0xFE, 0xFE, 0xFE, 0, 0, 0, 0, 0, 0, 0, 0xFD, 0x0E,
                0x0E, 0x0E, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0xFE, 0, 0, 0, 0, 0, 0, 0, 0xFD, 0xFD,
            ],
        ),
        (
            "late",
            &[0xFE, 0, 0, 0, 0, 0x0D, 0x0D, 0x0D, 0x0D, 0x0E, 0x12, 0x16, 0x1A, 0, 0, 0, 0, 0x3D, 0x3E, 0x3D, 0x3E],
        ),
    ];
    let login = [User, Pass];
    let mail = [Stat, List, Uidl, Retr(1), Retr(2), Retr(3), Top(1, 0), Top(2, 2), ListOne(2), UidlOne(3), Noop];
    let scripts: [(&str, u8, Vec<Request>); 8] = [
        ("rfc1939-10-session", 0, [&[Apop, Stat, List, Retr(1), Dele(1), Retr(2), Dele(2), Quit][..]].concat()),
        ("everything", 0, [&login[..], &[Capa], &mail, &[Dele(1), Dele(1), Retr(1), Rset, Dele(3), Quit]].concat()),
        ("stls", 1, [&[Capa, Stls, Capa, AuthWithInitial, Capa][..], &mail, &[Quit]].concat()),
        ("stls-required-by-both", 17, [&[User, Stls, Capa, Auth, Capa][..], &mail, &[Dele(2), Quit]].concat()),
        ("implicit-tls", 2, [&[Capa, Stls][..], &login, &[Capa], &mail, &[Quit]].concat()),
        ("auth", 0, [&[Auth, Capa][..], &mail, &[Dele(1), Dele(2), Dele(3), Stat, List, Uidl, Quit]].concat()),
        ("lang-and-utf8", 0, [&[Lang, LangTag, Utf8, Utf8, Stls][..], &login, &[LangTag, Retr(2), Quit]].concat()),
        (
            "nothing-there",
            0,
            [&login[..], &[Retr(4), Retr(8), Dele(7), ListOne(5), UidlOne(6), Top(4, 1), Quit]].concat(),
        ),
    ];
    for (name, settings, requests) in scripts {
        for (how, schedule) in schedules {
            let requests: Vec<u8> = requests.iter().copied().map(octet).collect();
            let script = Script::new().octet(settings).chunk(&requests).rest(schedule);
            seeds.add(&format!("{name}-{how}"), script);
        }
    }
    seeds
}

pub(crate) fn stls_injection() -> Seeds {
    let mut seeds = Seeds::of("stls_injection");
    let mut add = |name: String, side: u8, session: usize, at: usize, out: u8, cuts: &[u8], put: &str| {
        let at = at as u16;
        let script = Script::new().octet(side).octet(session as u8).octet((at >> 8) as u8).octet(at as u8).octet(out);
        seeds.add(&name, script.chunk(cuts).rest(put));
    };
    for (session, text) in CLIENT_SESSIONS.iter().enumerate() {
        let end = text.len();
        add(format!("server-clean-{session}"), 0, session, end, 0, &[], "");
        add(format!("cve-2011-0411-server-command-{session}"), 0, session, end, 0, &[], "CAPA\r\n");
        add(format!("cve-2021-33515-server-half-{session}"), 0, session, end, 0, &[3, 3, 3], "USER mal");
        add(format!("server-one-octet-{session}"), 0, session, end, 0, &[], "\n");
        add(format!("server-before-stls-{session}"), 0, session, end - 6, 0, &[2], "NOOP\r\n");
        add(format!("server-crlf-cut-{session}"), 0, session, end - 1, 1, &[], "\r\n");
        add(format!("server-tls-required-{session}"), 2, session, 0, 0, &[], "USER mrose\r\nPASS tanstaaf\r\n");
    }
    for (session, turns) in SERVER_SESSIONS.iter().enumerate() {
        let end: usize = turns.iter().map(|turn| turn.len()).sum();
        add(format!("client-clean-{session}"), 1, session, end, 0, &[], "");
        add(format!("cve-2021-22947-client-answer-{session}"), 1, session, end, 0, &[], "+OK\r\nSASL X\r\n.\r\n");
        add(format!("cve-2020-14928-client-half-{session}"), 3, session, end, 0, &[4, 1], "+OK pre");
        add(format!("client-one-octet-{session}"), 3, session, end, 0, &[], "-");
        add(format!("client-err-{session}"), 1, session, end, 0, &[], "-ERR closing\r\n");
        add(
            format!("cve-2021-22946-client-refused-{session}"),
            3,
            session,
            turns[0].len() + turns[1].len(),
            3,
            &[],
            "-ERR",
        );
        add(format!("client-behind-greeting-{session}"), 1, session, turns[0].len(), 0, &[], "+OK\r\n");
        add(format!("client-tls-required-{session}"), 3, session, turns[0].len() + 5, 4, &[], "XXXX");
    }
    seeds
}

pub(crate) fn sasl() -> Seeds {
    let mut seeds = Seeds::of("sasl");
    let kind = |kind: u8, mechanism: &str| {
        kind | (MECHANISMS.iter().position(|known| *known == mechanism).unwrap_or_default() as u8) << 3
    };
    let bearer = format!("user=mrose\x01auth=Bearer {TOKEN}\x01\x01");
    let gs2 = format!("n,a=mrose,\x01host=h\x01port=995\x01auth=Bearer {TOKEN}\x01\x01");
    let messages: [(&str, &str, String); 22] = [
        ("rfc4616-plain", "PLAIN", "\0mrose\0tanstaaf".into()),
        ("rfc4616-plain-act-as", "PLAIN", "admin\0mrose\0tanstaaf".into()),
        ("plain-act-as-oneself", "PLAIN", "mrose\0mrose\0tanstaaf".into()),
        ("plain-one-nul", "PLAIN", "mrose\0tanstaaf".into()),
        ("plain-three-nul", "PLAIN", "\0mrose\0tan\0staaf".into()),
        ("plain-no-name", "PLAIN", "\0\0tanstaaf".into()),
        ("plain-no-password", "PLAIN", "\0mrose\0".into()),
        ("field-f34-plain-crlf", "PLAIN", "\0mrose\r\nDELE 1\0tanstaaf".into()),
        ("plain-utf8", "PLAIN", "\0m\u{e9}\0p\u{e9}".into()),
        ("login-name-first", "LOGIN", "mrose".into()),
        ("external", "EXTERNAL", String::new()),
        ("external-act-as", "EXTERNAL", "mrose".into()),
        ("rfc4505-anonymous", "ANONYMOUS", "sirhc".into()),
        ("anonymous-control", "ANONYMOUS", "si\x01rhc".into()),
        ("field-f1-xoauth2", "XOAUTH2", bearer.clone()),
        ("xoauth2-other-token", "XOAUTH2", "user=mrose\x01auth=Bearer no\x01\x01".into()),
        ("xoauth2-cut", "XOAUTH2", bearer[..bearer.len() - 1].into()),
        ("rfc7628-oauthbearer", "OAUTHBEARER", gs2.clone()),
        ("oauthbearer-escapes", "OAUTHBEARER", gs2.replace("mrose", "m=2Cr=3Dse")),
        ("oauthbearer-no-name", "OAUTHBEARER", gs2.replace("a=mrose", "")),
        ("own", "X-TWO", "tanstaaf".into()),
        ("not-there", "CRAM-MD5", "x".into()),
    ];
    for (name, mechanism, message) in &messages {
        let one = |how: u8| Script::new().octet(0).chunk([1, 2, 3]).octet(kind(how, mechanism)).chunk(message);
        seeds.add(&format!("{name}-initial"), one(0));
        seeds.add(&format!("{name}-response"), one(1).octet(2).chunk("tanstaaf"));
    }
    let begin = |mechanism: &str| Script::new().octet(0).chunk([]).octet(kind(7, mechanism));
    for mechanism in ["PLAIN", "LOGIN", "X-TWO", "XOAUTH2"] {
        seeds.add(&format!("cancel-{mechanism}"), begin(mechanism).octet(4).octet(3).chunk("CAPA"));
        seeds.add(&format!("garbage-{mechanism}"), begin(mechanism).octet(3).chunk("=AAA").octet(4));
        seeds.add(&format!("a30-quit-{mechanism}"), begin(mechanism).octet(3).chunk("QUIT").octet(3).chunk("QUIT"));
        seeds.add(&format!("limit-long-{mechanism}"), begin(mechanism).octet(6).octet(63).octet(3).chunk("CAPA"));
        let then = begin(mechanism).octet(6).octet(80).octet(kind(1, "X-TWO")).chunk("tanstaaf");
        seeds.add(&format!("too-long-then-another-{mechanism}"), then);
    }
    for sixteens in [63_u8, 64] {
        seeds.add(
            &format!("limit-{}-X-TWO", 16 * u32::from(sixteens) + 2),
            begin("X-TWO").octet(6).octet(sixteens).octet(3).chunk("CAPA"),
        );
    }
    let raw = |line: &str| Script::new().octet(0).chunk([]).octet(kind(5, "PLAIN")).chunk(line);
    seeds.add("field-w12-star-as-initial", raw("*"));
    seeds.add("base64-without-padding", raw("AG1yb3NlAHRhbnN0YWF"));
    seeds.add("base64-pad-bits", raw("AG1yb3NlAHRhbnN0YWFn"));
    seeds.add("base64-pad-bits-set", raw("AHgAeR=="));
    seeds.add("base64-inner-padding", raw("AG1y=3NlAHRhbnN0YWFm"));
    seeds.add("tls-required", Script::new().octet(1).chunk([]).octet(kind(0, "PLAIN")).chunk("\0mrose\0tanstaaf"));
    let refused = Script::new().octet(0).chunk([]).octet(kind(0, "OAUTHBEARER")).chunk("n,,\x01auth=Bearer no\x01\x01");
    let again = Script::new().octet(0).chunk([]).octet(kind(0, "OAUTHBEARER")).chunk("n,,\x01auth=Bearer no\x01\x01");
    seeds.add("refused-token-then-too-long", again.octet(6).octet(80).octet(3).chunk("CAPA"));
    seeds.add(
        "challenges-that-are-none",
        raw("=").octet(3).chunk("go ahead").octet(3).chunk("QUJD").octet(3).chunk("A==="),
    );
    seeds.add("rfc7628-refused-token", refused.octet(2).chunk("\x01").octet(3).chunk(TOKEN_REFUSED));
    seeds
}

pub(crate) fn secrets() -> Seeds {
    let mut seeds = Seeds::of("secrets");
    let uses = ["pass", "apop", "plain", "login", "token", "response"];
    let troubles = ["none", "refused", "closed", "octet", "long", "garbage"];
    for (used, name) in uses.iter().enumerate() {
        for (trouble, what) in troubles.iter().enumerate() {
            let cut = [9, 0, 25, 137, 128 + 20, 6][(used + trouble) % 6];
            let script =
                Script::new().octet(used as u8).octet(trouble as u8).octet(cut).rest([trouble as u8, used as u8]);
            seeds.add(&format!("{name}-{what}"), script);
        }
    }
    // A log of both directions, with every cut.
    for (used, name) in uses.iter().enumerate() {
        let script = Script::new().octet(used as u8).octet(1).octet(128 + 7).rest([9, 9, 9]);
        seeds.add(&format!("field-f54-log-of-{name}"), script);
    }
    seeds
}
