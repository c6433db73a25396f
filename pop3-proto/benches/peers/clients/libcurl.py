"""RETR of one message with libcurl, no Python on the way of the octets: libcurl.py PORT BUFFER MESSAGE.

Prints the seconds of the transfer. BUFFER 0 leaves libcurl its own default.
"""
import ctypes
import ctypes.util
import sys
import time

port, buffer, message = sys.argv[1:]
curl = ctypes.CDLL(ctypes.util.find_library("curl") or "libcurl.so.4")
libc = ctypes.CDLL(None)
curl.curl_easy_init.restype = libc.fopen.restype = ctypes.c_void_p
WRITEDATA, URL, USERPWD, BUFFERSIZE = 10001, 10002, 10005, 98

handle = ctypes.c_void_p(curl.curl_easy_init())


def option(name, value):
    assert curl.curl_easy_setopt(handle, ctypes.c_int(name), value) == 0


option(URL, ctypes.c_char_p(f"pop3://127.0.0.1:{port}/{message}".encode()))
option(USERPWD, ctypes.c_char_p(b"mrose:tanstaaf"))
option(WRITEDATA, ctypes.c_void_p(libc.fopen(b"/dev/null", b"w")))
if int(buffer):
    option(BUFFERSIZE, ctypes.c_long(int(buffer)))
began = time.perf_counter()
assert curl.curl_easy_perform(handle) == 0
print(time.perf_counter() - began)
