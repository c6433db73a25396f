#!/usr/bin/env python3
"""Gives POP3 client libraries the same tasks and writes what came of it into docs/comparison.md.

    docs/comparison/run.py            runs everything, and writes the table
    docs/comparison/run.py --show     prints the table only

Each library is driven by a program as short as its interface allows: `programs/` and `rust/`. The server is below: it
plays one mailbox over loopback and says what it saw. It needs python3, curl, node, npm and cargo; what is missing is left out
of the table, which says so.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs/comparison.md"
BUILD = ROOT / "target/comparison"
MESSAGE = b"Subject: one\r\n\r\ntext\r\n"
MEGABYTES = 64
PATIENCE = 60


def stuffed(message):
    return re.sub(rb"(?:\A|(?<=\r\n))\.", b"..", message) + b".\r\n"


class Server:
    """One mailbox of three messages that are the same. `eager` collects commands that came while an answer was withheld."""

    def __init__(self, message, octetwise=False, withhold=0.0):
        self.answer, self.octetwise, self.withhold = b"+OK\r\n" + stuffed(message), octetwise, withhold
        self.size, self.commands, self.eager = len(message), [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        pending = b""
        try:
            connection.sendall(b"+OK ready\r\n")
            while True:
                while b"\r\n" not in pending:
                    octets = connection.recv(65536)
                    if not octets:
                        return
                    pending += octets
                line, pending = pending.split(b"\r\n", 1)
                self.commands.append(line)
                verb = line.split(b" ")[0].upper()
                if verb == b"RETR" and self.withhold:
                    connection.settimeout(self.withhold)
                    try:
                        pending += connection.recv(65536)
                    except TimeoutError:
                        pass
                    connection.settimeout(None)
                    if pending:
                        self.eager.append(pending)
                self.reply(connection, verb, line)
                if verb == b"QUIT":
                    return
        except OSError:
            pass
        finally:
            connection.close()

    def reply(self, connection, verb, line):
        alone = line.strip().upper() == verb
        if verb == b"CAPA":
            answer = b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n"
        elif verb == b"STAT":
            answer = b"+OK 3 %d\r\n" % (3 * self.size)
        elif verb == b"LIST" and alone:
            answer = b"+OK\r\n" + b"".join(b"%d %d\r\n" % (n, self.size) for n in (1, 2, 3)) + b".\r\n"
        elif verb == b"UIDL" and alone:
            answer = b"+OK\r\n1 a\r\n2 b\r\n3 c\r\n.\r\n"
        elif verb in (b"RETR", b"TOP"):
            answer = self.answer
        elif verb in (b"AUTH", b"STLS"):
            answer = b"-ERR no\r\n"
        else:
            answer = b"+OK\r\n"
        if self.octetwise and verb == b"RETR":
            for octet in answer:
                connection.sendall(bytes([octet]))
                time.sleep(0.002)
        else:
            connection.sendall(answer)


def fetch(program, server, count=1, user="mrose", into=None):
    """What the program printed, its status, and its peak memory in octets."""
    command = [*program, "127.0.0.1", str(server.port), user, str(count)]
    with tempfile.TemporaryFile() as output:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=into or output, stderr=subprocess.DEVNULL)
        began, peak = time.monotonic(), 0
        while child.poll() is None:
            if time.monotonic() - began > PATIENCE:
                child.kill()
            # (What wait4 says of a child begins with the memory of its parent.)
            with contextlib.suppress(OSError, TypeError):
                status = Path(f"/proc/{child.pid}/status").read_text()
                peak = max(peak, int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024)
            time.sleep(0.002)
        output.seek(0)
        return output.read(), child.returncode, peak


def carries(program, message, **settings):
    server = Server(message, **settings)
    got, status, _ = fetch(program, server)
    # (Line ends as LF are a library's choice, if all are; and what stands at the very end is not looked at.)
    whole = got.rstrip(b"\r\n") in (message.rstrip(b"\r\n"), message.rstrip(b"\r\n").replace(b"\r\n", b"\n"))
    return "yes" if whole else "**no**, ends in an error" if status else "**no**"


def memory(program):
    line = b"x" * 74 + b"\r\n"
    lines = MEGABYTES * 2**20 // len(line)
    large = Server(b"Subject: large\r\n\r\n" + line * lines)
    with open(os.devnull, "wb") as nowhere:
        base = fetch(program, Server(MESSAGE), into=nowhere)[2]
        _, status, peak = fetch(program, large, into=nowhere)
    return f"no end in {PATIENCE} s" if status == -9 else "an error" if status else f"{max(0, peak - base) / 2**20:.0f} MiB" if peak - base > 2**20 else "below 1 MiB"


def injects(program):
    server = Server(MESSAGE)
    fetch(program, server, user="mrose\r\nNOOP")
    return "**sent**" if b"NOOP" in server.commands else "refused"


def pipelines(program):
    server = Server(MESSAGE, withhold=0.3)
    fetch(program, server, count=3)
    return "yes" if server.eager else "no"


TASKS = [
    ("dots at line starts", lambda p: carries(p, b"Subject: x\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n")),
    ("octet by octet", lambda p: carries(p, b"Subject: x\r\n\r\none\r\nend\r\n", octetwise=True)),
    ("Latin-1", lambda p: carries(p, b"Subject: x\r\n\r\ncaf\xe9\r\n")),
    ("NUL, bare CR, bare LF", lambda p: carries(p, b"Subject: x\r\n\r\na\x00b\rc\nd\r\n")),
    ("LF `.` LF inside", lambda p: carries(p, b"Subject: x\r\n\r\na\n.\nb\r\n")),
    ("a line of 1 MB", lambda p: carries(p, b"Subject: x\r\n\r\n" + b"x" * 10**6 + b"\r\n")),
    (f"memory for {MEGABYTES} MiB", memory),
    ("CR LF in the name", injects),
    ("pipelines", pipelines),
]


def subjects():
    BUILD.mkdir(parents=True, exist_ok=True)
    built = subprocess.run(
        ["cargo", "build", "--quiet", "--release", "--locked", "--manifest-path", HERE / "rust/Cargo.toml", "--target-dir", BUILD]
    )
    if built.returncode == 0:
        for name in ("pop3-proto", "async-pop", "rust-pop3-client", "pop3-codec"):
            yield name, [BUILD / "release" / name.replace("-", "_")]
    yield "poplib", [sys.executable, HERE / "programs/poplib_fetch.py"]
    if shutil.which("npm"):
        if not (BUILD / "node_modules/node-pop3").exists():
            subprocess.run(["npm", "install", "--silent", "--no-save", "--prefix", BUILD, "node-pop3@0.11.0"], check=False)
        if (BUILD / "node_modules/node-pop3").exists():
            module = BUILD / "node_modules/node-pop3/src/Command.js"
            yield "node-pop3, `RETR`", ["node", HERE / "programs/node_pop3.mjs", module, "string"]
            yield "node-pop3, `command`", ["node", HERE / "programs/node_pop3.mjs", module, "stream"]
    if shutil.which("curl"):
        yield "curl", ["sh", HERE / "programs/curl.sh"]


def main():
    rows = ["| | " + " | ".join(name for name, _ in TASKS) + " |", "|---" * (len(TASKS) + 1) + "|"]
    for name, program in subjects():
        found = [task([str(part) for part in program]) for _, task in TASKS]
        if name == "pop3-codec":
            found[-2:] = ["the caller's"] * 2  # A parser sends nothing.
        rows.append(f"| {name} | " + " | ".join(found) + " |")
        print(rows[-1], file=sys.stderr)
    table = "\n".join(rows)
    if "--show" in sys.argv:
        print(table)
        return
    begin, end = "<!-- found: docs/comparison/run.py -->", "<!-- /found -->"
    front, rest = PAGE.read_text().split(begin)
    PAGE.write_text(f"{front}{begin}\n\n{table}\n\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    main()
