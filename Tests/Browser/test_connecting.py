# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Accounts that are connected on TastyTrade's page, from the link to a token on the socket."""

from place import CALLBACK, PLACES
from steps import PagesTest


class Connecting(PagesTest):
    def test_from_a_link_to_a_token_on_the_socket_in_both_environments(self):
        for name, place in PLACES.items():
            with self.subTest(name):
                user = place.new_user()
                self.begin(user, place=place)
                self.assertIn(f"({name})", self.browser.text)
                self.allow("ann")
                self.assertTrue(self.browser.address.startswith(f"{place.pages}{CALLBACK}?code="))
                self.is_not_connected(user, place)
                self.browser.press("Connect the account")
                self.assertEqual(self.browser.heading, f"The account of user {user} is connected")
                self.assertIn("Production" if name == "production" else "Sandbox", self.browser.text)
                self.is_connected(user, "ann", place)
                self.assertNotIn(place.refresh_token(user), self.browser.source)

    def test_an_operator_goes_there_and_back_and_is_signed_in_again(self):
        user = self.place.new_user()
        self.sign_in()
        self.browser.open(f"{self.place.pages}/tastytrade/oauth/authorize")
        self.browser.fill("User", user)
        self.browser.press("See what will be asked for")
        self.browser.press("Go on to TastyTrade")
        self.allow("ann")
        self.browser.press("Connect the account")
        # The session's cookie stays behind on the way from another site, and comes along with the button.
        self.browser.press("See all accounts")
        self.assertIn(user, [heading.text for heading in self.browser.driver.find_elements("css selector", "h2")])
        self.is_connected(user, "ann")

    def test_h32_who_denies_is_told_so_and_may_think_again(self):
        user = self.place.new_user()
        self.begin(user)
        self.browser.press("Deny")
        self.assertIn("error=access_denied", self.browser.address)
        self.says("Access was not allowed")
        self.is_not_connected(user)
        self.browser.driver.back()
        self.allow("ann")
        self.browser.press("Connect the account")
        self.is_connected(user, "ann")

    def test_h32_back_and_reload_after_the_end_change_nothing(self):
        user = self.place.new_user()
        self.connect(user, "ann")
        grant, issued = self.place.refresh_token(user), self.place.outcomes("code_reused")
        page = self.browser.driver.find_element("tag name", "html")
        self.browser.driver.refresh()
        self.browser.is_replaced(page)
        self.assertEqual(self.browser.heading, f"The account of user {user} is connected")
        self.browser.driver.back()
        self.assertEqual(self.browser.heading, f"Connect user {user}")
        self.browser.press("Connect the account")
        self.assertEqual(self.browser.heading, f"The account of user {user} is connected")
        self.assertEqual(self.place.refresh_token(user), grant)
        self.assertEqual(self.place.outcomes("code_reused"), issued, "no code was sent twice")

    def test_h32_a_double_click_connects_once(self):
        user = self.place.new_user()
        before = self.place.outcomes("code_reused")
        # Both clicks are sent while the first one's answer is waited for.
        self.begin(user)
        self.allow("ann")
        self.place.simulate("faults", {"mode": "latency", "min_ms": 700, "max_ms": 700, "user": "ann"})
        self.addCleanup(self.place.clear_faults)
        page = self.browser.driver.find_element("tag name", "html")
        self.browser.double_click("Connect the account")
        self.browser.is_replaced(page)
        self.assertEqual(self.browser.heading, f"The account of user {user} is connected")
        self.is_connected(user, "ann")
        self.assertEqual(self.place.outcomes("code_reused"), before)

    def test_h32_a_double_click_on_the_way_there_leads_there(self):
        user = self.place.new_user()
        self.browser.open(self.place.authorize_link(user))
        page = self.browser.driver.find_element("tag name", "html")
        self.browser.double_click("Go on to TastyTrade")
        self.browser.is_replaced(page)
        self.allow("ann")
        self.browser.press("Connect the account")
        self.is_connected(user, "ann")

    def test_h32_two_tabs_are_both_finished(self):
        first, second = self.place.new_user(), self.place.new_user()
        self.begin(first)
        tab = self.browser.driver.current_window_handle
        self.browser.driver.switch_to.new_window("tab")
        self.begin(second)
        self.allow("bob")
        self.browser.press("Connect the account")
        self.is_connected(second, "bob")
        self.browser.driver.switch_to.window(tab)
        self.allow("ann")
        self.browser.press("Connect the account")
        self.is_connected(first, "ann")

    def test_h32_one_account_in_two_tabs(self):
        user = self.place.new_user()
        self.begin(user)
        tab = self.browser.driver.current_window_handle
        self.browser.driver.switch_to.new_window("tab")
        self.begin(user)
        self.allow("bob")
        self.browser.press("Connect the account")
        self.is_connected(user, "bob")
        self.browser.driver.switch_to.window(tab)
        self.allow("ann")
        self.browser.press("Connect the account")
        # Two proofs of one user are five seconds apart: the button is there once more, and works then.
        self.browser.await_("the second grant", self.connected_by_another_press)
        self.is_connected(user, "ann")

    def connected_by_another_press(self):
        if self.browser.heading.endswith("is connected"):
            return True
        self.assertIn("It is not connected yet", self.browser.text)
        self.browser.press("Connect the account")
        return False

    def test_another_customer_than_was_named_is_seen_on_the_socket(self):
        user = self.place.new_user()
        self.begin(user)
        order = {"mode": "other_customer", "user": "ann", "customer": "eve", "count": 1}
        self.place.simulate("faults", order)
        self.addCleanup(self.place.clear_faults)
        self.allow("ann")
        self.browser.press("Connect the account")
        self.is_connected(user, "eve")
