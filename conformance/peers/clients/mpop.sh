#!/bin/sh
# mpop: fetches and deletes every message.     mpop.sh HOST PORT USER PASSWORD-FILE DIR
set -u
mkdir "$5/cur" "$5/new" "$5/tmp" || exit 1
exec mpop --file= --host="$1" --port="$2" --user="$3" --passwordeval="cat $4" --auth=user --tls=off --timeout=20 \
    --keep=off --only-new=off --uidls-file="$(dirname "$4")/uidls" --delivery=maildir,"$5" --received-header=off
