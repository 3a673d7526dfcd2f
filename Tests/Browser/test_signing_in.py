# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Signing in by a link, and what whoever is not signed in is told."""

from place import AUTHORIZE, CALLBACK, GRANT, SETUP
from steps import PagesTest, browser


class SigningIn(PagesTest):
    def test_a_link_of_the_tool_signs_in_once(self):
        link = self.place.console_link()
        # Whatever looks at links ahead of people spends nothing.
        for _ in range(2):
            self.browser.open(link)
            self.assertEqual(self.browser.heading, "Sign in")
        self.browser.press("Sign in")
        self.assertEqual((self.browser.heading, self.browser.address), ("Accounts", f"{self.place.pages}/"))
        self.browser.open(link)
        self.says("This link can no longer be used")
        self.browser.open(f"{self.place.pages}/")
        self.assertEqual(self.browser.heading, "Accounts", "the session goes on")

    def test_two_browsers_with_one_link(self):
        link = self.place.console_link()
        other = browser("second")
        for one in (self.browser, other):
            one.open(link)
        self.browser.press("Sign in")
        other.press("Sign in")
        self.says("This link can no longer be used", other)
        other.open(f"{self.place.pages}/")
        self.says("Sign in first", other)

    def test_signing_out_ends_the_session_and_the_way_back_leads_nowhere(self):
        self.sign_in()
        kept = self.browser.cookie("tastytokend")
        self.browser.press("Sign out")
        self.says("Signed out")
        self.assertIsNone(self.browser.cookie("tastytokend"))
        # What was seen may be shown once more from the browser's own memory, but nothing can be done or asked there.
        self.browser.driver.back()
        self.browser.driver.refresh()
        self.says("Sign in first")
        self.browser.driver.add_cookie({"name": "tastytokend", "value": kept, "path": "/"})
        self.browser.open(f"{self.place.pages}/")
        self.says("Sign in first")

    def test_strangers_are_told_how_to_sign_in(self):
        for path in ("/", SETUP, GRANT, AUTHORIZE):
            self.browser.open(self.place.pages + path)
            self.says("Sign in first")
        self.browser.open(f"{self.place.pages}/nowhere")
        self.assertEqual(self.browser.heading, "There is no such page")
        self.browser.open(self.place.pages + CALLBACK)
        self.says("It is not known what was begun")

    def test_the_pages_answer_to_their_own_name_alone(self):
        self.browser.open(self.place.pages.replace("localhost", "127.0.0.1"))
        self.says("These pages are at another address")
        # Its style is at another address as well, which the browser remarks.
        self.assertEqual([text for text in self.browser.complaints() if "/assets/pages.css" not in text], [])
