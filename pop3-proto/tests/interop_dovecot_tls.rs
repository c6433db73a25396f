//! `fetch` with TLS and with each way to log in, over loopback: from Dovecot, and from `maildir_server`. Every octet is compared,
//! and the trace of `fetch` tells which way was taken.
//!
//! A test that lacks its peer says `SKIPPED` on stderr and counts as ignored, never as passed; where `CI` is set it fails.
//! `conformance/peers/install.sh` installs the peers.

#[path = "support/built.rs"]
mod built;
#[path = "interop_dovecot_tls/dovecot.rs"]
mod dovecot;
mod support;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::Arguments;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};

use dovecot::{Dovecot, token, token_file, tokens};
use support::compare::same_messages;
use support::corpus::{self, Message};
use support::maildir::Maildir;
use support::naive::Naive;
use support::peers::{self, PASSWORD, Peer, Ran, USER};
use support::tls::Room;
use support::trial::trial;

fn main() {
    use Peer::{Dovecot, Fetch, MaildirServer};

    let arguments = Arguments::from_args();
    if !arguments.list {
        build_with_md5();
    }
    let case = |name: &str, needs: &[Peer], run: fn()| trial(&arguments, name, needs, run);

    let trials = vec![
        case("dovecot_every_octet_by_stls_and_by_implicit_tls", &[Dovecot, Fetch], dovecot_every_octet),
        case("dovecot_each_password_mechanism", &[Dovecot, Fetch], dovecot_each_password_mechanism),
        case("dovecot_the_initial_response_goes_where_it_is_told", &[Dovecot, Fetch], dovecot_initial_response),
        case("dovecot_tokens_by_xoauth2_and_oauthbearer", &[Dovecot, Fetch], dovecot_tokens),
        case("dovecot_anonymous", &[Dovecot, Fetch], dovecot_anonymous),
        case("dovecot_external_with_a_client_certificate", &[Dovecot, Fetch], dovecot_external),
        case("dovecot_apop_over_implicit_tls_and_never_behind_stls", &[Dovecot, Fetch], dovecot_apop),
        case("dovecot_wrong_credentials_are_told_as_such", &[Dovecot, Fetch], dovecot_wrong_credentials),
        case("dovecot_a_certificate_that_nobody_vouches_for_is_refused", &[Dovecot, Fetch], dovecot_wrong_authority),
        case("dovecot_insecure_works_and_says_so", &[Dovecot, Fetch], dovecot_insecure),
        case("dovecot_without_stls_gets_no_credential", &[Dovecot, Fetch], dovecot_without_stls),
        case("maildir_server_every_octet_by_stls_and_by_implicit_tls", &[MaildirServer, Fetch], maildir_every_octet),
        case("maildir_server_each_mechanism", &[MaildirServer, Fetch], maildir_each_mechanism),
        case(
            "maildir_server_the_initial_response_goes_where_it_is_told",
            &[MaildirServer, Fetch],
            maildir_initial_response,
        ),
        case(
            "maildir_server_without_ca_the_systems_authorities_count",
            &[MaildirServer, Fetch],
            maildir_system_authorities,
        ),
        case("maildir_server_apop_over_implicit_tls_and_never_behind_stls", &[MaildirServer, Fetch], maildir_apop),
        case("maildir_server_who_gets_nobody_in_says_auth", &[MaildirServer, Fetch], maildir_refused),
        case("maildir_server_a_locked_maildrop_is_no_wrong_password", &[MaildirServer, Fetch], maildir_in_use),
        case("maildir_server_a_certificate_for_another_name_is_refused", &[MaildirServer, Fetch], maildir_other_name),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

/// CRAM-MD5 is in the crate with the feature `md5` only, whatever features this test was built with.
fn build_with_md5() {
    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).expect("this test lies below a target directory");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", profile.parent().unwrap_or(profile));
    cargo.args(["build", "--quiet", "--features", "md5", "--example", "fetch", "--example", "maildir_server"]);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.stdin(Stdio::null()).status().unwrap().success(), "the examples do not build");
}

// ---- Dovecot

const PASSWORD_MECHANISMS: &str = "plain login cram-md5";
const PASSWORD_WAYS: [(&str, &str); 4] = [
    ("plain", "C: AUTH PLAIN"),
    ("login", "C: AUTH LOGIN"),
    ("cram-md5", "C: AUTH CRAM-MD5"),
    ("userpass", "C: PASS ****"),
];

fn dovecot_every_octet() {
    let messages = corpus();
    let room = Room::new(Maildir::with(&messages));
    let server = Dovecot::start(&room, PASSWORD_MECHANISMS, &[]);
    // STLS is what happens without a word, too.
    for (options, address) in [(&["--stls"][..], server.stls), (&[], server.stls), (&["--tls"], server.tls)] {
        let dialogue = brings(&room, address, options, &messages);
        let (before, behind) =
            dialogue.split_once("-- TLSv1.3, the certificate stands for the server").expect(&dialogue);
        assert_eq!(before.contains("C: STLS"), address == server.stls, "{dialogue}");
        assert!(!secret_out(before) && behind.contains("C: AUTH PLAIN ****"), "{dialogue}");
    }
}

fn dovecot_each_password_mechanism() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let server = Dovecot::start(&room, PASSWORD_MECHANISMS, &[]);
    for (way, sign) in PASSWORD_WAYS {
        for (how, address) in [("--stls", server.stls), ("--tls", server.tls)] {
            let dialogue = brings(&room, address, &[how, "--auth", way], &messages);
            assert!(dialogue.contains(sign), "{way}: {dialogue}");
            assert_eq!(logins(&dialogue), 1, "{way}: {dialogue}");
        }
    }
}

fn dovecot_initial_response() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let mechanisms = format!("{PASSWORD_MECHANISMS} xoauth2 oauthbearer");
    let server = Dovecot::start(&room, &mechanisms, &tokens(&room));
    let token = token_file(&room);
    for (way, when, line) in [
        ("plain", "auto", "C: AUTH PLAIN ****\n"),
        ("plain", "never", "C: AUTH PLAIN\nS: +\nC: ****\n"),
        ("plain", "always", "C: AUTH PLAIN ****\n"),
        ("xoauth2", "auto", "C: AUTH XOAUTH2\nS: +\nC: ****\n"),
        ("oauthbearer", "auto", "C: AUTH OAUTHBEARER\nS: +\nC: ****\n"),
    ] {
        let options = ["--stls", "--auth", way, "--initial-response", when, "--token-file", token.to_str().unwrap()];
        let dialogue = brings(&room, server.stls, &options, &messages);
        assert!(dialogue.contains(line), "{way} {when}: {dialogue}");
    }
}

fn dovecot_tokens() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let server = Dovecot::start(&room, "plain xoauth2 oauthbearer", &tokens(&room));
    let good = token_file(&room);
    let bad = room.file("bad-token");
    fs::write(&bad, token(USER, b"somebody else's key")).unwrap();
    for (way, sign) in [("xoauth2", "C: AUTH XOAUTH2"), ("oauthbearer", "C: AUTH OAUTHBEARER")] {
        for (how, address) in [("--stls", server.stls), ("--tls", server.tls)] {
            let options = [how, "--auth", way, "--token-file", good.to_str().unwrap()];
            let dialogue = brings(&room, address, &options, &messages);
            assert!(dialogue.contains(sign), "{way}: {dialogue}");

            // The server says why in a challenge; once that is answered, it refuses.
            let options = [how, "--auth", way, "--token-file", bad.to_str().unwrap()];
            let ran = fetch(&room, address, &options).failure();
            assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
            assert!(ran.stderr.contains("of the token it says: {"), "{}", ran.stderr);
        }
    }
}

fn dovecot_anonymous() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let server = Dovecot::start(&room, "plain anonymous", &[format!("auth_anonymous_username = {USER}")]);
    for (how, address) in [("--stls", server.stls), ("--tls", server.tls)] {
        let dialogue = brings(&room, address, &[how, "--auth", "anonymous"], &messages);
        assert!(dialogue.contains("C: AUTH ANONYMOUS ****"), "{dialogue}");
    }
}

fn dovecot_external() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "authority for clients");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let authority_cert = authority.self_signed(&authority_key).unwrap();
    let mut client = CertificateParams::default();
    client.distinguished_name = rcgen::DistinguishedName::new();
    client.distinguished_name.push(DnType::CommonName, USER);
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().unwrap();
    let cert = client.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
    let [authority_file, cert_file, key_file] =
        ["clients.pem", "client.pem", "client-key.pem"].map(|name| room.file(name));
    fs::write(&authority_file, authority_cert.pem()).unwrap();
    fs::write(&cert_file, cert.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();

    let settings = [
        format!("ssl_ca = <{}", authority_file.display()),
        "ssl_verify_client_cert = yes".to_owned(),
        "ssl_require_crl = no".to_owned(),
        "auth_ssl_username_from_cert = yes".to_owned(),
        // TLS has proved who it is; what is left is that there is such a user.
        "passdb {".to_owned(),
        "driver = static".to_owned(),
        "mechanisms = external".to_owned(),
        "args = nopassword=y".to_owned(),
        "}".to_owned(),
    ];
    let server = Dovecot::start(&room, "plain external", &settings);
    let own = ["--client-cert", cert_file.to_str().unwrap(), "--client-key", key_file.to_str().unwrap()];
    for (how, address) in [("--stls", server.stls), ("--tls", server.tls)] {
        let options = [how, "--auth", "external"];
        let dialogue = brings(&room, address, &[&options[..], &own].concat(), &messages);
        assert!(dialogue.contains("C: AUTH EXTERNAL ****"), "{dialogue}");

        // Without the certificate there is nobody to be.
        let ran = fetch(&room, address, &options).failure();
        assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
    }
}

fn dovecot_apop() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let server = Dovecot::start(&room, "plain apop", &[]);
    apop(&room, server.stls, server.tls, &messages);
}

/// What came before STLS is forgotten, the timestamp too (RFC 2595 section 4).
fn apop(room: &Room, stls: SocketAddr, tls: SocketAddr, messages: &[Message]) {
    let dialogue = brings(room, tls, &["--tls", "--auth", "apop"], messages);
    assert!(dialogue.contains("C: APOP mrose ****"), "{dialogue}");

    let ran = fetch(room, stls, &["--stls", "--auth", "apop"]).failure();
    assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("timestamp") && !secret_out(&ran.stderr), "{}", ran.stderr);
}

fn dovecot_wrong_credentials() {
    let room = Room::new(Maildir::with(&few()));
    let server = Dovecot::start(&room, PASSWORD_MECHANISMS, &[]);
    let into = peers::directory(&room.maildir, "wrong");
    let authority = room.file("authority.pem");
    for (way, _) in PASSWORD_WAYS {
        let options = ["--stls", "--trace", "--auth", way, "--ca", authority.to_str().unwrap()];
        let ran = peers::fetch_with_password(&room.maildir, server.stls, &into, &options, "not tan staaf").failure();
        assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("the name or the password is wrong"), "{way}: {}", ran.stderr);
        assert!(!ran.stderr.contains("not tan staaf"), "{way}: {}", ran.stderr);
    }
    assert!(peers::files(&into).is_empty());
}

fn dovecot_wrong_authority() {
    let room = Room::new(Maildir::with(&few()));
    let other = Room::new(Maildir::new());
    let server = Dovecot::start(&room, PASSWORD_MECHANISMS, &[]);
    let into = peers::directory(&room.maildir, "refused");
    let authority = other.file("authority.pem");
    for (how, address) in [("--stls", server.stls), ("--tls", server.tls)] {
        // Another authority's word, and that of the system, which has never heard of ours. Nor has --allow-cleartext any
        // bearing on a server that can do TLS.
        let clear = if how == "--stls" { "--allow-cleartext" } else { how };
        for options in [&[how, "--ca", authority.to_str().unwrap()][..], &[how], &[clear]] {
            let options = [options, &["--trace"]].concat();
            let ran = peers::fetch(&room.maildir, address, &into, &options).failure();
            assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
            assert!(ran.stderr.contains("TLS cannot begin"), "{}", ran.stderr);
            assert!(!secret_out(&ran.stderr), "{}", ran.stderr);
        }
    }
}

fn dovecot_insecure() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let server = Dovecot::start(&room, PASSWORD_MECHANISMS, &[]);
    for (how, address) in [("--stls", server.stls), ("--tls", server.tls)] {
        let into = peers::directory(&room.maildir, &format!("insecure{how}"));
        let ran = peers::fetch(&room.maildir, address, &into, &[how, "--insecure", "--trace"]).success();
        assert!(ran.stderr.contains("--insecure: nobody checks whose certificate it is"), "{}", ran.stderr);
        assert!(ran.stderr.contains("nobody looked at the certificate"), "{}", ran.stderr);
        same_messages(&as_canonical(&messages), &peers::files(&into));
    }
}

fn dovecot_without_stls() {
    let maildir = Maildir::with(&few());
    let server = peers::Dovecot::start(&maildir);
    let into = peers::directory(&maildir, "refused");
    for options in [&["--stls", "--trace"][..], &["--trace"], &["--stls", "--trace", "--insecure"]] {
        let ran = peers::fetch(&maildir, server.address, &into, options).failure();
        assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("has no STLS") && !secret_out(&ran.stderr), "{}", ran.stderr);
    }
    let ran = peers::fetch(&maildir, server.address, &into, &["--tls", "--trace", "--timeout", "5"]).failure();
    assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
    assert!(!secret_out(&ran.stderr), "{}", ran.stderr);
}

// ---- maildir_server

fn maildir_every_octet() {
    let messages = corpus::corpus();
    let room = Room::new(Maildir::with(&messages));
    for how in ["--stls", "--tls"] {
        let server = room.serve(if how == "--tls" { &["--implicit-tls"] } else { &[] });
        let dialogue = brings(&room, server.address, &[how], &messages);
        let (before, behind) = dialogue.split_once("-- TLSv1.3").expect(&dialogue);
        assert!(!secret_out(before) && secret_out(behind), "{dialogue}");
    }
}

fn maildir_each_mechanism() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let token = token_file(&room);
    let token = ["--token-file", token.to_str().unwrap()];
    let offered = ["--mechanisms", "PLAIN,LOGIN,XOAUTH2,OAUTHBEARER", "--cram-md5", token[0], token[1]];
    let bearer = [("xoauth2", "C: AUTH XOAUTH2\n"), ("oauthbearer", "C: AUTH OAUTHBEARER\n")];
    for how in ["--stls", "--tls"] {
        let implicit: &[&str] = if how == "--tls" { &["--implicit-tls"] } else { &[] };
        let server = room.serve(&[&offered[..], implicit].concat());
        for (way, sign) in PASSWORD_WAYS.into_iter().chain(bearer) {
            let options = [&[how, "--auth", way][..], &token].concat();
            let dialogue = brings(&room, server.address, &options, &messages);
            assert!(dialogue.contains(sign) && logins(&dialogue) == 1, "{way}: {dialogue}");
        }
    }
}

fn maildir_initial_response() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    for (token, always) in
        [("short", "C: AUTH XOAUTH2 ****\n"), (&*"long".repeat(60), "C: AUTH XOAUTH2\nS: +\nC: ****\n")]
    {
        let file = room.file("token");
        fs::write(&file, token).unwrap();
        let file = file.to_str().unwrap();
        let server = room.serve(&["--mechanisms", "XOAUTH2,OAUTHBEARER", "--token-file", file]);
        let behind = "C: AUTH XOAUTH2\nS: +\nC: ****\n";
        // What does not fit into a line of 255 octets goes behind a challenge, whatever was asked for.
        for (when, line) in [("auto", behind), ("never", behind), ("always", always)] {
            let options = ["--stls", "--auth", "xoauth2", "--token-file", file, "--initial-response", when];
            let dialogue = brings(&room, server.address, &options, &messages);
            assert!(dialogue.contains(line), "{when}: {dialogue}");
        }
    }
}

fn maildir_system_authorities() {
    let room = Room::new(Maildir::with(&few()));
    let other = Room::new(Maildir::new());
    let server = room.serve(&[]);
    for (authority, fits) in [(&room, true), (&other, false)] {
        let mut fetch = Command::new(built::example("fetch"));
        // Where the system's own would be found, this stands in for them.
        fetch.env("SSL_CERT_FILE", authority.file("authority.pem")).env_remove("SSL_CERT_DIR");
        fetch.args(["--stls", "--user", USER, "--password-file"]).arg(peers::password_file(&room.maildir));
        let ran = peers::run(fetch.arg(server.address.to_string()).arg(room.file("fetched")));
        assert_eq!(ran.status.code(), Some(if fits { 0 } else { 3 }), "{}", ran.stderr);
    }
}

fn maildir_apop() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let (stls, tls) = (room.serve(&["--apop"]), room.serve(&["--apop", "--implicit-tls"]));
    apop(&room, stls.address, tls.address, &messages);
}

fn maildir_refused() {
    let room = Room::new(Maildir::with(&few()));
    let token = token_file(&room);
    let mechanisms = "PLAIN,EXTERNAL,ANONYMOUS,XOAUTH2,OAUTHBEARER";
    let server = room.serve(&["--mechanisms", mechanisms, "--token-file", token.to_str().unwrap()]);
    let bad = room.file("bad-token");
    fs::write(&bad, "somebody-elses-token").unwrap();
    for way in ["external", "anonymous", "xoauth2", "oauthbearer"] {
        let options = ["--stls", "--auth", way, "--token-file", bad.to_str().unwrap()];
        let ran = fetch(&room, server.address, &options).failure();
        assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("S: -ERR [AUTH]"), "{way}: {}", ran.stderr);
        assert!(ran.stderr.contains(&format!("refuses AUTH {}", way.to_uppercase())), "{way}: {}", ran.stderr);
        assert_eq!(logins(&ran.stderr), 1, "{way}: {}", ran.stderr);
    }
    // What the server does not have is not tried.
    let ran = fetch(&room, server.address, &["--stls", "--auth", "login,cram-md5"]).failure();
    assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("no login that is allowed here") && !secret_out(&ran.stderr), "{}", ran.stderr);
}

fn maildir_in_use() {
    let room = Room::new(Maildir::with(&few()));
    let server = room.serve(&["--allow-cleartext"]);
    let session = Naive::login(server.address, USER, PASSWORD).unwrap();
    let ran = fetch(&room, server.address, &["--stls"]).failure();
    assert_eq!(ran.status.code(), Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("another session has the maildrop"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("is wrong"), "{}", ran.stderr);
    assert_eq!(logins(&ran.stderr), 1, "no other way is tried: {}", ran.stderr);
    session.quit().unwrap();
}

fn maildir_other_name() {
    let room = Room::new(Maildir::with(&few()));
    for (name, fits) in [("127.0.0.1", true), ("mail.example.org", false), ("127.0.0.2", false)] {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        fs::write(room.file("cert.pem"), made.cert.pem()).unwrap();
        fs::write(room.file("key.pem"), made.signing_key.serialize_pem()).unwrap();
        fs::write(room.file("authority.pem"), made.cert.pem()).unwrap();
        let server = room.serve(&[]);
        let ran = fetch(&room, server.address, &["--stls"]);
        assert_eq!(ran.status.code(), Some(if fits { 0 } else { 3 }), "{name}: {}", ran.stderr);
        assert_eq!(secret_out(&ran.stderr), fits, "{name}: {}", ran.stderr);
        assert!(fits || ran.stderr.contains("certificate"), "{name}: {}", ran.stderr);
    }
}

// ----

/// One run that trusts the room's authority and shows the dialogue, into a directory that is new each time.
#[track_caller]
fn fetch(room: &Room, server: SocketAddr, options: &[&str]) -> Ran {
    let into = room.file("fetched");
    let _ = fs::remove_dir_all(&into);
    let authority = room.file("authority.pem");
    let all = [options, &["--trace", "--ca", authority.to_str().unwrap()]].concat();
    let ran = peers::fetch(&room.maildir, server, &into, &all);
    assert!(!ran.stderr.contains(PASSWORD), "the password is in the trace: {}", ran.stderr);
    ran
}

/// The same, which has to bring every octet of these messages; gives the dialogue.
#[track_caller]
fn brings(room: &Room, server: SocketAddr, options: &[&str], messages: &[Message]) -> String {
    let ran = fetch(room, server, options).success();
    same_messages(&as_canonical(messages), &peers::files(&room.file("fetched")));
    ran.stderr
}

/// Whether something went out that nobody may hear.
fn secret_out(dialogue: &str) -> bool {
    logins(dialogue) > 0 || dialogue.contains("C: USER")
}

/// How many logins were tried.
fn logins(dialogue: &str) -> usize {
    ["C: PASS", "C: APOP", "C: AUTH"].iter().map(|command| dialogue.matches(command).count()).sum()
}

/// Without those that begin with a dot: of these Dovecot loses one octet or more.
fn corpus() -> Vec<Message> {
    corpus::corpus().into_iter().filter(|message| !matches!(message.stored.first(), None | Some(b'.'))).collect()
}

fn few() -> Vec<Message> {
    let names = ["plain", "dots-everywhere-stored-crlf", "replies"];
    corpus::corpus().into_iter().filter(|message| names.contains(&message.name)).collect()
}

fn as_canonical(messages: &[Message]) -> Vec<(&str, &[u8])> {
    messages.iter().map(|message| (message.name, message.canonical.as_slice())).collect()
}
