# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""The daemons that are tried, and what stands around them. BrowserTests.swift makes them and says where they are."""

import base64
import itertools
import json
import os
import subprocess
import urllib.error
import urllib.request

CALLBACK = "/tastytrade/oauth/callback"
AUTHORIZE = "/tastytrade/oauth/authorize"
SETUP = "/tastytrade/oauth/setup"
GRANT = "/tastytrade/oauth/grant"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def http(url, *, method=None, body=None, headers=None):
    """What is answered outside any browser: the status and the text. Neither redirects nor proxies are followed."""
    opener = urllib.request.build_opener(NoRedirect, urllib.request.ProxyHandler({}))
    request = urllib.request.Request(
        url, data=body, method=method, headers={"User-Agent": "tests/1.0", **(headers or {})}
    )
    try:
        with opener.open(request, timeout=20) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class Place:
    """One daemon with its pages, its database, and the simulator that it believes to be TastyTrade."""

    def __init__(self, environment, pages, simulator, socket, database, tastytoken):
        self.environment, self.pages, self.simulator = environment, pages, simulator
        self.socket, self.database, self.tool = socket, database, tastytoken
        # Rows without a grant; each test takes its own, since a user's proofs have to be five seconds apart.
        self.users = itertools.count(11)

    def new_user(self):
        return str(next(self.users))

    def tastytoken(self, *arguments):
        return subprocess.run(
            [self.tool, *arguments, "--socket", self.socket],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )

    def console_link(self):
        return self.link("console")

    def authorize_link(self, user):
        return self.link("grant", "authorize", user)

    def link(self, *arguments):
        end = self.tastytoken(*arguments)
        assert end.returncode == 0, end.stderr
        return end.stdout.strip()

    def customer(self, user):
        """Whose account the token that the socket gives is good for; None where it gives none."""
        end = self.tastytoken("token", user)
        if end.returncode:
            return None
        token = end.stdout.strip()
        status, text = http(f"{self.simulator}/customers/me/accounts", headers={"Authorization": f"Bearer {token}"})
        assert status == 200, text
        claims = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]

    def simulate(self, route, order=None):
        """One of the simulator's control routes."""
        body = None if order is None else json.dumps(order).encode()
        status, text = http(f"{self.simulator}/_sim/{route}", body=body)
        assert status in (200, 201, 204), text
        return json.loads(text) if text else None

    def clear_faults(self):
        assert http(f"{self.simulator}/_sim/faults", method="DELETE")[0] in (200, 204)

    def outcomes(self, name):
        return self.simulate("counts")["outcomes"].get(name, 0)

    def socket_post(self, path):
        command = ["curl", "-s", "-m", "20", "--unix-socket", self.socket, f"http://localhost{path}", "-d", "{}"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout)

    def sql(self, statement):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.database, "-c", statement]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout.strip()

    def refresh_token(self, user):
        return self.sql(f"SELECT tastytrade_oauth_refresh_token FROM users WHERE id = {int(user)}")


PLACES = {name: Place(name, **where) for name, where in json.loads(os.environ["TASTYTOKEND_PLACES"]).items()}
SANDBOX, PRODUCTION = PLACES["sandbox"], PLACES["production"]
