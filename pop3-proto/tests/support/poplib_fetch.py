"""Downloads a maildrop with Python's poplib:

    poplib_fetch.py HOST PORT USER PASSWORD_FILE DIRECTORY [--tls stls|implicit] [--authority FILE] [--apop]

Message n goes to DIRECTORY/n. On stdout, one line per message: number, octets announced by LIST, unique-id.
"""

import argparse
import poplib
import ssl

parser = argparse.ArgumentParser()
for name in ("host", "port", "user", "password_file", "directory"):
    parser.add_argument(name)
parser.add_argument("--tls", choices=("stls", "implicit"))
parser.add_argument("--authority")
parser.add_argument("--apop", action="store_true")
arguments = parser.parse_args()
host, port, user, directory = arguments.host, int(arguments.port), arguments.user, arguments.directory

# poplib refuses lines of more than 2048 octets. It was meant for replies, but message lines pass through it too.
poplib._MAXLINE = 1 << 30

with open(arguments.password_file, encoding="ascii") as file:
    password = file.readline().rstrip("\n")

if arguments.tls:
    trusted = ssl.create_default_context(cafile=arguments.authority)
if arguments.tls == "implicit":
    mailbox = poplib.POP3_SSL(host, port, timeout=60, context=trusted)
else:
    mailbox = poplib.POP3(host, port, timeout=60)
if arguments.tls == "stls":
    mailbox.stls(trusted)

if arguments.apop:
    mailbox.apop(user, password)
else:
    mailbox.user(user)
    mailbox.pass_(password)

count, total = mailbox.stat()
sizes = dict(line.split(b" ") for line in mailbox.list()[1])
unique_ids = dict(line.split(b" ", 1) for line in mailbox.uidl()[1])
assert len(sizes) == len(unique_ids) == count, (len(sizes), len(unique_ids), count)
assert sum(map(int, sizes.values())) == total, (sizes, total)

for number in range(1, count + 1):
    _, lines, _ = mailbox.retr(number)
    # poplib cuts at LF, takes the CR before it off, and one dot of two at the start. Every line that arrives here ended in CRLF
    # (a bare LF would have been delivered as CRLF), so this puts the octets together again.
    with open(f"{directory}/{number}", "wb") as file:
        for line in lines:
            file.write(line + b"\r\n")
    key = b"%d" % number
    print(number, sizes[key].decode(), unique_ids[key].decode())

mailbox.quit()
