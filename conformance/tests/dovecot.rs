//! The tool on Dovecot: it finds what Dovecot is known to do otherwise, and nothing that is not so.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// What Dovecot 2.3 does otherwise, the case that shows it, and what becomes of that case.
const KNOWN: [(&str, &str, &str); 23] = [
    ("a dot that is the first octet of a message goes out unstuffed", "rfc1939/3/stuffing-first-octet", "fail"),
    ("the same, RETR by the later grammar", "rfc2449/3/retr-dot-stuffed", "fail"),
    ("the same in TOP", "rfc2449/3/top-dot-stuffed", "fail"),
    ("the same in TOP of a header", "rfc1939/7/top-stuffing-header", "fail"),
    ("the same, as one of the nine mistakes", "group/2/server-first-octet", "fail"),
    ("the size of that message is not what a client reads", "rfc6856/2.1/size", "warn"),
    ("USER and SASL are not announced behind the login", "rfc2449/5/announced-in-both-states", "fail"),
    ("SASL is not announced behind AUTH", "rfc5034/3/after-success", "fail"),
    ("USER without an argument is taken", "rfc1939/7/user-argument", "fail"),
    ("STLS with an argument is taken", "rfc2595/4/no-argument", "fail"),
    ("a foreign character in an initial response is taken", "rfc5034/4/foreign-characters-initial", "fail"),
    ("LF alone ends a command", "rfc1939/3/command-lf", "note"),
    ("two spaces part a keyword and its argument", "rfc1939/3/argument-two-spaces", "note"),
    ("QUIT with an argument is a QUIT", "rfc1939/4/quit-argument", "note"),
    ("STAT overlooks an argument", "rfc1939/5/stat-argument", "note"),
    ("NOOP overlooks an argument", "rfc1939/5/noop-argument", "note"),
    ("RSET overlooks an argument", "rfc1939/5/rset-argument", "note"),
    ("CAPA overlooks an argument", "rfc2449/5/capa-no-argument", "note"),
    ("a second USER replaces the first", "rfc1939/7/user-twice", "note"),
    ("USER is remembered across other commands", "rfc1939/7/pass-not-immediately", "note"),
    ("an APOP digest in upper case is taken", "rfc1939/7/apop-lower-case", "note"),
    ("AUTH alone lists the mechanisms", "rfc5034/4/no-mechanism", "note"),
    ("two sessions are admitted to one maildrop", "rfc1939/4/lock", "note"),
];

#[test]
fn what_dovecot_is_known_to_do_otherwise_is_found_and_no_other_must_fails() {
    let Some(dovecot) = Dovecot::start() else {
        eprintln!("############ SKIPPED: Dovecot is not installed (conformance/peers/install.sh) ############");
        return;
    };
    let report = dovecot.place.join("report.json");
    let status = Command::new(TOOL)
        .args([
            "server",
            &format!("127.0.0.1:{}", dovecot.port),
            "--user",
            "mrose",
            "--allow-delete",
            "--insecure",
            "--quiet",
        ])
        .arg("--password-file")
        .arg(dovecot.place.join("password"))
        // A busy machine is not to make a verdict.
        .args(["--timeout", "20"])
        .arg("--json")
        .arg(&report)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let results = report["results"].as_array().unwrap();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let outcomes: BTreeMap<_, _> =
        results.iter().map(|result| (word(&result["id"]), word(&result["outcome"]))).collect();
    for (what, case, outcome) in KNOWN {
        assert_eq!(outcomes.get(case).map(String::as_str), Some(outcome), "{case}: {what}");
    }
    let known =
        |id: &str| KNOWN.iter().any(|(_, case, _)| *case == id) || WEAKNESSES.iter().any(|group| id.starts_with(group));
    let other: Vec<_> =
        results.iter().filter(|result| result["outcome"] == "fail" && !known(&word(&result["id"]))).collect();
    assert!(other.is_empty(), "{other:#?}");
}

/// Failures in these groups are weaknesses, of which no list is kept here.
const WEAKNESSES: [&str; 1] = ["group/7/"];

const TOOL: &str = env!("CARGO_BIN_EXE_pop3-conformance");

/// Dovecot, for as long as the test runs.
struct Dovecot {
    child: Child,
    port: u16,
    place: PathBuf,
}

impl Dovecot {
    /// `None`: it is not installed.
    fn start() -> Option<Self> {
        let installed = ["/usr/sbin/dovecot", "/usr/bin/dovecot"].iter().any(|path| Path::new(path).exists());
        if !installed || !Path::new("/usr/lib/dovecot/pop3-login").exists() {
            return None;
        }
        // Its sockets need a short path that its own users can reach.
        let place = std::env::temp_dir().join(format!("pop3-dv-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("password"), "tanstaaf\n").unwrap();
        let run = |command: &mut Command| assert!(command.stdout(Stdio::null()).status().unwrap().success());
        run(Command::new(TOOL).arg("fixture").arg("--maildir").arg(place.join("Maildir")));
        run(Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .stderr(Stdio::null())
            .current_dir(&place));
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("sh")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/dovecot.sh"))
            .args([
                "--port",
                &port.to_string(),
                "--user",
                "mrose",
                "--for",
                "600",
                "--mechanisms",
                "plain login cram-md5 apop",
            ])
            .args(["--maildir", "Maildir", "--password-file", "password", "--state", "state"])
            .args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"])
            .current_dir(&place)
            .stderr(fs::File::create(place.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut dovecot = Self { child, port, place };
        let until = Instant::now() + Duration::from_secs(60);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = dovecot.child.try_wait().unwrap();
            let log = || fs::read_to_string(dovecot.place.join("log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < until, "{ended:?}: {}", log());
            sleep(Duration::from_millis(100));
        }
        Some(dovecot)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // SIGTERM, so that the script ends what it has started.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.place);
    }
}
