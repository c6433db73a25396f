#!/bin/sh
# getmail6: fetches and deletes every message.     getmail.sh HOST PORT USER PASSWORD-FILE DIR
set -u
home=$(dirname "$4")/getmail
mkdir -m 700 "$home" || exit 1
# It stores nothing by itself when root runs it, but lets another program do that.
printf '#!/bin/sh\nexec cat >>"$1"\n' >"$home/store" && chmod 700 "$home/store" || exit 1
cat >"$home/getmailrc" <<END
[retriever]
type = SimplePOP3Retriever
server = $1
port = $2
username = $3
password = $(cat "$4")
timeout = 20
[destination]
type = MDA_external
path = $home/store
arguments = ("$5/mail",)
unixfrom = true
allow_root_commands = true
[options]
read_all = true
delete = true
received = false
delivered_to = false
END
exec getmail --getmaildir "$home" --rcfile getmailrc
