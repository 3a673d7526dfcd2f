# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Hard case H32: what comes too late, too early, twice, or to another browser."""

from place import CALLBACK, http
from steps import PagesTest, browser


class Strangers(PagesTest):
    def setUp(self):
        super().setUp()
        self.other = browser("second")

    def test_h32_an_expired_state_is_told_so(self):
        user = self.place.new_user()
        self.begin(user)
        self.place.sql("UPDATE tastytokend.authorizations SET expires_at = now()")
        self.allow("ann")
        self.says("It took too long")
        self.is_not_connected(user)

    def test_h32_an_expired_state_is_told_so_at_the_button_too(self):
        user = self.place.new_user()
        self.begin(user)
        self.allow("ann")
        self.place.sql("UPDATE tastytokend.authorizations SET expires_at = now()")
        self.browser.press("Connect the account")
        self.says("It took too long")
        self.is_not_connected(user)

    def test_h32_a_way_back_that_is_opened_in_another_browser_connects_nothing(self):
        user = self.place.new_user()
        self.begin(user)
        self.allow("ann")
        self.other.open(self.browser.address)
        self.says("This browser did not begin it", self.other)
        # Nor does it, if that browser has begun something itself.
        self.begin(self.place.new_user(), self.other)
        self.other.open(self.browser.address)
        self.says("This was begun in another browser", self.other)
        self.browser.press("Connect the account")
        self.is_connected(user, "ann")

    def test_h32_states_that_are_swapped_between_two_browsers_connect_nothing(self):
        mine, his = self.place.new_user(), self.place.new_user()
        self.begin(mine)
        self.begin(his, self.other)
        self.allow("ann")
        self.allow("eve", self.other)
        my_way, his_way = self.browser.address, self.other.address
        self.browser.open(his_way)
        self.other.open(my_way)
        for one in (self.browser, self.other):
            self.says("This was begun in another browser", one)
        # His code with my state is sent as what it is, and brings his account where I see the name of mine at most: it is for
        # whoever presses the button in the browser that began. Codes and states go together at TastyTrade alone.
        for user in (mine, his):
            self.is_not_connected(user)
        self.browser.open(my_way)
        self.browser.press("Connect the account")
        self.other.open(his_way)
        self.other.press("Connect the account")
        self.is_connected(mine, "ann")
        self.is_connected(his, "eve")

    def test_h32_what_opens_the_way_back_ahead_of_people_spends_nothing(self):
        user = self.place.new_user()
        self.begin(user)
        self.allow("ann")
        address = self.browser.address
        cookie = self.browser.cookie("tastytokend-browser")
        exchanged = self.place.simulate("counts")["token_requests"]
        for headers, status in (({}, 403), ({"Cookie": f"tastytokend-browser={cookie}", "Sec-Purpose": "prefetch"}, 200)):
            self.assertEqual(http(address, headers=headers)[0], status)
        self.assertEqual(self.place.simulate("counts")["token_requests"], exchanged)
        self.is_not_connected(user)
        self.browser.press("Connect the account")
        self.is_connected(user, "ann")

    def test_h32_what_opens_a_link_ahead_of_people_spends_nothing(self):
        user = self.place.new_user()
        link = self.place.authorize_link(user)
        for _ in range(2):
            self.assertEqual(http(link)[0], 200)
        self.other.open(link)
        self.assertEqual(self.other.heading, f"Connect user {user}")
        self.browser.open(link)
        self.browser.press("Go on to TastyTrade")
        self.allow("ann")
        self.browser.press("Connect the account")
        self.is_connected(user, "ann")

    def test_h32_a_link_that_is_spent_leads_another_browser_nowhere(self):
        user = self.place.new_user()
        link = self.place.authorize_link(user)
        self.other.open(link)
        self.browser.open(link)
        self.browser.press("Go on to TastyTrade")
        # That one looked at it before, and presses too late.
        self.other.press("Go on to TastyTrade")
        self.says("This link can no longer be used", self.other)
        self.other.open(link)
        self.says("This link can no longer be used", self.other)
        self.allow("ann")
        self.browser.press("Connect the account")
        self.is_connected(user, "ann")

    def test_h32_a_link_that_is_too_old_is_told_so(self):
        link = self.place.authorize_link(self.place.new_user())
        self.place.sql("UPDATE tastytokend.authorization_links SET expires_at = now()")
        self.browser.open(link)
        self.says("This link is too old")

    def test_h32_a_form_of_another_site_does_nothing(self):
        user = self.place.new_user()
        self.begin(user)
        self.allow("ann")
        code, state = (part.split("=")[1] for part in self.browser.address.split("?")[1].split("&"))
        form = (
            f"<title>x</title><form method=post action={self.place.pages}{CALLBACK}>"
            f"<input type=hidden name=code value={code}><input type=hidden name=state value={state}>"
            "<button>Win</button></form>"
        )
        self.browser.open(f"data:text/html,{form}")
        self.browser.press("Win")
        self.says("This did not come from these pages")
        self.is_not_connected(user)

    def test_h32_what_a_program_began_on_the_socket_ends_in_no_browser(self):
        user = self.place.new_user()
        begun = self.place.socket_post(f"/v1/users/{user}/authorizations")
        self.begin(self.place.new_user())
        self.browser.open(begun["authorization_url"])
        self.allow("eve")
        self.says("This was not begun in this browser")
        self.is_not_connected(user)
