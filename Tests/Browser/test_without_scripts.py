# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""A browser in which no script runs; nor does one on any page elsewhere."""

from place import AUTHORIZE
from steps import PagesTest, browser


class WithoutScripts(PagesTest):
    def setUp(self):
        super().setUp()
        self.browser = browser("scriptless", scripts=False)

    def test_nothing_needs_a_script(self):
        self.browser.open("data:text/html,<h1>none</h1><script>document.querySelector('h1').textContent='ran'</script>")
        self.assertEqual(self.browser.heading, "none", "scripts are off")
        user = self.place.new_user()
        self.sign_in()
        self.save_client("scriptless", "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001")
        self.assertIn("The client scriptless is saved", self.browser.text)
        self.browser.open(self.place.pages + AUTHORIZE)
        self.browser.fill("User", user)
        self.browser.press("See what will be asked for")
        self.browser.press("Go on to TastyTrade")
        self.allow("ann")
        self.browser.press("Connect the account")
        self.browser.press("See all accounts")
        self.is_connected(user, "ann")
        self.browser.press("Sign out")
        self.says("Signed out")
