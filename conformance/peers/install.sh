#!/bin/sh
# Installs what the tests use beside Rust: Dovecot's POP3 server, curl, Python 3, valgrind, which counts instructions, and
# Chromium with its WebDriver, in which the HTML report is looked at.
#
#     conformance/peers/install.sh [--check] [PEER...]
#
# PEER is dovecot, curl, python3, valgrind or chromium; without one, all of them. Peers that are there already are left alone, and nothing is
# downloaded for them. --check installs nothing and only says what is missing.
#
# Exit code: 0 all there; 1 something is missing and could not be installed; 2 wrong arguments.
# Debian and its relatives only (apt-get); elsewhere install the packages by hand, the tests look for programs, not packages.

set -u

say() { printf 'install.sh: %s\n' "$*" >&2; }

# Where Debian puts Dovecot is not on every user's PATH.
PATH=$PATH:/usr/sbin:/sbin

there() {
    case $1 in
        # The server proper comes in dovecot-core, its POP3 half in dovecot-pop3d.
        dovecot) command -v dovecot >/dev/null 2>&1 && [ -x /usr/lib/dovecot/pop3-login ] ;;
        chromium) command -v chromium >/dev/null 2>&1 && command -v chromedriver >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

package() {
    case $1 in
        dovecot) echo dovecot-pop3d ;;
        chromium) echo chromium chromium-driver ;;
        *) echo "$1" ;;
    esac
}

check=no
peers=
for argument in "$@"; do
    case $argument in
        --check) check=yes ;;
        dovecot | curl | python3 | valgrind | chromium) peers="$peers $argument" ;;
        -h | --help)
            sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *)
            say "unknown argument: $argument (peers: dovecot curl python3 valgrind chromium)"
            exit 2
            ;;
    esac
done
[ -n "$peers" ] || peers='dovecot curl python3 valgrind chromium'

missing=
packages=
for peer in $peers; do
    if ! there "$peer"; then
        missing="$missing $peer"
        packages="$packages $(package "$peer")"
    fi
done
[ -n "$missing" ] || exit 0

if [ "$check" = yes ]; then
    say "missing:$missing"
    exit 1
fi
if ! command -v apt-get >/dev/null 2>&1; then
    say "missing:$missing, and there is no apt-get here; install by hand:$packages"
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    say "missing:$missing; run this as root, or: apt-get install --no-install-recommends$packages"
    exit 1
fi

log=$(mktemp) || exit 1
policy=/usr/sbin/policy-rc.d
made_policy=no
tidy() {
    rm -f "$log"
    [ "$made_policy" = no ] || rm -f "$policy"
}
trap tidy EXIT
trap 'exit 1' HUP INT TERM

# Debian starts a server as soon as it is installed: a system-wide Dovecot on every interface. Nobody asked for that one;
# 101 means "not allowed" to the package scripts. A policy that is there already is the administrator's and stays.
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && made_policy=yes
fi

export DEBIAN_FRONTEND=noninteractive
apt() { apt-get -qq -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" </dev/null >>"$log" 2>&1; }

# shellcheck disable=SC2086 # a list of package names
if ! { apt update && apt install --yes --no-install-recommends $packages; }; then
    say "could not install$packages; apt-get said:"
    tail -n 20 "$log" >&2
    exit 1
fi

case $missing in
    # Nor is it to start at the next boot. Only done when this script brought it.
    *dovecot*) command -v systemctl >/dev/null 2>&1 && systemctl disable dovecot.service dovecot.socket >>"$log" 2>&1 ;;
esac

for peer in $missing; do
    if ! there "$peer"; then
        say "$(package "$peer") is installed, but $peer is not where it was expected"
        exit 1
    fi
done
say "installed:$packages"
