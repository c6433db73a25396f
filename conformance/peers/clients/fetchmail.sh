#!/bin/sh
# fetchmail: fetches and deletes every message.     fetchmail.sh HOST PORT USER PASSWORD-FILE DIR
# Everything it keeps is in FETCHMAILHOME, so that runs do not wait for each other.
set -u
FETCHMAILHOME=$(dirname "$4")/fetchmail
export FETCHMAILHOME
mkdir -m 700 "$FETCHMAILHOME" || exit 1
umask 077
cat >"$FETCHMAILHOME/rc" <<END
set no bouncemail
poll $1 protocol pop3 port $2 timeout 20 uidl
  user "$3" password "$(cat "$4")" sslproto "" fetchall no keep no rewrite
  mda "cat >>'$5/mail'"
END
exec fetchmail --fetchmailrc "$FETCHMAILHOME/rc" --pidfile "$FETCHMAILHOME/pid" --nosyslog --nodetach
