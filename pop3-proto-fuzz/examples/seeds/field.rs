//! Sessions that were seen in the field, and those of public incidents, for the two machines.

use super::Seeds;
use super::machines::{Session, script};
use pop3_proto_fuzz::client_hostile_server::{CANCEL, EOF, LAYER, RESPOND, TLS};
use pop3_proto_fuzz::naive::session::Request::{
    self, Apop, Auth, AuthWithInitial, Capa, Dele, Lang, List, Noop, Pass, Quit, Retr, Rset, Stat, Stls, Top, Uidl,
    UidlOne, User, Utf8,
};

const PLAIN: &str = "AG1yb3NlAHRhbnN0YWFm";

/// What clients meet.
pub(crate) fn client(seeds: &mut Seeds) {
    let mut add = |name: &str, session: Session| seeds.add(name, session.0);
    let new = |settings: u8| Session::new(settings, &[4, 1, 9]).hear("+OK ready\r\n");
    let open = |settings: u8| Session::new(settings, &[7, 2]).open();
    let turn = |session: Session, octet: u8| Session(session.0.octet(octet));

    // Public incidents.
    let forged = new(1).asked(Stls, "+OK\r\n-ERR no\r\n+OK\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n");
    add("cve-2026-41319-forged-capabilities-behind-stls", turn(forged, TLS).send(Capa).send(AuthWithInitial));
    let old = new(1).asked(Capa, "-ERR unknown command\r\n").send(User).send(Pass).asked(Stls, "-ERR unknown\r\n");
    add("cve-2006-5867-no-capa-no-stls", old.send(User).send(Auth).send(Apop).send(Quit));
    add("no-starttls-greeting-with-more", Session::new(1, &[]).hear("+OK\r\n+OK\r\nSTLS\r\n.\r\n").send(Capa));
    let late = new(1).asked(Capa, "+OK\r\nSTLS\r\n.\r\n").hear("+OK begin\r\n");
    add("no-starttls-answer-before-the-command", turn(late.send(Stls), TLS).send(User));
    let refused = new(1).asked(Stls, "-ERR not now\r\n").send(User).asked(Stls, "+OK\r\n");
    add("no-starttls-refused-and-then-not", turn(refused, TLS).send(User));
    add("no-starttls-half-a-line-over-the-handshake", turn(new(0).asked(Stls, "+OK\r\n+O"), TLS).hear("K\r\n"));
    let closing = turn(new(1).asked(Stls, "+OK\r\n"), EOF).send(User);
    add("field-f57-handshake-that-fails", closing);

    // The rows of the field notes.
    let unlisted = new(0).asked(Capa, "+OK\r\nUSER\r\n.\r\n").asked(Auth, "+ \r\n");
    add("field-f8-mechanism-that-is-not-listed", Session(unlisted.0.octet(RESPOND).chunk(PLAIN)).hear("+OK\r\n"));
    let fallen =
        new(0).asked(Capa, "+OK\r\nSASL PLAIN LOGIN\r\nUSER\r\n.\r\n").asked(AuthWithInitial, "-ERR [AUTH] no\r\n");
    let fallen = fallen.asked(Auth, "+ \r\n");
    let fallen = Session(fallen.0.octet(RESPOND).chunk(PLAIN)).hear("-ERR [SYS/TEMP] later\r\n");
    add("field-f9-one-login-after-the-other", fallen.asked(User, "+OK\r\n").asked(Pass, "+OK\r\n").send(Stat));
    add("field-f11-capa-refused", new(0).asked(Capa, "-ERR\r\n").asked(User, "+OK\r\n").asked(Pass, "+OK\r\n"));
    let before = new(0).asked(Capa, "+OK\r\nUSER\r\nSTLS\r\n.\r\n").asked(User, "+OK\r\n").asked(Pass, "+OK\r\n");
    let listed =
        "+OK\r\nUIDL\r\nTOP\r\nPIPELINING\r\nEXPIRE NEVER\r\nLOGIN-DELAY 900 USER\r\nIMPLEMENTATION x\r\n.\r\n";
    add("field-f13-other-capabilities-behind-login", before.asked(Capa, listed).send(Stat).send(Uidl).send(List));
    let again = turn(new(0).asked(Capa, "+OK\r\nSTLS\r\nUSER\r\n.\r\n").asked(Stls, "+OK\r\n"), TLS);
    add("field-f14-capa-again-behind-stls", again.asked(Capa, "+OK\r\nSASL PLAIN\r\n.\r\n").send(AuthWithInitial));
    let quiet = open(0).asked(Capa, "+OK\r\nUSER\r\n.\r\n").asked(Top(1, 2), "+OK\r\nSubject: x\r\n\r\na\r\n.\r\n");
    add("field-f16-top-that-is-not-listed", quiet.asked(Uidl, "-ERR\r\n"));
    add("field-f19-the-same-unique-id-twice", open(0).asked(Uidl, "+OK\r\n1 a\r\n2 a\r\n1 b\r\n.\r\n"));
    let long = format!("+OK\r\n{}\r\n.\r\n", "x".repeat(3000));
    add("field-f27-long-line-in-a-message", open(0).asked(Retr(1), long));
    add("field-f37-utf8-first", open(0).asked(Retr(1), "-ERR [UTF8] issue UTF8 first\r\n").send(Utf8));
    let piped = open(0).asked(Capa, "+OK\r\nPIPELINING\r\n.\r\n").send(Stat).send(List).send(Retr(1));
    add("field-f38-pipeline-that-is-cut", turn(piped.hear("+OK 1 9\r\n+OK\r\n1"), EOF));
    add(
        "field-f24-millions-of-messages",
        open(0).asked(Stat, "+OK 14600000 1000000000000\r\n").asked(List, "-ERR no\r\n"),
    );
    let listed = new(0).asked(Capa, "+OK\r\nUSER\r\nPIPELINING\r\n.\r\n");
    add("field-f40-pass-right-behind-user", listed.send(User).send(Pass).hear("+OK\r\n").send(Pass).hear("+OK\r\n"));
    let announced = format!("+OK {} octets\r\na\r\n.\r\n", u64::MAX);
    add("field-f56-64-bits-announced", open(0).asked(Retr(1), announced));
    add("field-f44-quota-in-mid-session", open(0).asked(Retr(1), "-ERR Download exceed\r\n").asked(Noop, "+OK\r\n"));
    add("field-f46-message-that-stops", turn(open(0).asked(Top(1, 2), "+OK\r\nSubject: x\r\n\r\nab"), EOF));
    add("field-f49-message-that-is-gone", open(0).asked(Retr(1), "-ERR it is gone\r\n").asked(UidlOne(1), "-ERR\r\n"));
    add("field-f51-deleted-and-closed", turn(open(0).asked(Dele(1), "+OK\r\n"), EOF));
    add("field-f53-lost-behind-quit", turn(open(0).asked(Dele(1), "+OK\r\n").send(Quit).hear("+O"), EOF));
    add("field-w14-wrong-password", new(0).asked(User, "+OK\r\n").asked(Pass, "-ERR\r\n").send(Pass).send(User));
    let in_use = "-ERR [IN-USE] another session has the maildrop\r\n";
    add("field-w19-in-use", new(0).asked(User, "+OK\r\n").asked(Pass, in_use).asked(User, "+OK\r\n"));
    let piped = open(0).asked(Capa, "+OK\r\nPIPELINING\r\n.\r\n");
    let noops = (0..40).fold(piped, |session, _| session.send(Noop));
    add("field-w21-forty-in-a-pipeline", noops.hear("+OK\r\n".repeat(41)));

    // Limits.
    let status = |length: usize| format!("+OK {}\r\n", "x".repeat(length - 6));
    for (name, length) in [("limit-513-tolerant", 513), ("limit-8192-tolerant", 8192), ("limit-8193-tolerant", 8193)] {
        add(name, Session::new(0, &[]).hear(status(length)).send(Capa));
    }
    let rows = |count: usize| format!("+OK\r\n{}.\r\n", "1 1\r\n".repeat(count));
    add("limit-60-rows", open(0).asked(List, rows(60)).send(Noop));
    add("limit-61-rows", open(0).asked(List, rows(61)).send(Noop));

    let challenge = |length: usize| new(0).asked(Auth, format!("+ {}\r\n", "A".repeat(length - 4)));
    let strict =
        |length: usize| Session::new(4, &[]).hear("+OK\r\n").asked(Auth, format!("+ {}\r\n", "A".repeat(length - 4)));
    for (name, session) in [
        ("limit-1024-challenge", challenge(1024)),
        ("limit-1025-challenge", challenge(1025)),
        ("limit-8192-challenge", challenge(8192)),
        ("limit-8196-challenge", challenge(8196)),
        ("limit-513-strict-answer-to-auth", Session::new(4, &[]).hear("+OK\r\n").asked(Auth, status(513))),
        ("limit-512-strict-answer-to-auth", Session::new(4, &[]).hear("+OK\r\n").asked(Auth, status(512))),
        ("limit-513-strict-row", open(4).asked(List, format!("+OK\r\n1 1 {}\r\n.\r\n", "x".repeat(507)))),
        ("limit-512-strict-row", open(4).asked(List, format!("+OK\r\n1 1 {}\r\n.\r\n", "x".repeat(506)))),
        ("limit-1024-strict-challenge", strict(1024)),
        ("limit-1025-strict-challenge", strict(1025)),
        ("limit-1028-strict-challenge", strict(1028)),
    ] {
        add(name, Session(session.0.octet(RESPOND).chunk(PLAIN)).hear("+OK\r\n"));
    }
    let piped = || open(0).asked(Capa, "+OK\r\nPIPELINING\r\n.\r\n");
    let retrs = (0..12).fold(piped(), |session, _| session.send(Retr(1)));
    add("limit-90-octets-outstanding", retrs.hear("+OK\r\n.\r\n".repeat(12)));

    // What a machine can be told besides.
    let opportunistic = new(12).send(User).asked(Capa, "+OK\r\nUSER\r\nSTLS\r\n.\r\n").send(User);
    add("opportunistic-refused", opportunistic.asked(Stls, "-ERR\r\n").asked(User, "+OK\r\n").send(Pass));
    let passed = open(16).asked(Retr(1), "+OK\r\n..a\r\n.\rb\r\n.c\r\n.\r\n").asked(Retr(1), "+OK\r\n.\r\n");
    add("stuffing-left-in", passed.asked(List, "+OK\r\n1 1\r\n.\r\n").asked(Retr(1), "+OK\n.\n"));
    let layered = new(0).asked(Auth, "+ \r\n");
    let layered = turn(Session(layered.0.octet(LAYER).octet(RESPOND).chunk(PLAIN)).hear("+OK\r\n"), LAYER);
    add("security-layer", turn(layered, LAYER).asked(Capa, "+OK\r\n.\r\n"));
    let early = new(0).asked(Capa, "+OK\r\nSASL PLAIN\r\n.\r\n").asked(AuthWithInitial, "+OK\r\n-ER");
    add("security-layer-behind-half-a-line", turn(early, LAYER).hear("R\r\n"));
    let lost = turn(new(0).asked(Auth, "+ \r\n"), EOF);
    add("security-layer-that-is-lost", turn(lost, LAYER));
    add("plan-apop", Session::new(0, &[]).hear("+OK <a@b>\r\n").asked(Capa, "+OK\r\n.\r\n").asked(Apop, "-ERR\r\n"));
    let listed = "+OK\r\nSASL PLAIN SCRAM-SHA-256\r\nUSER\r\nSTLS\r\nUTF8 USER\r\nLANG\r\n.\r\n";
    add(
        "plan-on-tls",
        new(2).asked(Capa, listed).asked(AuthWithInitial, "-ERR [SYS/PERM] no\r\n").asked(Lang, "-ERR\r\n"),
    );
    let early = Session(new(0).asked(Auth, "+ \r\n").0.octet(RESPOND).chunk("no base64").octet(CANCEL));
    add("answer-that-is-no-base64", early.hear("-ERR\r\n").send(Rset));
    let asked: fn(Request) -> bool = Request::is_login;
    let logins = Request::ALL.into_iter().filter(|request| asked(*request));
    add("every-login-before-the-greeting", logins.fold(Session::new(0, &[]), Session::send).hear("+OK\r\n"));
}

/// What servers meet.
pub(crate) fn server(seeds: &mut Seeds) {
    let login = "USER mrose\r\nPASS tanstaaf\r\n";
    let apop = |digest: &str| format!("APOP mrose {digest}\r\n");
    let digests = [
        apop("04c9334bac560ecc979e58001b3e22fb"),
        apop("c4c9334bac560ecc079e58001b3e22fb"),
        apop("c4c9334bac560ecc979e58001b3e22f0"),
    ];
    let octets: Vec<u8> = vec![1; 60];
    let (front, tail) = ("x".repeat(600), "x".repeat(200));
    let token = format!("AUTH XOAUTH2\r\n{}\r\nCAPA\r\n", "QUJD".repeat(1100));
    for (name, settings, cuts, turns) in [
        (
            "cve-2014-3556-commands-behind-stls",
            0,
            &[][..],
            &["STLS\r\nUSER mrose\r\nPASS tanstaaf\r\nRETR 1\r\n", "TLS", "STAT\r\n"][..],
        ),
        ("cve-2021-38542-login-behind-stls", 1, &[6, 5], &["STLS\r\nAUTH PLAIN\r\n", "TLS", "CAPA\r\n"]),
        ("cve-2026-27856-digest-wrong-in-front", 0, &[], &[&digests[0], "STAT\r\n"]),
        ("cve-2026-27856-digest-wrong-in-the-middle", 0, &[], &[&digests[1], "STAT\r\n"]),
        ("cve-2026-27856-digest-wrong-at-the-end", 0, &[], &[&digests[2], "STAT\r\n"]),
        ("field-w3-capa-in-the-packet-of-stls", 128, &[], &["CAPA\r\nSTLS\r\nCAPA\r\n", "TLS", "CAPA\r\n"]),
        ("field-w3-half-a-capa-in-the-packet-of-stls", 128, &[], &["STLS\r\nCA", "TLS", "PA\r\nCAPA\r\n"]),
        ("field-f3-token-of-4400-octets", 2, &[], &[&token]),
        ("too-long-crlf-cut-far-behind", 0, &[], &[&front, &format!("{tail}\r"), "\nCAPA\r\nNOOP\r\n"]),
        ("field-f11-unknown-capability-command", 0, &[], &["XCAPA\r\nCAPA\r\nHELP\r\n"]),
        ("field-f39-a-command-in-pieces", 0, &octets, &["USER mr", "ose\r", "\nPASS tan", "staaf\r\nST", "AT\r\n"]),
        ("field-f51-deleted-and-closed", 0, &[], &[login, "DELE 1\r\nDELE 2\r\n", "EOF"]),
        ("field-f57-handshake-that-fails", 0, &[], &["STLS\r\n", "EOF"]),
        ("field-w1-w21-pipelined", 0, &[200], &[login, "RETR 1\r\nRETR 2\r\nRETR 3\r\nTOP 1 1\r\nSTAT\r\nQUIT\r\n"]),
        ("field-w6-twice-deleted", 0, &[], &[login, "DELE 1\r\nDELE 1\r\nLIST 1\r\nUIDL 1\r\nTOP 1 1\r\nQUIT\r\n"]),
        ("field-w20-deleted-and-silent", 0, &[], &[login, "DELE 1\r\n", "AUTOLOGOUT", "QUIT\r\n"]),
        ("autologout-before-login", 0, &[], &["USER mrose\r\n", "AUTOLOGOUT", "PASS tanstaaf\r\n"]),
        ("tolerant-auth-alone", 64, &[], &["AUTH\r\nauth  \r\nAUTH\t\r\nUSER mrose\r\nAUTH\r\nPASS tanstaaf\r\n"]),
        ("tolerant-auth-alone-without-tls", 65, &[], &["AUTH\r\n"]),
        ("tolerant-auth-alone-behind-login", 64, &[], &[login, "AUTH\r\n"]),
        ("tolerant-auth-alone-without-sasl", 96, &[], &["AUTH\r\nAUTH PLAIN\r\n"]),
        ("security-layer", 0, &[], &["AUTH X-TWO\r\n", "dGFuc3RhYWY=\r\n", "LAYER", "LAYER", "CAPA\r\n"]),
        (
            "security-layer-too-early",
            0,
            &[],
            &["LAYER", "AUTH X-TWO\r\n", "LAYER", "dGFuc3RhYWY=\r\nNOOP\r\n", "LAYER"],
        ),
        ("security-layer-behind-pass", 2, &[], &[login, "LAYER", "EOF", "LAYER"]),
        ("clumsy-capabilities", 128, &[3], &["CAPA\r\nSTLS\r\n", "TLS", "CAPA\r\n", login, "CAPA\r\nRETR 3\r\n"]),
        ("clumsy-capabilities-without-tls", 129, &[], &["CAPA\r\nUTF8\r\nCAPA\r\n"]),
        ("clumsy-own-command", 128, &[], &["XTND\r\nxlist 1\r\nYTND\r\n", login, "XLIST all of it\r\nQUIT\r\n"]),
        ("clumsy-given-up", 128, &[], &[login, "DELE 1\r\nX-LIST\r\nQUIT\r\n"]),
        (
            "clumsy-within-answers",
            128,
            &[],
            &["LANG\r\nXTND\r\n", login, "RETR 1\r\nTOP 2 1\r\nLANG\r\nXTND\r\nQUIT\r\n"],
        ),
        ("clumsy-message-with-an-end-in-it", 128, &[], &[login, "DELE 1\r\nTOP 3 7\r\nQUIT\r\n"]),
        ("clumsy-in-use", 128, &[], &["USER x\r\nPASS y\r\nAUTH PLAIN AHgAeQ==\r\nAUTH X-TWO\r\nAAAA\r\nSTAT\r\n"]),
        ("clumsy-utf8-then-capabilities", 128, &[], &["UTF8\r\nCAPA\r\nSTLS\r\n"]),
    ] {
        seeds.add(name, script(settings, cuts, turns));
    }
}
