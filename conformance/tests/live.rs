//! The program on live peers: a server over a real socket, and clients that are programs.

mod serving;

use pop3_conformance::peer::Upgrade;
use pop3_conformance::peer::house::{House, Our};
use pop3_conformance::peer::tls::Generated;
use pop3_conformance::peer::wire::Endpoint;
use pop3_proto::Builtin;
use serving::{listen, listen_over};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pop3-conformance")).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn password_file(name: &str, password: &str) -> String {
    let path = path(name);
    std::fs::write(&path, format!("{password}\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

/// Our server, for as long as the test runs; where it listens.
fn server(house: House) -> String {
    listen(Our::new(house), |session| session)
}

#[test]
fn a_server_that_conforms_gets_exit_status_0_and_a_junit_file() {
    let (address, password) = (server(House::default()), password_file("right-password", "tanstaaf"));
    let (junit, json) = (path("server.xml"), path("server.json"));
    let files = ["--junit", junit.to_str().unwrap(), "--json", json.to_str().unwrap()];
    let access = ["server", &address, "--user", "mrose", "--password-file", &password, "--only", "rfc1939/5"];
    let output = run(&[&access[..], &files].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("which --allow-delete allows"), "{}", out(&output));
    assert!(std::fs::read_to_string(junit).unwrap().contains("<testsuite name=\"rfc1939/5 server\""));
    let parsed: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!((&parsed["conforms"], &parsed["subject"]), (&true.into(), &address.as_str().into()));
}

#[test]
fn over_stls_any_certificate_is_taken_only_if_that_is_asked_for() {
    let (address, password) = (server(House::default()), password_file("stls-password", "tanstaaf"));
    let access =
        ["server", &address, "--user", "mrose", "--password-file", &password, "--stls", "--only", "rfc1939/5/stat"];
    let output = run(&[&access[..], &["--insecure"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let ca = path("other-ca.pem");
    std::fs::write(&ca, &Generated::get().ca).unwrap();
    // The server is known by its address, which the certificate names.
    let output = run(&[&access[..], &["--ca", ca.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let output = run(&access);
    assert_eq!(output.status.code(), Some(3), "{}", out(&output));
}

#[test]
fn what_the_maildrop_lacks_is_skipped_with_the_reason() {
    let house = House { messages: Vec::new(), ..House::default() };
    let (address, password) = (server(house), password_file("empty-password", "tanstaaf"));
    let access = ["server", &address, "--user", "mrose", "--password-file", &password];
    let output = run(&[&access[..], &["--only", "rfc1939/5/retr"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("the maildrop does not hold the message"), "{}", out(&output));
    assert!(out(&output).contains("the maildrop lacks 11 of the mailbox's messages"), "{}", out(&output));
}

#[test]
fn a_server_that_cannot_be_reached_or_refuses_the_login_could_not_be_run() {
    let password = password_file("wrong-password", "nonsense");
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for address in [closed, server(House::default())] {
        let output = run(&["server", &address, "--user", "mrose", "--password-file", &password]);
        assert_eq!(output.status.code(), Some(3), "{}", out(&output));
        assert!(out(&output).contains(&address), "{}", out(&output));
    }
    assert_eq!(run(&["server", "nowhere"]).status.code(), Some(2));
}

#[test]
fn a_transcript_is_replayed_against_a_live_server() {
    let (address, password) = (server(House::default()), password_file("replay-password", "tanstaaf"));
    let file = path("against.txt");
    let head = "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\n";
    for (lines, status) in [("C: NOOP\nS: +OK whatever\n", 0), ("C: STAT\nS: +OK 2 320\n", 1)] {
        std::fs::write(&file, format!("{head}{lines}")).unwrap();
        let access = ["--against", &address, "--user", "mrose", "--password-file", &password];
        let output = run(&[&["replay", file.to_str().unwrap()][..], &access].concat());
        assert_eq!(output.status.code(), Some(status), "{}", out(&output));
    }
}

#[test]
fn a_client_is_started_once_a_case_and_one_that_is_not_there_could_not_be_run() {
    let output = run(&["client", "--only", "rfc1939/3/client-crlf", "--timeout", "1", "--", "true"]);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("the client does not connect"), "{}", out(&output));
    let output = run(&["client", "--", "/no/such/program"]);
    assert_eq!(output.status.code(), Some(3), "{}", out(&output));
    assert_eq!(run(&["client"]).status.code(), Some(2));
}

#[test]
fn the_mailbox_is_written_as_a_maildir_and_as_an_mbox_file() {
    let (maildir, mbox) = (path("Maildir"), path("mbox"));
    let _ = (std::fs::remove_dir_all(&maildir), std::fs::remove_file(&mbox));
    let arguments = ["fixture", "--maildir", maildir.to_str().unwrap(), "--mbox", mbox.to_str().unwrap()];
    assert_eq!(run(&arguments).status.code(), Some(0));
    assert_eq!(std::fs::read_dir(maildir.join("cur")).unwrap().count(), 11);
    let text = std::fs::read(&mbox).unwrap();
    assert_eq!(text.split(|&octet| octet == b'\n').filter(|line| line.starts_with(b"From ")).count(), 11);
    // What is there already is not written over.
    assert_eq!(run(&arguments).status.code(), Some(3));
    assert_eq!(run(&["fixture"]).status.code(), Some(2));
}

#[test]
fn a_certificate_that_stands_for_the_user_is_shown_where_one_is_asked_for() {
    let generated = Generated::get();
    let mut files = Vec::new();
    for (name, pem) in [("ca", &generated.ca), ("certificate", &generated.certificate), ("key", &generated.key)] {
        let path = path(&format!("external-{name}.pem"));
        std::fs::write(&path, pem).unwrap();
        files.push(path.to_str().unwrap().to_owned());
    }
    let password = password_file("external-password", "tanstaaf");
    let check = |address: &str, more: &[&str]| {
        let access = ["server", address, "--user", "mrose", "--password-file", &password, "--ca", &files[0]];
        run(&[&access[..], &["--only", "rfc8314/4.2", "--timeout", "20", "-v"], more].concat())
    };
    let certified = ["--client-cert", &files[1], "--client-key", &files[2]];
    let external = |house: &mut House| {
        house.certificate = true;
        house.config = |config| config.builtin_mechanisms([Builtin::Plain, Builtin::External]);
    };
    for (upgrade, option) in [(Upgrade::Implicit, "--tls"), (Upgrade::Stls, "--stls")] {
        let mut house = House::default();
        external(&mut house);
        let address = listen_over(upgrade, generated.asking(), Our::new(house), |session| session);
        let output = check(&address, &[&certified[..], &[option]].concat());
        assert!(output.status.success() && out(&output).contains("1 passed"), "{}", out(&output));
        // The server asks for a certificate, and takes nobody without one.
        assert_eq!(check(&address, &[option]).status.code(), Some(3));
    }
    // A server that takes the certificate and has no EXTERNAL.
    let address = listen_over(Upgrade::Implicit, generated.asking(), Our::new(House::default()), |session| session);
    let output = check(&address, &[&certified[..], &["--tls"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("EXTERNAL among the SASL mechanisms"), "{}", out(&output));
    let output = check(&server(House::default()), &["--stls"]);
    assert!(out(&output).contains("--client-cert and --client-key"), "{}", out(&output));
    // One without the other, and a file that holds no certificate.
    assert_eq!(check(&address, &["--tls", "--client-cert", &files[1]]).status.code(), Some(2));
    let wrong = check(&address, &["--tls", "--client-cert", &files[2], "--client-key", &files[2]]);
    assert_eq!(wrong.status.code(), Some(3), "{}", out(&wrong));
    assert!(out(&wrong).contains("it holds no certificate"), "{}", out(&wrong));
}

/// An end of a session that overlooks NOOP: the first time, or always.
struct Forgetful<E> {
    end: E,
    forgets: Arc<AtomicUsize>,
}

impl<E: Endpoint> Endpoint for Forgetful<E> {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let noop = octets.starts_with(b"NOOP");
        if noop && self.forgets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return;
        }
        self.end.take(octets, out);
    }
    fn handle_eof(&mut self) {
        self.end.handle_eof();
    }
    fn wants_tls(&self) -> bool {
        self.end.wants_tls()
    }
    fn tls_established(&mut self, out: &mut Vec<u8>) {
        self.end.tls_established(out);
    }
    fn is_over(&self) -> bool {
        self.end.is_over()
    }
}

#[test]
fn a_case_that_fails_once_is_noted_and_one_that_fails_twice_fails() {
    for (forgets, status) in [(1, 0), (usize::MAX, 1)] {
        let forgets = Arc::new(AtomicUsize::new(forgets));
        let forgetful = move |end| Forgetful { end, forgets: Arc::clone(&forgets) };
        let address = listen(Our::new(House::default()), forgetful);
        let password = password_file("forgetful-password", "tanstaaf");
        let access = ["server", &address, "--user", "mrose", "--password-file", &password];
        let output = run(&[&access[..], &["--only", "rfc1939/5/noop", "--timeout", "1", "--jobs", "1", "-v"]].concat());
        assert_eq!(output.status.code(), Some(status), "{}", out(&output));
        let noted = out(&output).contains("passed only when it was run again, alone");
        assert_eq!(noted, status == 0, "{}", out(&output));
    }
}

#[test]
fn several_cases_at_a_time_are_reported_in_the_order_of_the_list() {
    let (address, password) = (server(House::default()), password_file("jobs-password", "tanstaaf"));
    let json = path("jobs.json");
    let access = ["server", &address, "--user", "mrose", "--password-file", &password, "--only", "rfc1939/5"];
    let listed = run(&[&access[..], &["--list"]].concat());
    let listed: Vec<_> = out(&listed).lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert!(listed.len() > 20, "{listed:?}");
    let output = run(&[&access[..], &["--jobs", "7", "--allow-delete", "--json", json.to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    let results = report["results"].as_array().unwrap();
    let reported: Vec<_> = results.iter().map(|result| result["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(reported, listed);
    // Those that delete were run, too.
    assert!(results.iter().any(|result| result["id"] == "rfc1939/5/dele-argument" && result["outcome"] == "pass"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_does_not_end_is_ended_with_all_its_children() {
    let file = path("children");
    let _ = std::fs::remove_file(&file);
    // It and its child overlook SIGTERM, and write down who they are.
    let script = format!(
        "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ >>{0}; sleep 600' & echo $$ >>{0}; sleep 600",
        file.display()
    );
    let output = run(&["client", "--only", "rfc1939/3/client-crlf", "--timeout", "1", "--", "sh", "-c", &script]);
    assert!(out(&output).contains("the client does not connect: not within"), "{}", out(&output));
    let numbers = std::fs::read_to_string(&file).unwrap();
    assert!(numbers.lines().count() >= 2, "{numbers}");
    for number in numbers.lines() {
        // Gone, or a zombie that nobody has waited for.
        let status = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let state = status.rsplit(") ").next().unwrap_or_default().chars().next();
        assert!(matches!(state, None | Some('Z' | 'X')), "{number} lives on: {status}");
    }
}
