"""Holds a dialog with a program on a terminal of its own, and prints as JSON what came of it.

dialog.py STEPS PROGRAM [ARGUMENT]...

STEPS is a JSON list. Each step waits until the terminal shows the text "expect" and, with "hidden", until the
program has turned the echo off; then it types the text "type", or sends the signal "signal".
"""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time

# A program that never asks must not keep the tests for ever.
signal.alarm(600)

steps, command = json.loads(sys.argv[1]), sys.argv[2:]
leader, terminal = pty.openpty()
process = subprocess.Popen(
    command,
    stdin=terminal,
    stdout=terminal,
    stderr=terminal,
    start_new_session=True,
    preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
)
shown = b""


def read():
    """Reads what the terminal shows, and says whether the program still runs."""
    global shown
    runs = process.poll() is None
    while select.select([leader], [], [], 0.05 if runs else 0)[0]:
        shown += os.read(leader, 4096)
        runs = True
    return runs


def flag(bit):
    return bool(termios.tcgetattr(terminal)[3] & bit)


seen = 0
for step in steps:
    wanted = step["expect"].encode()
    while wanted not in shown[seen:] and read():
        pass
    if wanted not in shown[seen:]:
        break
    seen = shown.index(wanted, seen) + len(wanted)
    while step.get("hidden") and flag(termios.ECHO) and process.poll() is None:
        time.sleep(0.01)
    if "signal" in step:
        process.send_signal(getattr(signal, step["signal"]))
    else:
        os.write(leader, step["type"].encode())
while read():
    pass
print(
    json.dumps(
        {
            "shown": shown.decode(),
            "exit": process.wait(),
            "echo": flag(termios.ECHO),
            "lines": flag(termios.ICANON),
            "signals": flag(termios.ISIG),
        }
    )
)
