# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Runs the tests, or those whose names hold one of the arguments."""

import pathlib
import signal
import sys
import unittest

from steps import close_browsers


def interrupted(*_):
    sys.exit(1)


signal.signal(signal.SIGTERM, interrupted)
loader = unittest.TestLoader()
loader.testNamePatterns = [f"*{word}*" for word in sys.argv[1:]] or None
try:
    tests = loader.discover(str(pathlib.Path(__file__).parent))
    result = unittest.TextTestRunner(verbosity=2).run(tests)
finally:
    close_browsers()
sys.exit(not result.wasSuccessful() or result.testsRun == 0)
