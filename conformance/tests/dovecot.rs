//! The tool on Dovecot: it finds what Dovecot is known to do otherwise, and nothing that is not so.

mod trial;

use pop3_conformance::expectations::Expectations;
use serde_json::Value;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use trial::trial;

/// What Dovecot 2.3 takes although the grammar refuses it, and the case that notes it. What it does otherwise than the RFCs
/// demand stands in the expectations file.
const TOLERATES: [(&str, &str); 12] = [
    ("LF alone ends a command", "rfc1939/3/command-lf"),
    ("two spaces part a keyword and its argument", "rfc1939/3/argument-two-spaces"),
    ("QUIT with an argument is a QUIT", "rfc1939/4/quit-argument"),
    ("STAT overlooks an argument", "rfc1939/5/stat-argument"),
    ("NOOP overlooks an argument", "rfc1939/5/noop-argument"),
    ("RSET overlooks an argument", "rfc1939/5/rset-argument"),
    ("CAPA overlooks an argument", "rfc2449/5/capa-no-argument"),
    ("a second USER replaces the first", "rfc1939/7/user-twice"),
    ("USER is remembered across other commands", "rfc1939/7/pass-not-immediately"),
    ("an APOP digest in upper case is taken", "rfc1939/7/apop-lower-case"),
    ("AUTH alone lists the mechanisms", "rfc5034/4/no-mechanism"),
    ("two sessions are admitted to one maildrop", "rfc1939/4/lock"),
];

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = vec![trial(
        &arguments,
        "what_dovecot_is_known_to_do_otherwise_is_found_and_nothing_else_fails",
        Dovecot::missing(),
        what_dovecot_is_known_to_do_otherwise_is_found_and_nothing_else_fails,
    )];
    libtest_mimic::run(&arguments, trials).exit();
}

fn what_dovecot_is_known_to_do_otherwise_is_found_and_nothing_else_fails() {
    let dovecot = Dovecot::start();
    let report = dovecot.place.join("report.json");
    let access = ["--user", "mrose", "--password-file", "password", "--allow-delete", "--insecure", "--strict"];
    let output = Command::new(TOOL)
        .args(["server", &format!("127.0.0.1:{}", dovecot.port)])
        .args(access)
        .args(["--expectations", KNOWN, "--json", "report.json"])
        .current_dir(&dovecot.place)
        .output()
        .unwrap();
    // 0: each known deviation was found, and no other.
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap();
    let results = report["results"].as_array().unwrap();
    let outcome = |id: &str| results.iter().find(|result| result["id"] == id).map(|result| &result["outcome"]);
    for (what, case) in TOLERATES {
        assert_eq!(outcome(case), Some(&"note".into()), "{case}: {what}");
    }
    // A case that was skipped would not have been missed by the exit status.
    let known = Expectations::parse(&fs::read_to_string(KNOWN).unwrap()).unwrap();
    assert!(known.expected.len() > 10);
    for expected in known.expected {
        let found = outcome(&expected.case);
        assert!(found == Some(&"fail".into()) || found == Some(&"warn".into()), "{}: {found:?}", expected.case);
    }
}

const KNOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/expectations/dovecot-2.3.toml");

const TOOL: &str = env!("CARGO_BIN_EXE_pop3-conformance");

/// Dovecot, for as long as the test runs.
struct Dovecot {
    child: Child,
    port: u16,
    place: PathBuf,
}

impl Dovecot {
    /// What is missing to start it.
    fn missing() -> Option<&'static str> {
        let installed = ["/usr/sbin/dovecot", "/usr/bin/dovecot"].iter().any(|path| Path::new(path).exists());
        let both = installed && Path::new("/usr/lib/dovecot/pop3-login").exists();
        if both { None } else { Some("Dovecot with POP3 is not installed") }
    }

    fn start() -> Self {
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
        dovecot
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
