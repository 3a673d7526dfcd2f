#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""A live TastyTrade token from tastytokend, with nothing but Python's standard library.

Copy TokenSource into a program, and call token() before each request to TastyTrade: it costs a fraction of a millisecond.
"""

import http.client
import json
import os
import socket
import sys
import time
from urllib.parse import quote


class TokenError(Exception):
    """There will be no token before somebody acts; `code` is the contract's, None where the daemon never answered."""

    def __init__(self, status, problem):
        super().__init__(problem.get("detail", f"the daemon answered {status}"))
        self.status, self.code = status, problem.get("code")


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class TokenSource:
    """The tokens of one user. Not for several threads at once."""

    def __init__(self, user, path="/run/tastytokend/api.sock", patience=60):
        self.target = f"/v1/users/{quote(str(user), safe='')}/token"
        self.path, self.patience = path, patience
        self.etag = self.reply = None

    def token(self):
        deadline = time.monotonic() + self.patience
        while True:
            try:
                status, headers, body = self._ask()
            except PermissionError as error:  # which waiting does not mend
                raise TokenError(0, {"detail": self._closed()}) from error
            except OSError as error:  # the daemon restarts, or is not there
                status, headers, body = 0, {}, {"detail": self._away(error)}
            if status == 200:
                self.etag, self.reply = headers["ETag"], body
            if status in (200, 304):
                return self.reply["access_token"]
            pause = max(int(headers.get("Retry-After", 1)), 1)
            # 503, 504 and 429 pass by themselves; 403, 404 and 409 do not.
            if status not in (0, 429, 503, 504) or time.monotonic() + pause > deadline:
                raise TokenError(status, body)
            time.sleep(pause)

    def _ask(self):
        headers = {"If-None-Match": self.etag} if self.etag else {}
        connection = UnixConnection(self.path, timeout=15)  # the daemon itself waits for 10 s at most
        try:
            connection.request("GET", self.target, headers=headers)
            response = connection.getresponse()
            body = response.read()
            return response.status, response.headers, json.loads(body) if body else {}
        finally:
            connection.close()

    def _closed(self):
        return f"user id {os.geteuid()} may not open {self.path}: its file mode or a folder's keeps it out"

    def _away(self, error):
        reason = error.strerror or error
        return f"no daemon answered at {self.path} for {self.patience} s ({reason}); start it, or give its socket"


def main(arguments):
    if not 1 <= len(arguments) <= 2 or not arguments[0]:
        print("usage: token.py USER [TIMES]", file=sys.stderr)
        return 64
    path = os.environ.get("SOCKET_PATH", "/run/tastytokend/api.sock")
    source = TokenSource(arguments[0], path, patience=int(os.environ.get("TOKEN_PATIENCE", 60)))
    try:
        for _ in range(int(arguments[1]) if len(arguments) > 1 else 1):
            print(source.token())
    except TokenError as error:
        return f"{error.code}: {error}" if error.code else f"token.py: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
