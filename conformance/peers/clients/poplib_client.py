"""Python's poplib: fetches and deletes every message.     poplib_client.py HOST PORT USER PASSWORD DIR [stls|tls CA]"""

import contextlib
import poplib
import ssl
import sys

# The library's own bound on a line is meant for headers; programs that fetch mail raise it.
poplib._MAXLINE = 1 << 20

host, port, user, password, directory, *tls = sys.argv[1:]
context = ssl.create_default_context(cafile=tls[1]) if tls else None
if tls and tls[0] == "tls":
    box = poplib.POP3_SSL(host, int(port), context=context)
else:
    box = poplib.POP3(host, int(port))
with contextlib.suppress(poplib.error_proto):  # A server need not know it.
    box.capa()
if tls and tls[0] == "stls":
    box.stls(context)
box.user(user)
box.pass_(password)
box.stat()
with contextlib.suppress(poplib.error_proto):
    box.uidl()
for row in box.list()[1]:
    number = int(row.split()[0])
    with contextlib.suppress(poplib.error_proto):
        box.top(number, 0)
    lines = box.retr(number)[1]
    with open(f"{directory}/{number}", "wb") as file:
        file.write(b"".join(line + b"\r\n" for line in lines))
    box.dele(number)
box.quit()
