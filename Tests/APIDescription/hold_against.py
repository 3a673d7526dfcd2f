# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The tastytokend authors
"""Holds a daemon against docs/openapi.yaml with schemathesis, which speaks TCP only: a relay of bytes stands between it and
the socket. Argument 1 is the program, 2 the socket, 3 the description."""

import pathlib
import socket
import subprocess
import sys
import threading

PROGRAM, SOCKET, DESCRIPTION = sys.argv[1:]
MOST_SECONDS = 240


def pump(source, sink):
    seen = b""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
            seen = seen[-65536:] + data
            # A stream of events has no end, and schemathesis waits for one: it gets it after the first words.
            if b"text/event-stream" in seen and seen.endswith(b"\n\n\r\n"):
                sink.sendall(b"0\r\n\r\n")
                source.close()
                break
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        sink.close()


def relay(listener):
    while True:
        caller, _ = listener.accept()
        daemon = socket.socket(socket.AF_UNIX)
        daemon.connect(SOCKET)
        for ends in ((caller, daemon), (daemon, caller)):
            threading.Thread(target=pump, args=ends, daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=relay, args=(listener,), daemon=True).start()
command = [
    PROGRAM,
    f"--config-file={pathlib.Path(__file__).parent}/schemathesis.toml",
    "run",
    DESCRIPTION,
    f"--url=http://127.0.0.1:{listener.getsockname()[1]}",
    "--checks=all",
    # There is nothing like a login to be ignored: the kernel says who asks, and another test has other users ask.
    "--exclude-checks=ignored_auth",
    "--phases=examples,coverage,fuzzing",
    "--max-examples=50",
    "--seed=1",
    "--generation-deterministic",
    "--continue-on-failure",
    "--no-color",
]
sys.exit(subprocess.run(command, timeout=MOST_SECONDS, check=False).returncode)
