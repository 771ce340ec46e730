"""Runs a program until it says something, and ends it: until.py WORDS PROGRAM [ARGUMENT]...

The exit code is 0 if it said the words, and 1 if it ended before. What it says is printed.
"""

import subprocess
import sys

words, *command = sys.argv[1:]
with subprocess.Popen(
    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
) as process:
    said = False
    for line in process.stdout:
        print(line, end="")
        if words in line:
            said = True
            process.terminate()
            break
sys.exit(0 if said else 1)
