# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""A Chromium with a profile of its own, as somebody at a desk or with a telephone has it."""

import contextlib
import ctypes
import os
import re
import signal
import tempfile

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

DESK, TELEPHONE, NARROW = (1280, 800), (360, 740), (320, 640)
# The longest wait for anything; a proof may take some seconds on a busy machine.
PATIENCE = 30
# How a field, a button or a link is called is what stands in or at it, as for whoever listens to the page.
# What the console says of a page that has an error's status on purpose: a refusal, or that TastyTrade is away.
PAGES_OWN = re.compile(r"the server responded with a status of (4\d\d|503)\b")
NAMED = "//*[self::button or self::a or self::summary][normalize-space()={0}]"
LABELLED = "//*[@id=//label[normalize-space()={0}]/@for]"


def ends_with_its_parent():
    """Has the kernel end chromedriver when this program is killed; without it Chromium ends by itself."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Browser:
    def __init__(self, *, scripts=True):
        self.profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in (
            "headless=new", "remote-debugging-pipe", f"user-data-dir={self.profile.name}", "no-first-run", "lang=en-US",
            "no-proxy-server", "disable-background-networking", "disable-component-update", "disable-sync",
            "disable-dev-shm-usage", "force-color-profile=srgb", "hide-scrollbars", "disable-lcd-text",
        ):
            options.add_argument(f"--{argument}")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        service = Service("/usr/bin/chromedriver", popen_kw={"preexec_fn": ends_with_its_parent})
        self.driver = webdriver.Chrome(options=options, service=service)
        self.driver.set_page_load_timeout(PATIENCE)
        self.has_scripts = scripts
        if not scripts:
            self.command("Emulation.setScriptExecutionDisabled", value=True)
        self.size(DESK)

    def close(self):
        self.driver.quit()
        self.profile.cleanup()

    def command(self, name, **parameters):
        """One of the devtools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def size(self, size):
        width, height = size
        self.command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def colours(self, scheme):
        """The system's preference, `light` or `dark`; and that nothing moves, since colours that change gradually tell nothing."""
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self.command("Emulation.setEmulatedMedia", features=[{"name": n, "value": v} for n, v in features.items()])

    def forget(self):
        """As if it were new."""
        for tab in self.driver.window_handles[1:]:
            self.driver.switch_to.window(tab)
            self.driver.close()
        self.driver.switch_to.window(self.driver.window_handles[0])
        self.command("Network.clearBrowserCookies")
        self.driver.get("about:blank")
        self.size(DESK)
        self.colours("light")
        self.complaints()

    # What is done.

    def open(self, address):
        self.driver.get(address)

    def find(self, name, path=NAMED):
        quoted = f'"{name}"' if "'" in name else f"'{name}'"
        found = self.driver.find_elements(By.XPATH, path.format(quoted))
        assert len(found) == 1, f"{len(found)} called {name} on: {self.text}"
        return found[0]

    def fill(self, label, value):
        field = self.find(label, LABELLED)
        if field.tag_name != "select":
            field.clear()
        field.send_keys(value)

    def press(self, name):
        """Presses what leads to another page, and waits for that."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        self.find(name).click()
        self.is_replaced(page)

    def double_click(self, name):
        ActionChains(self.driver).double_click(self.find(name)).perform()

    def is_replaced(self, page):
        WebDriverWait(self.driver, PATIENCE).until(lambda _: self.page_id() not in (None, page.id), "another page")
        self.await_("the page", lambda: self.driver.execute_script("return document.readyState") == "complete")

    def page_id(self):
        with contextlib.suppress(Exception):
            return self.driver.find_element(By.TAG_NAME, "html").id
        return None

    def await_(self, what, condition):
        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(lambda _: condition(), what)

    # What is seen.

    @property
    def address(self):
        return self.driver.current_url

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def heading(self):
        return self.driver.find_element(By.TAG_NAME, "h1").text

    @property
    def source(self):
        return self.driver.page_source

    def cookie(self, name):
        return next((cookie["value"] for cookie in self.driver.get_cookies() if cookie["name"] == name), None)

    def complaints(self):
        """What the console says, all of which is a fault but that a page itself has an error's status."""
        return [
            entry["message"] for entry in self.driver.get_log("browser")
            if "/assets/" in entry["message"] or not PAGES_OWN.search(entry["message"])
        ]
