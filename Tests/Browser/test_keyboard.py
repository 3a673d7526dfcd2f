# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Everything by keyboard alone: Tab, Enter and Space, and the focus to be seen wherever it is."""

from selenium.webdriver import ActionChains, Keys

from place import AUTHORIZE, CALLBACK, SETUP
from steps import PagesTest

# What has the focus: what it is called, and whether it can be told from what has not.
FOCUS = """
const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
const label = element.labels && element.labels[0];
return {
  name: ((label || element).textContent || '').trim().replace(/\\s+/g, ' ').slice(0, 60),
  outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && element.matches(':focus-visible'),
  seen: box.width > 0 && box.height > 0 && box.top >= 0 && box.bottom <= innerHeight,
};
"""


class Keyboard(PagesTest):
    def keys(self, *keys):
        ActionChains(self.browser.driver).send_keys(*keys).perform()

    def focus(self):
        return self.browser.driver.execute_script(FOCUS)

    def tab_to(self, name):
        """Goes on by Tab until it is there; the focus can be seen at every stop.

        Returns: what was passed, in order."""
        passed = []
        for _ in range(40):
            self.keys(Keys.TAB)
            focus = self.focus()
            self.assertTrue(focus["outlined"] and focus["seen"], f"{focus} after {passed}")
            passed.append(focus["name"])
            if focus["name"] == name:
                return passed
        raise AssertionError(f"{name} is not reached: {passed}")

    def go(self, name, key=Keys.ENTER):
        """Goes there by Tab and presses it."""
        passed = self.tab_to(name)
        page = self.browser.driver.find_element("tag name", "html")
        self.keys(key)
        self.browser.is_replaced(page)
        return passed

    def sign_in_by_keys(self):
        self.browser.open(self.place.console_link())
        self.assertEqual(self.go("Sign in"), ["Skip to the content", "Sign in"])

    def test_signing_in_and_around(self):
        self.sign_in_by_keys()
        self.assertEqual(
            self.tab_to("All connected"),
            ["Skip to the content", "Accounts", "Connect", "OAuth clients", "Sign out", "All connected"],
        )
        self.browser.open(f"{self.place.pages}/")
        self.keys(Keys.TAB)
        self.keys(Keys.ENTER)
        # The link at the beginning leads past the menu.
        self.assertEqual(self.tab_to("All connected"), ["All connected"])
        self.browser.open(f"{self.place.pages}/")
        self.go("Sign out", Keys.SPACE)
        self.says("Signed out")

    def test_a_client_is_put_in(self):
        self.sign_in_by_keys()
        self.browser.open(self.place.pages + SETUP)
        self.tab_to("Name")
        self.keys("by-keys", Keys.TAB)
        # A group of choices is one stop; the arrows choose in it.
        self.assertEqual(self.focus()["name"], "Production (real accounts)")
        self.keys(Keys.SPACE, Keys.ARROW_DOWN)
        for name, value in (("Client id", "5b1a7c5e-51d0-4c1e-9d3f-7a57e51d0001"), ("Client secret", "fake")):
            self.assertEqual(self.tab_to(name), [name])
            self.keys(value)
        self.assertEqual(self.go("Save"), ["Redirect URI", "Scopes", "Save"])
        self.assertIn("The client by-keys is saved", self.browser.text)
        self.assertIn("The client by-keys is saved", self.focus()["name"], "the focus is at what was done")

    def test_a_mistake_is_found(self):
        self.sign_in_by_keys()
        self.browser.open(self.place.pages + AUTHORIZE)
        self.tab_to("User")
        self.keys("no-such-user")
        self.go("See what will be asked for")
        self.assertIn("Nobody was sent to TastyTrade", self.focus()["name"])
        self.keys(Keys.TAB, Keys.ENTER)
        self.assertEqual(self.focus()["name"], "User")

    def test_an_account_is_connected(self):
        user = self.place.new_user()
        self.browser.open(self.place.authorize_link(user))
        self.assertEqual(self.go("Go on to TastyTrade"), ["Skip to the content", "Go on to TastyTrade"])
        # The page that stands in for TastyTrade is not ours, and is no test of the focus.
        self.keys(Keys.TAB, "ann", Keys.TAB)
        page = self.browser.driver.find_element("tag name", "html")
        self.keys(Keys.ENTER)
        self.browser.is_replaced(page)
        self.assertIn(CALLBACK, self.browser.address)
        self.assertEqual(self.go("Connect the account", Keys.SPACE), ["Skip to the content", "Connect the account"])
        self.assertEqual(self.browser.heading, f"The account of user {user} is connected")
        self.is_connected(user, "ann")
