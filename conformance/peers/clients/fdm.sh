#!/bin/sh
# fdm: fetches and deletes every message.     fdm.sh HOST PORT USER PASSWORD-FILE DIR
set -u
home=$(dirname "$4")
cat >"$home/fdm.conf" <<END
set default-user "root"
set lock-file "$home/fdm.lock"
set timeout 20
account "a" pop3 server "$1" port $2 user "$3" pass "$(cat "$4")"
action "keep" maildir "$5"
match all action "keep"
END
chmod 600 "$home/fdm.conf"
exec fdm -f "$home/fdm.conf" fetch
