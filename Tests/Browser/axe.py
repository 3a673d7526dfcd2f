# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""axe-core, put into the page at hand by the devtools protocol, to which the page's policy does not apply."""

import os
import pathlib

SCRIPT = pathlib.Path(os.environ["AXE_SCRIPT"]).read_text(encoding="utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Nothing is loaded beforehand: what axe would load, the policy of the pages forbids.
RUN = "axe.run(document, {runOnly: %s, preload: false, resultTypes: ['violations', 'incomplete']})" % TAGS


def violations(browser):
    """What axe finds, a line each, and what it could not decide."""
    frame = browser.command("Page.getFrameTree")["frameTree"]["frame"]["id"]
    # A world of its own: the page's own scripts, if it had any, would not see it.
    world = browser.command("Page.createIsolatedWorld", frameId=frame, worldName="axe")["executionContextId"]

    def evaluate(expression):
        reply = browser.command(
            "Runtime.evaluate", expression=expression, contextId=world, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in reply, reply["exceptionDetails"]
        return reply["result"].get("value")

    evaluate(SCRIPT + "; 0")
    results = evaluate(RUN)

    def lines(kind):
        return [f"{rule['id']}: {rule['help']}: {node['html']}" for rule in results[kind] for node in rule["nodes"]]

    return lines("violations"), lines("incomplete"), results["testEngine"]["version"]
