# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""OAuth clients and grants that are made by hand, through the forms."""

import json

from browser import LABELLED
from place import CALLBACK, GRANT, PLACES
from steps import PagesTest

SECOND = {"client_id": "6e1d6c0b-3f6d-4d6e-9a57-0d1c7c0f5a11", "client_secret": "fake-secret-of-the-second-client"}


class Forms(PagesTest):
    def setUp(self):
        super().setUp()
        self.place.simulate("clients", {**SECOND, "redirect_uris": [self.place.pages + CALLBACK]})
        self.sign_in()

    def test_a_client_is_saved_and_its_secret_is_shown_nowhere_again(self):
        self.save_client("second", **SECOND)
        self.assertIn("The client second is saved", self.browser.text)
        self.assertNotIn(SECOND["client_secret"], self.browser.source)
        self.browser.press("Change second")
        self.assertEqual(self.browser.find("Client id", LABELLED).get_attribute("value"), SECOND["client_id"])
        secret = self.browser.find("Client secret", LABELLED)
        self.assertEqual((secret.get_attribute("value"), secret.get_attribute("type")), ("", "password"))
        self.assertNotIn(SECOND["client_secret"], self.browser.source)
        # Left empty, it stays: an account is connected with it afterwards.
        self.browser.fill("Scopes", "read openid")
        self.browser.press("Save")
        self.assertIn("The client second is saved", self.browser.text)
        user = self.place.new_user()
        self.begin_with("second", user)
        self.assertNotIn("trade: place and cancel orders", self.browser.text)
        self.allow("bea")
        self.browser.press("Connect the account")
        self.is_connected(user, "bea")

    def test_what_is_wrong_is_said_at_its_field_and_the_secret_is_to_be_entered_again(self):
        self.save_client("third", **SECOND, **{"Redirect URI": "tokens.example/callback"})
        focused = self.browser.driver.switch_to.active_element
        self.assertIn("The client was not saved", focused.text, "the focus is where it is said")
        self.assertNotIn(SECOND["client_secret"], self.browser.source)
        field = self.browser.find("Redirect URI", LABELLED)
        self.assertEqual(field.get_attribute("value"), "tokens.example/callback")
        self.assertEqual(field.get_attribute("aria-invalid"), "true")
        focused.find_element("css selector", "a[href='#redirect_uri']").click()
        self.assertEqual(self.browser.driver.switch_to.active_element.get_attribute("id"), "redirect_uri")
        self.assertNotIn("third", [client["name"] for client in self.clients()])

    def clients(self):
        return json.loads(self.place.tastytoken("client", "list", "--json").stdout)["clients"]

    def test_a_grant_that_is_pasted_connects_its_account(self):
        user = self.place.new_user()
        grant = self.place.simulate("grants", {"user": "cyn"})["refresh_token"]
        self.browser.open(f"{self.place.pages}{GRANT}?user={user}")
        self.browser.fill("Refresh token", f' "{grant}" ')
        self.browser.press("Try it and connect")
        self.assertIn(f"The account of user {user} is connected", self.browser.text)
        self.assertNotIn(grant, self.browser.source)
        self.is_connected(user, "cyn")

    def test_a_grant_that_is_none_is_refused_and_not_shown(self):
        user = self.place.new_user()
        self.browser.open(f"{self.place.pages}{GRANT}?user={user}")
        self.browser.fill("Refresh token", "this-is-no-grant")
        self.browser.press("Try it and connect")
        self.assertIn("The account was not connected", self.browser.driver.switch_to.active_element.text)
        self.assertNotIn("this-is-no-grant", self.browser.source)
        self.is_not_connected(user)


class FromSetupToAToken(PagesTest):
    """The whole way, in each environment: a client that the setup page was given, and a token on the socket."""

    def test_from_setup_to_a_token_on_the_socket_in_both_environments(self):
        for name, place in PLACES.items():
            with self.subTest(name):
                registered = {**SECOND, "client_id": f"{len(name):08}-3f6d-4d6e-9a57-0d1c7c0f5a22"}
                place.simulate("clients", {**registered, "redirect_uris": [place.pages + CALLBACK]})
                user = place.new_user()
                self.browser.forget()
                self.sign_in(place=place)
                self.save_client("whole", **registered, place=place)
                self.assertIn("The client whole is saved", self.browser.text)
                self.begin_with("whole", user, place)
                self.assertIn(f"({name})", self.browser.text)
                self.allow("ann")
                self.is_not_connected(user, place)
                self.browser.press("Connect the account")
                self.assertEqual(self.browser.heading, f"The account of user {user} is connected")
                self.is_connected(user, "ann", place)
                status = json.loads(place.tastytoken("status", user, "--json").stdout)
                self.assertEqual((status["client"], status["environment"]), ("whole", name))
                self.assertEqual(status["status"], "active")
