# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""What is wrong with the looks of a page, at several widths."""

import base64
import os
import pathlib

import axe
from browser import DESK, NARROW, TELEPHONE

# What sticks out of the screen, what is cut off within its own box, and what a finger would miss.
FAULTS = """
const faults = [], page = document.scrollingElement;
if (page.scrollWidth > innerWidth) faults.push(`the page is ${page.scrollWidth} px wide`);
for (const element of document.body.querySelectorAll('*')) {
  const name = `${element.tagName} ${(element.textContent || element.name || '').trim().slice(0, 40)}`;
  const box = element.getBoundingClientRect(), style = getComputedStyle(element);
  if (!box.width || element.matches('.skip')) continue;
  if (box.right > innerWidth + 0.5 || box.left < -0.5) faults.push(`${name} sticks out`);
  const clips = style.overflowX !== 'visible' && !element.matches('input, select');
  if (clips && element.scrollWidth > element.clientWidth + 1) faults.push(`${name} is cut off`);
  if (element.matches('button, .button, input, select') && element.type !== 'hidden' && !element.closest('.choice')
      && box.height < 24) faults.push(`${name} is ${box.height} px high`);
}
return faults;
"""
FOLDER = os.environ.get("SCREENSHOTS")


def faults(browser):
    """All that is wrong with the page at hand, on a desk and a telephone, by day and by night; and axe's version."""
    found, version = [], ""
    for name, size, scheme in (("desk, dark", DESK, "dark"), ("desk", DESK, "light"), ("telephone", TELEPHONE, "light")):
        browser.size(size)
        browser.colours(scheme)
        violations, undecided, version = axe.violations(browser)
        wrong = browser.driver.execute_script(FAULTS)
        found += [f"{name}: {fault}" for fault in [*wrong, *violations, *undecided]]
    # As much as somebody sees who has a desk's width and reads at 400 % (WCAG 1.4.10).
    browser.size(NARROW)
    found += [f"narrow: {fault}" for fault in browser.driver.execute_script(FAULTS)]
    browser.size(DESK)
    return found, version


def keep_picture(browser, name):
    """Writes what is seen, whole, where pictures are wanted."""
    if not FOLDER:
        return
    for width, size in (("desk", DESK), ("telephone", TELEPHONE)):
        browser.size(size)
        height = browser.driver.execute_script("return document.body.scrollHeight")
        clip = {"x": 0, "y": 0, "width": size[0], "height": max(height, 480), "scale": 1}
        picture = browser.command("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        pathlib.Path(FOLDER, f"{name}-{width}.png").write_bytes(base64.b64decode(picture["data"]))
    browser.size(DESK)
