#!/usr/bin/env python3
"""Checks real servers and clients with pop3-conformance, and writes docs/compatibility.md.

    conformance/peers/compatibility.py run [--tool FILE] [NAME...]   runs peers (all, or these) and keeps their results
    conformance/peers/compatibility.py page [--check]                writes the page from the results that are kept;
                                                                     --check only compares, and fails if it is stale

`run` wants Debian and root: servers whose packages exclude each other are installed in roots of their own (servers/run.sh),
clients on the machine. Servers listen on 127.0.0.1 and end with the run. The results stand in compatibility.json, without
what would show a way to attack somebody: such weaknesses are only counted there, by class.
"""

import argparse
import collections
import datetime
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RESULTS = HERE / "compatibility.json"
PAGE = ROOT / "docs" / "compatibility.md"
CLIENTS = HERE / "clients"
PASSWORD = "tanstaaf"
LIBRARY = "{host} {port} {user} {password} {dir}".split()
PATIENCE = ["--jobs", "2", "--timeout", "4"]
PROGRAM = "{host} {port} {user} {password-file} {dir}".split()
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"]

# Name: Debian packages, the first of which gives the version.
SERVERS = {
    "Dovecot": ["dovecot-pop3d"],
    "Courier": ["courier-pop"],
    "popa3d": ["popa3d"],
    "Solid POP3": ["solid-pop3d"],
}

# When TLS begins; those that are not named here are checked in the clear alone.
MODES = {"clear": [], "stls": ["--stls"], "tls": ["--tls"]}
SERVER_MODES = {"Dovecot": ["clear", "stls", "tls"]}

# Name: packages, command, and what is put behind it for TLS.
PROGRAMS = {
    "curl": (["curl"], ["curl", "-sS", "-u", "{user}:{password}", "-o", "{dir}/1"]),
    "Python poplib": (["python3"], ["python3", f"{CLIENTS}/poplib_client.py", *LIBRARY]),
    "Perl Net::POP3": (["perl"], ["perl", f"{CLIENTS}/net_pop3.pl", *LIBRARY]),
    "Perl Mail::POP3Client": (["libmail-pop3client-perl"], ["perl", f"{CLIENTS}/mail_pop3client.pl", *LIBRARY]),
    "Ruby net-pop": (["ruby"], ["ruby", f"{CLIENTS}/net_pop.rb", *LIBRARY]),
    "fetchmail": (["fetchmail"], ["sh", f"{CLIENTS}/fetchmail.sh", *PROGRAM]),
    "mpop": (["mpop"], ["sh", f"{CLIENTS}/mpop.sh", *PROGRAM]),
    "getmail6": (["getmail6"], ["sh", f"{CLIENTS}/getmail.sh", *PROGRAM]),
    "fdm": (["fdm"], ["sh", f"{CLIENTS}/fdm.sh", *PROGRAM]),
    "JavaMail": (
        ["libmail-java", "libactivation-java", "default-jdk-headless"],
        [*JAVA, "{classes}:/usr/share/java/javax.mail.jar:/usr/share/java/javax.activation.jar", "JavaMail", *LIBRARY],
    ),
    "Apache Commons Net": (
        ["libcommons-net-java", "default-jdk-headless"],
        [*JAVA, "{classes}:/usr/share/java/commons-net.jar", "CommonsNet", *LIBRARY],
    ),
}

CLIENT_MODES = {
    "curl": {
        "clear": ["pop3://{host}:{port}/1"],
        "stls": ["--ssl-reqd", "--cacert", "{ca}", "pop3://{host}:{port}/1"],
        "tls": ["--cacert", "{ca}", "pop3s://{host}:{port}/1"],
    },
    "Python poplib": {"clear": [], "tls": ["tls", "{ca}"]},
}

# What is known in public, by product: the place where it was reported. Which versions have it, the reports say.
PUBLIC = {
    "curl": "curl#19228 (a capability that begins with a dot)",
    "Python poplib": "cpython#143923 (CR and LF in arguments)",
    "Ruby net-pop": "ruby/net-pop#31 (CR and LF in arguments)",
    "Apache Commons Net": "commons-net#400 (CR and LF in arguments)",
}

# Cases whose failure may show a way to attack somebody; they are counted, and not named.
CLASSES = [
    (r"^group/2/client-|client-false-end|client-line-feeds|client-terminator|client-bare", "where a response ends"),
    (r"client-early|client-answers-at-once|client-one-answer-more|client-late-answer|client-twice", "answers to no command"),
    (r"^group/4/|endless|beyond-the-limit|server-limits|client-numbers|argument-40", "bounds"),
    (r"unique-id-odd|client-unique-ids", "names of files"),
    (r"^rfc1939/5/.*-unknown|^rfc1939/7/(top|uidl)-unknown|server-numbers|server-no-number|server-many-lines", "numbers"),
    (
        r"^group/6/|cleartext|inject|plaintext|half-a-line|layer|handshake|stls-(refused|not-announced)|no-tls|behind-stls|forgets"
        r"|^rfc8314/(4\.1|5)|opportunistic|client-lies",
        "octets and logins around TLS",
    ),
    (
        r"^group/7/|control|not-printable|odd-octets|foreign-characters|garbage-within|plain-in-the-clear|tls-alone|line-octets"
        r"|nul-in-a-field|half-a-message|apop|long-(name|password|token)",
        "control octets and credentials",
    ),
]

# Looked at one by one: whoever does this knows the password already, or reads what he has sent himself.
HARMLESS = {
    "Dovecot": ["group/7/server-echo", "group/7/server-password-with-nul", "rfc5034/4/foreign-characters-initial"],
}

# What got nothing, or lost the connection, may be the trace of a crash. Of these it is known that it is not: the server
# notices that its mailbox has changed.
HUNG = r"Hung|hangs|nothing within|the end of the connection|broken connection"
NO_CRASH = ["rfc1939/4/lock"]

# How the note begins about a case that passed when it was run again.
AGAIN = "passed only when it was run again, alone"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    run = actions.add_parser("run")
    run.add_argument("--tool", default=ROOT / "target/release/pop3-conformance", type=pathlib.Path)
    run.add_argument("names", nargs="*", metavar="NAME")
    page_action = actions.add_parser("page")
    page_action.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    if arguments.action == "run":
        for name in arguments.names:
            if name not in SERVERS and name not in PROGRAMS:
                parser.error(f"no {name}; there are: {', '.join([*SERVERS, *PROGRAMS])}")
        run_all(arguments.tool.resolve(), arguments.names or [*SERVERS, *PROGRAMS])
    text = page(json.loads(RESULTS.read_text()))
    if arguments.action == "page" and arguments.check:
        if PAGE.read_text() != text:
            sys.exit("docs/compatibility.md is stale: conformance/peers/compatibility.py page")
    else:
        PAGE.write_text(text)


# --- Running --------------------------------------------------------------------------------------------------------


def run_all(tool, names):
    with tempfile.TemporaryDirectory(prefix="pop3-", dir="/tmp") as state:
        state = pathlib.Path(state)
        state.chmod(0o711)
        for name in names:
            part = "servers" if name in SERVERS else "clients"
            began = time.monotonic()
            try:
                result = (check_server if name in SERVERS else check_client)(tool, name, state)
            except (RuntimeError, subprocess.SubprocessError, OSError) as error:
                print(f"{name}: not checked: {error}", file=sys.stderr)
                continue
            totals = [mode["totals"] for mode in result["modes"].values()]
            print(f"{name}: {totals}, {time.monotonic() - began:.0f} s", flush=True)
            keep(part, name, result)


def keep(part, name, result):
    """Writes a result beside those that are kept; several runs may do so at a time."""
    with RESULTS.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        kept = json.loads(text) if text else {"servers": {}, "clients": {}}
        kept[part][name] = result
        kept["titles"] = titles_of(kept)
        file.truncate(0)
        file.write(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def install(packages):
    missing = [package for package in packages if not version(package)]
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120", "install", "--yes", "--no-install-recommends", *missing]
        subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)


def version(package):
    query = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package]
    words = subprocess.run(query, capture_output=True, text=True).stdout.split()
    return words[1] if words[:1] == ["installed"] else None


def check_server(tool, name, state):
    place = state / name.replace(" ", "-").lower()
    place.mkdir(mode=0o711)
    (place / "password").write_text(PASSWORD + "\n")
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    certificate += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(certificate, cwd=place, check=True, capture_output=True)
    found = {}
    for mode in SERVER_MODES.get(name, ["clear"]):
        # A fresh mailbox for each: some messages are removed for good.
        fixture = [tool, "fixture", "--maildir", place / mode / "Maildir", "--mbox", place / mode / "mbox"]
        (place / mode).mkdir(mode=0o711)
        subprocess.run(fixture, check=True)
        for file in ("password", "cert.pem", "key.pem"):
            shutil.copy(place / file, place / mode / file)
        port, tls_port = free_port(), free_port()
        with serving(name, place / mode, port, tls_port) as server:
            reach = f"localhost:{tls_port if mode == 'tls' else port}"
            report = place / f"{mode}.json"
            command = [tool, "server", reach, "--user", "mrose", "--password-file", place / "password", "--allow-delete"]
            command += ["--ca", place / "cert.pem", *MODES[mode], *PATIENCE]
            if name != "Dovecot":
                command += ["--empty-user", "empty"]
            found[mode] = condense(name, check(command, report))
            known = server.version
    return {"version": known, "date": today(), "modes": found}


class serving:
    """A server, for as long as a `with` block runs."""

    def __init__(self, name, place, port, tls_port):
        self.name, self.place, self.port, self.version = name, place, port, None
        if name == "Dovecot":
            install(SERVERS[name])
            self.command = ["sh", HERE / "dovecot.sh", "--port", port, "--tls-port", tls_port, "--maildir", place / "Maildir"]
            self.command += ["--user", "mrose", "--password-file", place / "password", "--state", place / "state"]
            self.command += ["--tls-cert", place / "cert.pem", "--tls-key", place / "key.pem", "--for", "2400"]
        else:
            self.command = ["sh", HERE / "servers" / "run.sh", name.replace("Solid POP3", "solid-pop3d").lower(), port, place]

    def __enter__(self):
        log = self.place / "log"
        with log.open("w") as file:
            words = [str(word) for word in self.command]
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        until = time.monotonic() + 300
        while not greets(self.port):
            if self.process.poll() is not None or time.monotonic() > until:
                self.__exit__()
                raise RuntimeError(log.read_text()[-500:])
            time.sleep(0.5)
        package = SERVERS[self.name][0]
        rows = dict(line.split("\t") for line in log.read_text().splitlines() if line.count("\t") == 1)
        self.version = rows.get(package) or version(package)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


def check_client(tool, name, state):
    packages, command = PROGRAMS[name]
    install(packages)
    classes = state / "classes"
    if "{classes}" in " ".join(command) and not classes.exists():
        classes.mkdir()
        jars = "/usr/share/java/javax.mail.jar:/usr/share/java/commons-net.jar"
        sources = sorted(CLIENTS.glob("*.java"))
        subprocess.run(["javac", "-cp", jars, "-d", classes, *sources], check=True, capture_output=True)
    report = state / f"{name.replace(' ', '-').lower()}.json"
    command = [word.replace("{classes}", str(classes)) for word in command]
    found = {}
    for mode, behind in CLIENT_MODES.get(name, {"clear": []}).items():
        run = [tool, "client", *MODES[mode], *PATIENCE, "--", *command, *behind]
        found[mode] = condense(name, check(run, report))
    return {"version": version(packages[0]), "date": today(), "modes": found}


def check(command, report):
    """Runs the tool and gives its report. What fails, the tool runs once more by itself."""
    at = command.index("--") if "--" in command else len(command)
    report.unlink(missing_ok=True)
    run = [*command[:at], "--json", report, "--quiet", *command[at:]]
    ended = subprocess.run(run, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=2400)
    if not report.exists():
        raise RuntimeError(f"exit status {ended.returncode}: {ended.stderr[-500:]}")
    return json.loads(report.read_text())


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def greets(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 2) as connection:
            connection.settimeout(5)
            return connection.recv(1) == b"+"
    except OSError:
        return False


def today():
    return datetime.date.today().isoformat()


def condense(name, report):
    """What is kept of a report: counts, the names of what may be named, and the classes of what may not."""
    kept = {"must": [], "should": [], "tolerant": [], "weaknesses": {}, "totals": report["totals"], "again": 0}
    weaknesses = collections.Counter()
    for result in report["results"]:
        if result["outcome"] not in ("fail", "warn", "note"):
            continue
        hidden = next((words for pattern, words in CLASSES if re.search(pattern, result["id"])), None)
        if result["id"] in HARMLESS.get(name, []):
            hidden = None
        hung = result["got"] is not None and result["id"] not in NO_CRASH and re.search(HUNG, result["got"])
        if result["outcome"] == "note":
            if result["reason"].startswith(AGAIN):
                kept["again"] += 1
            elif not hidden and result["level"] != "quirk":
                kept["tolerant"].append(result["id"])
        elif hidden or hung:
            weaknesses[hidden or "no end, or no answer"] += 1
        else:
            kept["must" if result["outcome"] == "fail" else "should"].append(result["id"])
    kept["weaknesses"] = dict(weaknesses)
    return kept


# --- The page -------------------------------------------------------------------------------------------------------


def page(kept):
    titles = kept["titles"]
    lines = [
        "# What real servers and clients do",
        "",
        "This page is generated: `conformance/peers/compatibility.py run` starts the products below, checks each with",
        "`pop3-conformance`, and keeps the results in `conformance/peers/compatibility.json`; `compatibility.py page` writes the",
        "page from them. A deviation is a failed case whose level is MUST; the case's id names the section, and",
        "[rfc-coverage.md](rfc-coverage.md) its requirements. Tolerant is what the grammar refuses and the product takes, and harms",
        "nobody. What could show a way to attack somebody is counted by its class, and not named: a class says what the failed",
        "cases are about, not that there is an attack.",
        "",
        "Clients that are libraries are driven by the small programs in `conformance/peers/clients/`, which fetch and delete every",
        "message. A case about what a client never does is skipped: a client with few passes does little, not badly.",
    ]
    for part, heading in (("servers", "Servers"), ("clients", "Clients")):
        lines += ["", f"## {heading}", ""]
        lines += ["| product | version | mode | passed | tolerant | deviations | SHOULD | weaknesses counted | skipped |"]
        lines += ["|---|---|---|---|---|---|---|---|---|"]
        for name, product in sorted(kept[part].items(), key=lambda item: item[0].lower()):
            for mode, found in product["modes"].items():
                totals = found["totals"]
                passed = totals["passed"] + totals["noted"] - len(found["tolerant"])
                cells = [name, product["version"], mode, passed, len(found["tolerant"]), len(found["must"])]
                cells += [len(found["should"]), sum(found["weaknesses"].values()), totals["skipped"]]
                lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
        for name, product in sorted(kept[part].items(), key=lambda item: item[0].lower()):
            lines += ["", f"### {name} {product['version']}", "", f"Checked on {product['date']}."]
            if name in PUBLIC:
                lines += ["", f"Known in public: {PUBLIC[name]}."]
            must, should, tolerant = collected(product, "must"), collected(product, "should"), collected(product, "tolerant")
            classes = collections.Counter()
            for found in product["modes"].values():
                for words, count in found["weaknesses"].items():
                    classes[words] = max(classes[words], count)
            if must:
                lines += ["", "Deviates:", ""]
                lines += [f"- `{case}`: {titles.get(case, '')}{modes(product, found)}" for case, found in must.items()]
            if should:
                lines += ["", "Does not do what is recommended:", ""]
                lines += [f"- `{case}`: {titles.get(case, '')}{modes(product, found)}" for case, found in should.items()]
            if tolerant:
                lines += ["", "Tolerant: " + ", ".join(f"`{case}`" for case in tolerant) + "."]
            if classes:
                counted = ", ".join(f"{words} ({count})" for words, count in sorted(classes.items()))
                lines += ["", f"Weaknesses, by class: {counted}."]
    return "\n".join(lines) + "\n"


def collected(product, part):
    found = {}
    for mode, result in product["modes"].items():
        for case in result[part]:
            found.setdefault(case, []).append(mode)
    return found


def modes(product, found):
    return "" if len(found) == len(product["modes"]) else f" ({', '.join(found)})"


def titles_of(kept):
    """The sentences of the cases that the page names, as they stand in the source."""
    titles, named = {}, set()
    for product in [*kept["servers"].values(), *kept["clients"].values()]:
        named |= {case for found in product["modes"].values() for case in [*found["must"], *found["should"]]}
    for part in ("server_cases", "client_cases"):
        for path in (ROOT / "conformance" / "src" / part).rglob("*.rs"):
            pairs = re.findall(r'"((?:rfc|group|fault)[\w./-]+/(?:client-|server-)?[\w-]+)",\s*"((?:[^"\\]|\\.)+)"', path.read_text())
            titles.update(pair for pair in pairs if pair[0] in named)
    for case in named - set(titles):
        titles[case] = fault(case)
    return titles


def fault(case):
    """A cell of the fault matrix, whose sentence is put together elsewhere."""
    words = re.fullmatch(r"fault/([\w-]+)/(?:client|server)-([\w-]+)", case)
    return f"at {words[1]}: {words[2].replace('-', ' ')}" if words else ""


if __name__ == "__main__":
    main()
