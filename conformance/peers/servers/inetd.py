"""Listens on 127.0.0.1 and starts a program for each connection, which is its standard input and output: what inetd does.

inetd.py PORT PROGRAM [ARGUMENT...]
"""

import os
import signal
import socket
import sys

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=100)
while True:
    connection, _ = listener.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (0, 1):
            os.dup2(connection.fileno(), descriptor)
        os.execv(sys.argv[2], sys.argv[2:])
    connection.close()
