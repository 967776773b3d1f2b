"""A terminal that nobody reads: starts the command with its stderr on one and asks 3,000 times."""
import os, pty, re, socket, subprocess, sys, time

master, slave = pty.openpty()
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stderr=slave)
try:
    said = b""
    while not re.search(rb":(\d+)/", said):
        said += os.read(master, 65536)
    port = int(re.search(rb":(\d+)/", said).group(1))
    peer = socket.create_connection(("127.0.0.1", port), timeout=10)
    replies = peer.makefile("rb")
    # Not read from here on: a terminal takes some 4 KiB, this makes 200 KiB of log.
    for n in range(3000):
        peer.sendall(b"PING\n")
        assert replies.readline().startswith(b"OK 0 ")
        # Lines are written every 100 ms: several times into a terminal that is full.
        if n % 300 == 0:
            time.sleep(0.15)
    print("served")
finally:
    child.kill()
    child.wait()
