#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
#
# A live TastyTrade token from tastytokend, with nothing but curl (7.76 or newer). A script is better served by tastytoken;
# this is for hosts and containers that have only the socket.
#
# usage: token.sh USER [TIMES]
#   SOCKET_PATH     the daemon's socket; /run/tastytokend/api.sock unless given
#   TOKEN_PATIENCE  seconds that a daemon that is away, or has no token now, is waited for; 60 unless given
set -eu
if [ $# -lt 1 ] || [ $# -gt 2 ] || [ -z "$1" ]; then
    echo 'usage: token.sh USER [TIMES]' >&2
    exit 64
fi
socket=${SOCKET_PATH:-/run/tastytokend/api.sock}
patience=${TOKEN_PATIENCE:-60}
user=$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g')  # every byte escaped, whatever is in it

# The token is kept beside its ETag in a folder that only this user can read, and goes with it.
umask 077
folder=$(mktemp -d "${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/token.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
touch "$folder/etag"

# ask SECONDS: one answer, or curl's status. --retry waits as Retry-After says, and only where it helps (429, 503, 504). What
# is still valid (304) is not sent again.
ask() {
    rm -f "$folder/reply"
    curl -sS --unix-socket "$socket" --fail-with-body --retry 5 --retry-max-time "$1" --max-time 15 \
        -H 'Accept: text/plain' --etag-compare "$folder/etag" --etag-save "$folder/new-etag" -o "$folder/reply" \
        "http://localhost/v1/users/$user/token" 2>"$folder/complaint"
}

# is_closed: whether this user may not open the socket, because of its own mode or that of the first folder there is on the
# way to it. curl tells that by the same status as a daemon that is away.
is_closed() {
    if [ -S "$socket" ]; then
        [ ! -w "$socket" ]
        return
    fi
    way=$(dirname "$socket")
    while [ ! -d "$way" ]; do way=$(dirname "$way"); done
    [ ! -x "$way" ]
}

# fail STATUS WORDS
fail() {
    echo "token.sh: $2" >&2
    exit "$1"
}

# token: prints it. A daemon that restarts has no socket meanwhile, or hangs up; no option of curl's waits for that. For any
# other trouble the status is curl's, 22 for a refusal, and the daemon's words are on stderr.
token() {
    end=$(($(date +%s) + patience))
    while :; do
        left=$((end - $(date +%s)))
        status=0
        ask "$((left > 1 ? left : 1))" || status=$?
        case $status in
            0) break ;;
            7 | 18 | 52 | 55 | 56) ;;  # no connection, or one that broke
            *) cat "$folder/complaint" >&2
               [ ! -s "$folder/reply" ] || cat "$folder/reply" >&2
               exit "$status" ;;
        esac
        ! is_closed || fail 77 "user id $(id -u) may not open $socket: its file mode or a folder's keeps it out"
        [ "$left" -gt 1 ] ||
            fail 69 "no daemon answered at $socket for $patience s; start it, or name its socket in SOCKET_PATH"
        sleep 1
    done
    if [ -s "$folder/reply" ]; then
        mv "$folder/reply" "$folder/token"
        mv "$folder/new-etag" "$folder/etag"
    fi
    cat "$folder/token"
    echo
}

times=${2:-1}
while [ "$times" -gt 0 ]; do
    token
    times=$((times - 1))
done
