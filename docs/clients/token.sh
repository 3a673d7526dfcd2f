#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
#
# A live TastyTrade token from tastytokend, with nothing but curl (7.76 or newer). A script is better served by tastytoken;
# this is for hosts and containers that have only the socket.
#
# usage: token.sh USER [TIMES]
set -eu
socket=${SOCKET_PATH:-/run/tastytokend/api.sock}
user=$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../%&/g')  # every byte escaped, whatever is in it

# The token is kept beside its ETag in a folder that only this user can read, and goes with it.
umask 077
folder=$(mktemp -d "${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/token.XXXXXX")
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
touch "$folder/etag"

# token: prints it. --retry waits as Retry-After says, and only where it helps (429, 503, 504, a daemon that restarts);
# for anything else the status is curl's, 22, and the daemon's words are on stderr. What is still valid (304) is not
# sent again.
token() {
    status=0
    curl -sS --unix-socket "$socket" --fail-with-body --retry 5 --retry-max-time 60 --retry-connrefused --max-time 15 \
        -H 'Accept: text/plain' --etag-compare "$folder/etag" --etag-save "$folder/etag" -o "$folder/reply" \
        "http://localhost/v1/users/$user/token" || status=$?
    if [ "$status" -ne 0 ]; then
        [ ! -s "$folder/reply" ] || cat "$folder/reply" >&2
        return "$status"
    fi
    [ ! -s "$folder/reply" ] || mv "$folder/reply" "$folder/token"
    cat "$folder/token"
    echo
}

times=${2:-1}
while [ "$times" -gt 0 ]; do
    token
    times=$((times - 1))
done
