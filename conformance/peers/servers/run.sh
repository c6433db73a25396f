#!/bin/sh
# Runs one of the servers beside this file on 127.0.0.1, in a root directory of its own: packages that exclude each other
# can be installed side by side, and nothing of the machine's own files changes.
#
#     conformance/peers/servers/run.sh NAME PORT STATE
#
#     NAME     courier, mailutils, popa3d or solid-pop3d
#     STATE    a directory for what is written; it holds `password`, `cert.pem`, `key.pem`, `mbox` and `Maildir`
#
# The root is an overlay above the machine's, in name spaces that end with the server: its processes, its mounts and its
# packages are gone then. Needs root, Debian and its package archive. It is ready when the port greets, and stops when it is
# told to (SIGTERM), or killed.

set -eu
name=$1 port=$2 state=$(cd "$3" && pwd -P)
here=$(cd "$(dirname "$0")" && pwd -P)
packages=$(sed -n 's/^# packages: //p' "$here/$name.sh")
mkdir -p "$state/upper" "$state/root"

export here name port state packages
# unshare itself does not hear SIGTERM.
trap 'kill -s KILL "$!"' TERM INT HUP
unshare --mount --pid --fork --kill-child=KILL sh -euc '
mount -t tmpfs -o mode=755 pop3 "$state/upper"
mkdir "$state/upper/u" "$state/upper/w"
mount -t overlay overlay -o "lowerdir=/,upperdir=$state/upper/u,workdir=$state/upper/w" "$state/root"
cd "$state/root"
mount -t proc proc proc
mount --rbind /dev dev
mkdir -p peer run
cp -r "$state/password" "$state/cert.pem" "$state/key.pem" "$state/mbox" "$state/Maildir" "$here/inetd.py" "$here/$name.sh" peer
exec chroot . sh -euc "
    cd /
    PATH=/usr/sbin:/usr/bin:/sbin:/bin
    printf \"#!/bin/sh\nexit 101\n\" >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 install --yes \
        --no-install-recommends $packages </dev/null >/peer/log 2>&1 || { tail -n 20 /peer/log >&2; exit 1; }
    user=mrose password=\$(cat /peer/password) port=$port
    for package in $packages; do dpkg-query -W \$package; done
    . /peer/$name.sh
"' &
wait "$!"
