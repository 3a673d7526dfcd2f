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
    """There will be no token before somebody acts; `code` is the contract's."""

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
            except OSError as error:  # the daemon restarts, or is not there
                status, headers, body = 0, {}, {"detail": f"{self.path}: {error}"}
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


if __name__ == "__main__":
    source = TokenSource(sys.argv[1], os.environ.get("SOCKET_PATH", "/run/tastytokend/api.sock"))
    try:
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 1):
            print(source.token())
    except TokenError as error:
        sys.exit(f"{error.code}: {error}")
