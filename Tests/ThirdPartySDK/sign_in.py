# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Signs in at the simulator with the SDK `tastytrade`, which knows nothing of it: argument 1 is the simulator's URL, 2 the
client's secret, 3 a refresh token. SSL_CERT_FILE names the simulator's authority."""

import asyncio
import json
import sys
import urllib.request
from unittest import mock

import tastytrade
import tastytrade.session
from tastytrade.utils import TastytradeError

URL, SECRET, GRANT = sys.argv[1:]
USER = "42"


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}/_sim/{path}", data, method=method)
    with urllib.request.urlopen(request, timeout=30) as reply:
        text = reply.read()
    return json.loads(text) if text else None


def session(secret=SECRET, grant=GRANT, is_test=False):
    """A session of the SDK, which knows two hosts by constants, and is pointed at the simulator for either."""
    with mock.patch.multiple(tastytrade.session, API_URL=URL, CERT_URL=URL):
        return tastytrade.Session(secret, grant, is_test=is_test)


async def refusal(**arguments):
    async with session(**arguments) as signed:
        try:
            await signed.refresh(force=True)
        except TastytradeError as error:
            return str(error)
    raise AssertionError("it was not refused")


async def signs_in_and_lists_accounts():
    for is_test in (False, True):
        async with session(is_test=is_test) as signed:
            accounts = await tastytrade.Account.get(signed)
            assert len(accounts) == 1, accounts
            assert accounts[0].account_number.startswith("5WT"), accounts
            assert signed.session_token.count(".") == 2


async def refreshes_with_another_token_and_keeps_a_live_one():
    async with session() as signed:
        await signed.refresh()
        first = signed.session_token
        await signed.refresh()
        assert signed.session_token == first
        await signed.refresh(force=True)
        assert signed.session_token != first
        await tastytrade.Account.get(signed)


async def a_token_about_to_die_is_refreshed():
    """The SDK refreshes a minute ahead, so one that lives for less is refreshed before each call."""
    control("POST", "faults", {"mode": "lifetime", "life_ms": 30_000})
    async with session() as signed:
        await tastytrade.Account.get(signed)
        first = signed.session_token
        await tastytrade.Account.get(signed)
        assert signed.session_token != first


async def a_wrong_secret_and_a_revoked_grant_are_refused():
    assert "invalid_client" in await refusal(secret="wrong")
    control("POST", f"accounts/{USER}/revoke")
    assert "Grant revoked" in await refusal()
    control("POST", f"accounts/{USER}/restore")
    async with session() as signed:
        await signed.refresh()


async def faults_reach_the_sdk():
    control("POST", "faults", {"mode": "error_page", "status": 502, "count": 1})
    assert "502 Bad Gateway" in await refusal()
    control("POST", "faults", {"mode": "refusal", "code": "invalid_request", "shape": "envelope", "count": 1})
    assert "User is not a TastyTrade customer" in await refusal()
    control("POST", "faults", {"mode": "rotation"})
    async with session() as signed:
        await signed.refresh()
    assert "Grant revoked" in await refusal(), "the SDK keeps its refresh token, which strict rotation does not forgive"
    counts = control("GET", f"accounts/{USER}")["counts"]
    assert (counts["reused"], counts["grants_lost"]) == (1, 1), counts


CHECKS = [
    signs_in_and_lists_accounts,
    refreshes_with_another_token_and_keeps_a_live_one,
    a_token_about_to_die_is_refreshed,
    a_wrong_secret_and_a_revoked_grant_are_refused,
    faults_reach_the_sdk,
]

print(f"tastytrade {tastytrade.VERSION} at {URL}")
for check in CHECKS:
    asyncio.run(asyncio.wait_for(check(), timeout=60))
    control("DELETE", "faults")
    print(f"ok - {check.__name__.replace('_', ' ')}")
