#!/bin/sh
# Runs Dovecot's POP3 server in the foreground on loopback, out of a directory of its own. No file outside STATE (and the
# Maildir) is read or written, so that any number can run beside each other and beside a system-wide Dovecot.
#
#     conformance/peers/dovecot.sh --port P --maildir DIR --user U --password-file F --state DIR [OPTION...]
#
#     --port P              TCP port on 127.0.0.1
#     --maildir DIR         the maildrop: a Maildir with cur, new, tmp (made when missing)
#     --user U              the one user; [A-Za-z0-9._@-] only
#     --password-file F     first line: the password
#     --state DIR           configuration, sockets, indexes and logs; made when missing; a short path (its sockets live below)
#     --tls-cert F          certificate and key in PEM: STLS on the port P ...
#     --tls-key F
#     --tls-port P          ... and implicit TLS (POP3S) on this one
#     --mechanisms LIST     default "plain login cram-md5"; also apop digest-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
#                           (apop puts a timestamp into the greeting, which some clients then insist on using)
#     --setting LINE        one more line of Dovecot's configuration; may be repeated
#     --for SECONDS         stops by itself after that time, default 600
#
# It is ready when the port greets. It stops when it is told to (SIGTERM, SIGINT), when it is killed (SIGKILL too: its
# children are told), or after --for. Exit code: 0 or 124 (time over) after running, 1 could not start, 2 wrong arguments.
#
# Cleartext logins are allowed, with and without TLS: the line never leaves the machine. A wrong password is answered at once,
# where Dovecot by default waits two seconds.
#
# Dovecot refuses to serve mail as root, and that is compiled in. Run by root, the mail is therefore served as the owner of the
# Maildir, and a Maildir that belongs to root is given to the user `mail` first: the directories above it have to let `mail` pass.
# Run by anybody else, every process is that user's.

set -u

fail() {
    printf 'dovecot.sh: %s\n' "$2" >&2
    exit "$1"
}

PATH=$PATH:/usr/sbin:/sbin

port= maildir= user= password_file= state= tls_cert= tls_key= tls_port= settings=
mechanisms='plain login cram-md5'
seconds=600
newline='
'

while [ $# -gt 0 ]; do
    case $1 in
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
    esac
    [ $# -ge 2 ] || fail 2 "$1 needs a value (or is unknown); see --help"
    case $1 in
        --port) port=$2 ;;
        --maildir) maildir=$2 ;;
        --user) user=$2 ;;
        --password-file) password_file=$2 ;;
        --state) state=$2 ;;
        --tls-cert) tls_cert=$2 ;;
        --tls-key) tls_key=$2 ;;
        --tls-port) tls_port=$2 ;;
        --mechanisms) mechanisms=$2 ;;
        --setting) settings=$settings$2$newline ;;
        --for) seconds=$2 ;;
        *) fail 2 "unknown option: $1" ;;
    esac
    shift 2
done

number() {
    case $2 in
        '' | *[!0-9]*) fail 2 "$1 wants a number, not '$2'" ;;
    esac
}
number --port "$port"
number --for "$seconds"
[ -z "$tls_port" ] || number --tls-port "$tls_port"
[ -n "$maildir" ] || fail 2 'no --maildir'
[ -n "$state" ] || fail 2 'no --state'
case $user in
    '' | *[!A-Za-z0-9._@-]*) fail 2 "--user is missing or has a character that passwd-file lines cannot carry" ;;
esac
case $maildir$state in
    *[!A-Za-z0-9._/@+-]*) fail 2 'a path has a character that the configuration would take for something else' ;;
esac
[ -r "$password_file" ] || fail 2 "cannot read --password-file '$password_file'"
[ "${tls_cert:+x}" = "${tls_key:+x}" ] || fail 2 '--tls-cert and --tls-key go together'
[ -z "$tls_port" ] || [ -n "$tls_cert" ] || fail 2 '--tls-port needs --tls-cert and --tls-key'

command -v dovecot >/dev/null 2>&1 && [ -x /usr/lib/dovecot/pop3-login ] ||
    fail 1 'Dovecot with POP3 is not installed; conformance/peers/install.sh does it'
case $(dovecot --version) in
    2.3.*) ;;
    *) fail 1 "this configuration is written for Dovecot 2.3, found $(dovecot --version)" ;;
esac

password=
IFS= read -r password <"$password_file" || [ -n "$password" ] || fail 2 "--password-file '$password_file' is empty"
case $password in
    *:*) fail 2 'a passwd-file line cannot carry a password with a colon' ;;
esac

umask 077
mkdir -p "$state/lib" "$state/index" "$maildir/cur" "$maildir/new" "$maildir/tmp" || fail 1 'cannot make the directories'
# Dovecot's own processes, under their own users, pass through here.
[ -d "$state/run" ] || mkdir -m 755 "$state/run" || exit 1
state=$(cd "$state" && pwd -P) || exit 1
maildir=$(cd "$maildir" && pwd -P) || exit 1
# The longest socket name below run/ has 30 octets, and a socket's path may have 107.
[ ${#state} -le 70 ] || fail 2 "--state is too long for socket names: $state"

if [ "$(id -u)" -eq 0 ]; then
    login_user=dovenull
    internal_user=dovecot
    internal_group=dovecot
    owner=$(stat -c %u "$maildir")
    if [ "$owner" -eq 0 ]; then
        chown -R mail:mail "$maildir" || exit 1
        owner=$(id -u mail)
    fi
    mail_uid=$owner
    mail_gid=$(stat -c %g "$maildir")
    [ "$mail_gid" -ne 0 ] || mail_gid=$(id -g mail)
    chown -R "$mail_uid:$mail_gid" "$state/index" || exit 1
    # The mail and the login processes pass through here; the files below have modes of their own.
    chmod 711 "$state"
    setpriv --reuid "$mail_uid" --regid "$mail_gid" --clear-groups test -w "$maildir/cur" -a -w "$state/index" ||
        fail 1 "uid $mail_uid, who serves the mail, cannot reach $maildir or $state (is a directory above closed to others?)"
    auth_user=$internal_user
else
    login_user=$(id -un)
    internal_user=$login_user
    internal_group=$(id -gn)
    mail_uid=$(id -u)
    mail_gid=$(id -g)
    auth_user=$login_user
fi

# A line of the passwd-file: the password's scheme stands before it, so that a password in braces means itself.
printf '%s:{PLAIN}%s\n' "$user" "$password" >"$state/passwd"
[ "$(id -u)" -ne 0 ] || chown "$internal_user:$internal_group" "$state/passwd"

{
    cat <<END
# Written by dovecot.sh; overwritten at each start.
base_dir = $state/run
state_dir = $state/lib
instance_name = pop3-proto-$port
protocols = pop3
listen = 127.0.0.1
log_path = /dev/stderr

default_login_user = $login_user
default_internal_user = $internal_user
default_internal_group = $internal_group
# Room for the indexes of large maildrops and for mapping large messages.
default_vsz_limit = 1 G

auth_mechanisms = $mechanisms
disable_plaintext_auth = no
auth_failure_delay = 0
auth_verbose = yes
passdb {
  driver = passwd-file
  args = username_format=%u $state/passwd
}
userdb {
  driver = static
  args = uid=$mail_uid gid=$mail_gid home=$state/index
}
mail_location = maildir:$maildir:INDEX=$state/index
mail_uid = $mail_uid
mail_gid = $mail_gid
first_valid_uid = 1
first_valid_gid = 1
# Tests come in crowds, all from 127.0.0.1 and all as one user.
mail_max_userip_connections = 200
# The index is thrown away with the state directory.
mail_fsync = never

service anvil {
  chroot =
  # Failed logins are made on purpose here, and are not to slow down the next one.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service auth {
  user = $auth_user
}
service pop3-login {
  # The same layout with and without root, who alone could change the root directory.
  chroot =
  # One process for all: no pool of waiting ones to start and stop.
  service_count = 0
  process_limit = 1
  client_limit = 1000
  inet_listener pop3 {
    address = 127.0.0.1
    port = $port
  }
  inet_listener pop3s {
    address = 127.0.0.1
    port = ${tls_port:-0}
    ssl = yes
  }
}
END
    if [ -n "$tls_cert" ]; then
        printf 'ssl = yes\nssl_cert = <%s\nssl_key = <%s\n' "$(realpath "$tls_cert")" "$(realpath "$tls_key")"
    else
        printf 'ssl = no\n'
    fi
    printf '%s' "$settings"
} >"$state/dovecot.conf"

# `timeout` bounds the time, hands SIGTERM on, and is what the caller sees as this process; should it be killed outright, the
# kernel tells the shell below (--pdeathsig). --foreground, so that Ctrl-C in a terminal still arrives.
#
# That shell gives Dovecot a process group of its own and kills the whole group in the end. Dovecot's master alone would not do: it
# takes a second to stop, and leaves the sessions that are open to live on until their clients go away. Nothing is lost by it:
# what a session has answered is on disk, and the rest is made anew at the next start.
exec timeout --foreground --kill-after=10 "$seconds" setpriv --pdeathsig TERM sh -c '
    stop=
    end() {
        stop=yes
        [ -z "$!" ] || kill -s KILL -- "-$!" "$!" 2>/dev/null
    }
    trap end TERM INT HUP
    if [ -z "$stop" ]; then
        setsid dovecot -F -c "$1" &
        wait "$!"
        status=$?
        kill -s KILL -- "-$!" 2>/dev/null
        [ -n "$stop" ] || exit "$((status != 0))"
        wait "$!" 2>/dev/null
        rm -f "$2"
    fi
' supervisor "$state/dovecot.conf" "$state/run/master.pid"
