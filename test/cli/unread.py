"""Starts a command whose stderr nobody reads: unread.py pty|pipe COMMAND... Says how it ended."""
import os, pty, subprocess, sys

reader, writer = pty.openpty() if sys.argv[1] == "pty" else os.pipe()
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stderr=writer)
try:
    print("status", child.wait(timeout=15))
except subprocess.TimeoutExpired:
    print("it hangs")
finally:
    child.kill()
    child.wait()
