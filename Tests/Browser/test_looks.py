# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Every page on a desk and on a telephone, by day and by night, looked at by axe; and its picture for docs/pages.md."""

import axe
import looks
from place import AUTHORIZE, CALLBACK, GRANT, SETUP
from steps import PagesTest, browser


class Looks(PagesTest):
    def look(self, page, picture=None, at=None):
        at = at or self.browser
        if picture:
            looks.keep_picture(at, picture)
        with self.subTest(page, heading=at.heading):
            found, _ = looks.faults(at)
            self.assertEqual(found, [])

    def test_axe_sees_what_is_wrong(self):
        self.browser.open("data:text/html,<title>x</title><h1>x</h1><input><p style='color:%23bbb'>pale</p>")
        found, _, version = axe.violations(self.browser)
        for rule in ("label:", "color-contrast:", "html-has-lang:"):
            self.assertTrue([fault for fault in found if fault.startswith(rule)], f"{rule} {found}")
        self.browser.open("data:text/html,<title>x</title><p style='width:2000px'>wide")
        self.assertTrue(looks.faults(self.browser)[0])
        print(f"axe-core {version}, {self.browser.driver.capabilities['browserVersion']}")

    def test_pages_of_strangers(self):
        self.browser.open(f"{self.place.pages}/")
        self.look("nobody is signed in", "sign-in-first")
        self.browser.open(self.place.console_link())
        self.look("a link that signs in", "sign-in")
        self.browser.open(f"{self.place.pages}/nowhere")
        self.look("no such page")

    def test_pages_of_operators(self):
        self.place.simulate("accounts/2/revoke", {})
        self.sign_in()
        self.browser.await_("the refusal", lambda: self.is_refused(2))
        self.look("the overview", "overview")
        for tab in ("failing", "unconnected"):
            self.reloaded(f"?show={tab}")
            self.look(f"the overview, {tab}")
        self.browser.open(self.place.pages + SETUP)
        self.look("clients", "setup")
        self.save_client("option-bot", "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001")
        self.look("a client is saved")
        self.save_client("fourth", "x", **{"Redirect URI": "tokens.example"})
        self.look("a client is not saved", "mistake")
        self.browser.open(self.place.pages + GRANT)
        self.look("a grant", "grant")
        self.browser.open(self.place.pages + AUTHORIZE)
        self.look("an account to be connected", "connect")
        self.browser.fill("User", "no-such-user")
        self.browser.press("See what will be asked for")
        self.look("no such user")
        self.browser.press("Sign out")
        self.look("signed out")

    def is_refused(self, user):
        """Has the daemon find out that the account's grant is dead; it does not if it had a token a moment ago."""
        self.place.tastytoken("refresh", str(user))
        return "Refused by TastyTrade" in self.reloaded("")

    def reloaded(self, query):
        self.browser.open(f"{self.place.pages}/{query}")
        return self.browser.text

    def test_pages_of_whoever_connects_an_account(self):
        user = self.place.new_user()
        other = browser("second")
        self.browser.open(self.place.authorize_link(user))
        self.look("what is asked for", "authorize")
        self.browser.press("Go on to TastyTrade")
        self.browser.press("Deny")
        self.look("declined", "declined")
        self.browser.driver.back()
        self.allow("ann")
        self.look("the way back", "callback")
        other.open(self.browser.address)
        self.look("the way back in another browser", "other-browser", other)
        self.browser.press("Connect the account")
        self.look("connected", "connected")
        self.browser.open(f"{self.place.pages}{CALLBACK}?code=x&state=y")
        self.look("a state that is none")
