"""HOST PORT USER COUNT: prints the messages, with Python's poplib."""
import poplib
import sys

host, port, user, count = sys.argv[1:]
mailbox = poplib.POP3(host, int(port))
mailbox.user(user)
mailbox.pass_("tanstaaf")
for number in range(1, int(count) + 1):
    for line in mailbox.retr(number)[1]:
        sys.stdout.buffer.write(line + b"\r\n")
mailbox.quit()
