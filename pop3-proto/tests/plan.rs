//! P5, P8: the login plan proposes nothing that the policy forbids, never goes back, and tells wrong credentials from
//! trouble that passes.
//!
//! P3: what was listed before TLS, or in a list before the last, counts for nothing; and the plan holds nothing that the
//! server sent.
//!
//! Broken if a missing or refused STLS led to a login in the clear under `Tls::Required`, if the default list held a
//! cleartext method without TLS, or if `[SYS/TEMP]` asked for a new password.

use pop3_proto::{
    Client, Command, Config, Error, ErrorClass, Method, Next, Peer, Plan, ResponseCode, Tls, Verb, Wait, Why,
};

fn greeted(mut client: Client) -> Client {
    client.next_event(&mut &b"+OK ready <1.2@host>\r\n"[..]).unwrap();
    client
}

/// Asks CAPA, which the server answers with `answer`, and tells the plan.
fn capa(client: &mut Client, plan: &mut Plan, answer: &str) {
    client.send(&Command::Capa, &mut Vec::new()).unwrap();
    tell(client, plan, answer);
}

/// What the server says goes to the plan.
fn tell(client: &mut Client, plan: &mut Plan, answer: &str) {
    let mut input = answer.as_bytes();
    while let Some(event) = client.next_event(&mut input).unwrap() {
        plan.heard(&event);
    }
}

fn answer(client: &mut Client, command: &Command<'_>, octets: &[u8]) {
    client.send(command, &mut Vec::new()).unwrap();
    client.next_event(&mut &octets[..]).unwrap();
}

fn plain() -> Method {
    Method::auth("PLAIN").unwrap()
}

#[test]
fn required_tls_is_never_given_up_for_a_login() {
    let config = || Config::new().tls(Tls::Required);
    // STLS is not announced.
    let (mut client, mut plan) = (greeted(Client::with_config(config())), Plan::new());
    assert_eq!(plan.next(&client), Next::Capa);
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::NoTls));
    // CAPA is refused: asking for STLS is the only way to find out, and the refusal ends it.
    let (mut client, mut plan) = (greeted(Client::with_config(config())), Plan::new());
    capa(&mut client, &mut plan, "-ERR what?\r\n");
    assert_eq!(plan.next(&client), Next::Stls);
    answer(&mut client, &Command::Stls, b"-ERR no\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::NoTls));
}

#[test]
fn a_server_that_nobody_verified_gets_no_login() {
    let list = "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n";
    let rows = [
        (Config::new(), Next::GiveUp(Why::Unverified)),
        (Config::new().allow_unverified_peer(), Next::Login(plain())),
        (Config::new().tls(Tls::Opportunistic), Next::Login(plain())),
    ];
    for (config, next) in rows {
        let (mut client, mut plan) = (greeted(Client::over_tls(config, Peer::Unverified)), Plan::new());
        assert_eq!(plan.next(&client), Next::Capa);
        capa(&mut client, &mut plan, list);
        assert_eq!(plan.next(&client), next);
    }
}

#[test]
fn behind_stls_everything_is_asked_again() {
    let (mut client, mut plan) = (greeted(Client::with_config(Config::new())), Plan::new());
    capa(&mut client, &mut plan, "+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Stls);
    answer(&mut client, &Command::Stls, b"+OK\r\n");
    client.tls_established(Peer::Verified).unwrap();
    assert_eq!(plan.next(&client), Next::Capa);
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass), "PLAIN was announced before TLS only");
}

#[test]
fn without_tls_the_default_list_is_empty_and_a_list_of_ones_own_is_taken() {
    let config = || Config::new().tls(Tls::None).allow_apop_md5();
    let answer = "+OK\r\nUSER\r\nSASL PLAIN CRAM-MD5\r\n.\r\n";
    let mut client = greeted(Client::with_config(config()));
    let mut plan = Plan::new();
    capa(&mut client, &mut plan, answer);
    assert_eq!(plan.next(&client), Next::GiveUp(Why::NothingInCommon));
    for method in [plain(), Method::UserPass, Method::auth("CRAM-MD5").unwrap(), Method::Apop] {
        let mut plan = Plan::allowing([Method::auth("SCRAM-SHA-256").unwrap(), method]);
        capa(&mut client, &mut plan, answer);
        assert_eq!(plan.next(&client), Next::Login(method));
    }
}

#[test]
fn opportunistic_tls_is_used_where_it_is_there() {
    let config = || Config::new().tls(Tls::Opportunistic);
    let (mut client, mut plan) = (greeted(Client::with_config(config())), Plan::allowing([Method::UserPass]));
    capa(&mut client, &mut plan, "+OK\r\nSTLS\r\nUSER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Stls);
    let (mut client, mut plan) = (greeted(Client::with_config(config())), Plan::allowing([Method::UserPass]));
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
}

#[test]
fn a_failure_is_judged_by_its_response_code() {
    let mut client = greeted(Client::over_tls(Config::new(), Peer::Verified));
    let mut plan = Plan::new();
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL LOGIN PLAIN\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(plain()));
    // No code: perhaps this server cannot do PLAIN for this user (F9).
    plan.failed(plain(), None);
    assert_eq!(plan.next(&client), Next::Login(Method::auth("LOGIN").unwrap()));
    plan.failed(Method::auth("LOGIN").unwrap(), None);
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
    plan.failed(Method::UserPass, None);
    assert_eq!(plan.next(&client), Next::GiveUp(Why::Refused), "nobody said that the password is wrong");

    for (code, why) in [
        ("AUTH", Why::Credentials),
        ("IN-USE", Why::Later(ErrorClass::Busy)),
        ("LOGIN-DELAY", Why::Later(ErrorClass::Delay)),
        ("SYS/TEMP", Why::Later(ErrorClass::Temporary)),
        ("SYS/TEMP/DISK", Why::Later(ErrorClass::Temporary)),
        ("SYS/PERM", Why::Permanent),
    ] {
        let mut plan = Plan::new();
        capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL LOGIN PLAIN\r\n.\r\n");
        plan.failed(plain(), Some(&ResponseCode::new(code).unwrap()));
        assert_eq!(plan.next(&client), Next::GiveUp(why), "{code}");
    }
}

#[test]
fn a_client_that_wants_no_tls_is_never_told_to_send_stls() {
    let config = Config::new().tls(Tls::None);
    let (mut client, mut plan) = (greeted(Client::with_config(config)), Plan::allowing([Method::UserPass]));
    capa(&mut client, &mut plan, "+OK\r\nSTLS\r\nUSER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
}

#[test]
fn where_tls_is_no_must_nobody_asks_for_stls_without_a_capability_list() {
    let config = Config::new().tls(Tls::Opportunistic);
    let (mut client, mut plan) = (greeted(Client::with_config(config)), Plan::allowing([Method::UserPass]));
    capa(&mut client, &mut plan, "-ERR what?\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
}

#[test]
fn a_method_is_cleartext_if_its_octets_are_all_that_a_login_needs() {
    let auth = |name| Method::auth(name).unwrap();
    for method in [Method::UserPass, plain(), auth("LOGIN"), auth("XOAUTH2"), auth("OAUTHBEARER"), auth("EXTERNAL")] {
        assert!(method.is_cleartext(), "{method:?}");
    }
    for method in [Method::Apop, auth("CRAM-MD5"), auth("SCRAM-SHA-256")] {
        assert!(!method.is_cleartext(), "{method:?}");
    }
}

#[test]
fn without_tls_the_default_list_without_a_list_of_ones_own_logs_in_with_no_cleartext_method() {
    let (mut client, mut plan) = (greeted(Client::with_config(Config::new().tls(Tls::None))), Plan::new());
    capa(&mut client, &mut plan, "-ERR what?\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::NothingInCommon));
}

#[test]
fn a_connection_lost_over_the_login_tells_about_credentials_only_where_it_does() {
    assert_eq!(Plan::lost(&Error::AuthRejectedByClose { to: Verb::Pass }), Some(Why::Credentials));
    assert_eq!(Plan::lost(&Error::Eof { awaiting: Wait::Reply(Verb::Pass) }), None);
    assert_eq!(Plan::lost(&Error::Unsolicited), None);
}

#[test]
fn there_is_nothing_to_do_before_the_greeting_and_when_the_maildrop_is_open() {
    let mut plan = Plan::default();
    assert_eq!(plan.next(&Client::new()), Next::Nothing);
    let mut client = greeted(Client::with_config(Config::new().allow_cleartext_login()));
    answer(&mut client, &Command::user("mrose").unwrap(), b"+OK\r\n");
    answer(&mut client, &Command::pass("tanstaaf").unwrap(), b"+OK\r\n");
    assert_eq!(plan.next(&client), Next::LoggedIn);
    answer(&mut client, &Command::Quit, b"+OK\r\n");
    assert_eq!(plan.next(&client), Next::Nothing);
}

#[test]
fn what_was_listed_before_tls_counts_for_nothing_though_nobody_asked_the_plan_in_between() {
    let (mut client, mut plan) = (greeted(Client::with_config(Config::new())), Plan::new());
    capa(&mut client, &mut plan, "+OK\r\nSASL PLAIN LOGIN\r\nSTLS\r\n.\r\n");
    client.send(&Command::Stls, &mut Vec::new()).unwrap();
    tell(&mut client, &mut plan, "+OK\r\n");
    client.tls_established(Peer::Verified).unwrap();
    let behind = plan.clone();
    capa(&mut client, &mut plan, "+OK\r\nSASL LOGIN\r\nUSER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::auth("LOGIN").unwrap()), "PLAIN came in the clear");
    let mut plan = behind;
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass), "PLAIN came in the clear");
    // A plan that is given capabilities and no events.
    let (mut client, mut plan) = (greeted(Client::over_tls(Config::new(), Peer::Verified)), Plan::new());
    let sasl = |names: &'static str| pop3_proto::Capability::Sasl(pop3_proto::Mechanisms::new([names]).unwrap());
    plan.capability(&sasl("PLAIN"));
    answer(&mut client, &Command::Capa, b"+OK\r\n");
    client.next_event(&mut &b"SASL X-THEIRS\r\n"[..]).unwrap();
    client.next_event(&mut &b".\r\n"[..]).unwrap();
    assert_eq!(plan.next(&client), Next::Login(plain()));
    plan.capability(&sasl("LOGIN"));
    assert_eq!(plan.next(&client), Next::Login(Method::auth("LOGIN").unwrap()));
}

#[test]
fn a_list_replaces_the_one_before_and_its_lines_add_up() {
    let (mut client, mut plan) = (greeted(Client::over_tls(Config::new(), Peer::Verified)), Plan::new());
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL plain\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(plain()));
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL X-OTHER\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL PLAIN\r\nSASL LOGIN\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(plain()));
    capa(&mut client, &mut plan, "-ERR not now\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
}

#[test]
fn a_plan_holds_no_more_than_its_own_methods() {
    let (mut client, mut plan) = (greeted(Client::over_tls(Config::new(), Peer::Verified)), Plan::new());
    let held = format!("{plan:?}").len();
    client.send(&Command::Capa, &mut Vec::new()).unwrap();
    tell(&mut client, &mut plan, "+OK\r\n");
    for at in 0..10_000 {
        tell(&mut client, &mut plan, &format!("SASL X{at:015}\r\n"));
        plan.failed(Method::auth(&format!("X{at:015}")).unwrap(), None);
    }
    assert!(format!("{plan:?}").len() <= held, "{plan:?}");
}

#[test]
fn a_plan_waits_for_answers_and_for_pass() {
    let (mut client, mut plan) = (greeted(Client::over_tls(Config::new(), Peer::Verified)), Plan::new());
    client.send(&Command::Capa, &mut Vec::new()).unwrap();
    assert_eq!(plan.next(&client), Next::Nothing, "CAPA is outstanding");
    tell(&mut client, &mut plan, "+OK\r\nUSER\r\n");
    assert_eq!(plan.next(&client), Next::Nothing, "the list has not ended");
    tell(&mut client, &mut plan, ".\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
    client.send(&Command::user("mrose").unwrap(), &mut Vec::new()).unwrap();
    assert_eq!(plan.next(&client), Next::Nothing, "USER is outstanding");
    tell(&mut client, &mut plan, "+OK\r\n");
    assert_eq!(plan.next(&client), Next::Nothing, "PASS is due");
    client.send(&Command::pass("tanstaaf").unwrap(), &mut Vec::new()).unwrap();
    assert_eq!(plan.next(&client), Next::Nothing, "PASS is outstanding");
    tell(&mut client, &mut plan, "-ERR no\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::Refused));
    tell(&mut client, &mut plan, "-ERR closing\r\n");
    assert_eq!(plan.next(&client), Next::Nothing, "the session is over");
}

#[test]
fn a_refusal_that_is_heard_is_one_of_what_was_proposed() {
    let mut client = greeted(Client::over_tls(Config::new().allow_apop_md5(), Peer::Verified));
    let login = Method::auth("LOGIN").unwrap();
    let mut plan = Plan::allowing([login, Method::Apop, plain(), Method::UserPass]);
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL LOGIN PLAIN\r\n.\r\n");
    let commands = [
        (login, Command::auth("LOGIN").unwrap()),
        (Method::Apop, Command::apop("mrose", "c4c9334bac560ecc979e58001b3e22fb").unwrap()),
        (plain(), Command::auth("PLAIN").unwrap()),
        (Method::UserPass, Command::user("mrose").unwrap()),
    ];
    for (method, command) in &commands {
        assert_eq!(plan.next(&client), Next::Login(*method));
        client.send(command, &mut Vec::new()).unwrap();
        tell(&mut client, &mut plan, "-ERR no\r\n");
    }
    assert_eq!(plan.next(&client), Next::GiveUp(Why::Refused));

    let mut plan = Plan::new();
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(plain()));
    client.send(&commands[2].1, &mut Vec::new()).unwrap();
    tell(&mut client, &mut plan, "-ERR [IN-USE] locked\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::Later(ErrorClass::Busy)));
}

#[test]
fn what_else_is_refused_says_nothing_about_a_login() {
    let (mut client, mut plan) = (greeted(Client::over_tls(Config::new(), Peer::Verified)), Plan::new());
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nPIPELINING\r\nUTF8\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
    client.send(&Command::Utf8, &mut Vec::new()).unwrap();
    tell(&mut client, &mut plan, "-ERR [SYS/PERM] no\r\n");
    assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
}

#[test]
fn no_login_is_proposed_that_the_policy_refuses() {
    let opportunistic = || {
        let config = Config::new().tls(Tls::Opportunistic);
        (greeted(Client::with_config(config)), Plan::allowing([plain(), Method::UserPass]))
    };
    // STLS was there once, and is not in the second list: somebody on the way may have taken it out.
    let (mut client, mut plan) = opportunistic();
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSTLS\r\n.\r\n");
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::NoTls));
    // UTF8 was sent, and STLS may not follow it (RFC 6856 §2.1).
    let (mut client, mut plan) = opportunistic();
    answer(&mut client, &Command::Utf8, b"+OK\r\n");
    capa(&mut client, &mut plan, "+OK\r\nUSER\r\nSTLS\r\n.\r\n");
    assert_eq!(plan.next(&client), Next::GiveUp(Why::NoTls));
}
