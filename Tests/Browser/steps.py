# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""What people do on the pages, and a test case that has browsers to do it in."""

import unittest

from browser import LABELLED, Browser
from place import AUTHORIZE, SANDBOX, SETUP

# How the form calls them.
ENVIRONMENTS = {"sandbox": "Sandbox (certification)", "production": "Production (real accounts)"}
_browsers = {}


def browser(which="first", **options):
    """A browser that stays open for the tests that follow."""
    if which not in _browsers:
        _browsers[which] = Browser(**options)
    return _browsers[which]


def close_browsers():
    while _browsers:
        _browsers.popitem()[1].close()


class PagesTest(unittest.TestCase):
    """Every browser begins a test without cookies, and no console may have said anything at its end."""

    place = SANDBOX

    def setUp(self):
        for one in _browsers.values():
            one.forget()
        self.browser = browser()

    def tearDown(self):
        for name, one in _browsers.items():
            self.assertEqual(one.complaints(), [], f"the console of the {name} browser")

    def sign_in(self, browser=None, place=None):
        browser, place = browser or self.browser, place or self.place
        browser.open(place.console_link())
        browser.press("Sign in")
        self.assertEqual(browser.heading, "Accounts")

    def begin(self, user, browser=None, place=None):
        """By a link of the tool's, as far as TastyTrade's page."""
        browser, place = browser or self.browser, place or self.place
        browser.open(place.authorize_link(user))
        self.assertEqual(browser.heading, f"Connect user {user}")
        browser.press("Go on to TastyTrade")
        self.assertTrue(browser.address.startswith(f"{place.simulator}/auth.html?"), browser.address)

    def allow(self, customer, browser=None):
        browser = browser or self.browser
        browser.fill("Which simulated customer are you?", customer)
        browser.press("Authorize")

    def connect(self, user, customer, browser=None):
        """The whole way, as far as the page that says so."""
        browser = browser or self.browser
        self.begin(user, browser)
        self.allow(customer, browser)
        browser.press("Connect the account")
        self.assertEqual(browser.heading, f"The account of user {user} is connected")

    def save_client(self, name, client_id, client_secret="fake", place=None, **fields):
        """Through the form, signed in; the other fields by their labels. It is of the environment of the place."""
        place = place or self.place
        self.browser.open(place.pages + SETUP)
        self.browser.fill("Name", name)
        self.browser.find(ENVIRONMENTS[place.environment], LABELLED).click()
        self.browser.fill("Client id", client_id)
        self.browser.fill("Client secret", client_secret)
        for label, value in fields.items():
            self.browser.fill(label, value)
        self.browser.press("Save")

    def begin_with(self, client, user, place=None):
        """By the form for operators, signed in, as far as TastyTrade's page."""
        place = place or self.place
        self.browser.open(place.pages + AUTHORIZE)
        self.browser.fill("User", user)
        self.browser.fill("OAuth client", client)
        self.browser.press("See what will be asked for")
        self.browser.press("Go on to TastyTrade")
        self.assertTrue(self.browser.address.startswith(f"{place.simulator}/auth.html?"), self.browser.address)

    def says(self, heading, browser=None):
        """It is this page, and it says what to do."""
        browser = browser or self.browser
        self.assertEqual(browser.heading, heading)
        self.assertIn("What to do", browser.text)

    def is_connected(self, user, customer, place=None):
        self.assertEqual((place or self.place).customer(user), customer)

    def is_not_connected(self, user, place=None):
        place = place or self.place
        self.assertIsNone(place.customer(user))
        self.assertEqual(place.refresh_token(user), "")
