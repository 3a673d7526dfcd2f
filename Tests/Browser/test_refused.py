# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""What TastyTrade, or what stands in for it, does not take."""

from place import AUTHORIZE, CALLBACK
from steps import PagesTest


class Refused(PagesTest):
    def test_an_unknown_client_ends_at_tastytrade(self):
        self.order_client("unknown", client_id="0c0ffee0-0000-4000-8000-000000000000")
        self.assertEqual(self.browser.heading, "404 Client not found")

    def test_a_scope_that_the_client_may_not_ask_for_ends_at_tastytrade(self):
        self.order_client("greedy", Scopes="read trade openid transfer")
        self.assertEqual(self.browser.heading, "Invalid scope")

    def test_a_redirect_uri_that_is_not_registered_ends_at_tastytrade(self):
        client = "1e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11"
        order = {"client_id": client, "client_secret": "fake", "redirect_uris": ["http://localhost:1/elsewhere"]}
        self.place.simulate("clients", order)
        self.order_client("elsewhere", client_id=client)
        self.assertEqual(self.browser.heading, "Invalid redirect_uri")

    def order_client(self, name, **fields):
        """Begins with a client that TastyTrade does not take."""
        self.sign_in()
        self.save_client(name, **{"client_id": "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001", **fields})
        self.browser.open(f"{self.place.pages}{AUTHORIZE}?user={self.place.new_user()}&client={name}")
        self.browser.press("Go on to TastyTrade")

    def test_a_client_whose_way_back_leads_elsewhere_sends_nobody_off(self):
        self.sign_in()
        self.save_client("away", client_id="5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001", **{"Redirect URI": "https://app.example/back"})
        self.browser.open(f"{self.place.pages}{AUTHORIZE}?user={self.place.new_user()}&client=away")
        self.assertIn("https://app.example/back", self.browser.text)
        self.assertIn("Nobody was sent to TastyTrade", self.browser.text)

    def test_a_code_that_is_too_old_is_explained(self):
        user = self.place.new_user()
        self.place.simulate("faults", {"mode": "expired_code", "user": "ann", "count": 1})
        self.addCleanup(self.place.clear_faults)
        self.begin(user)
        self.allow("ann")
        self.browser.press("Connect the account")
        self.assertIn("What to do", self.browser.text)
        self.is_not_connected(user)

    def test_tastytrade_being_away_is_explained(self):
        user = self.place.new_user()
        self.begin(user)
        self.allow("ann")
        self.place.simulate("faults", {"mode": "outage", "count": 1})
        self.addCleanup(self.place.clear_faults)
        self.browser.press("Connect the account")
        self.assertIn("What to do", self.browser.text)
        self.is_not_connected(user)

    def test_other_errors_that_come_back_are_explained(self):
        user = self.place.new_user()
        self.begin(user)
        state = self.browser.address.split("state=")[1].split("&")[0]
        for error in ("invalid_scope", "server_error", "something_new"):
            self.browser.open(f"{self.place.pages}{CALLBACK}?error={error}&state={state}")
            self.assertIn("What to do", self.browser.text)
            self.assertNotIn("Connect the account", self.browser.text)
