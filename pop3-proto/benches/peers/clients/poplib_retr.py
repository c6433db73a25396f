"""RETR of one message with Python's poplib: poplib_retr.py PORT MESSAGE. Prints the seconds of RETR."""
import poplib
import sys
import time

port, message = map(int, sys.argv[1:])
pop = poplib.POP3("127.0.0.1", port)
pop.user("mrose")
pop.pass_("tanstaaf")
began = time.perf_counter()
pop.retr(message)
print(time.perf_counter() - began)
pop.quit()
