"""The exercise as a beginner solves it: a client sends a path, a thread answers with the file."""

import os
import socket
import sys
import threading


def serve(client, root):
    with client:
        path = client.recv(4096).decode().strip()
        with open(os.path.join(root, path.lstrip("/")), "rb") as file:
            client.sendall(file.read())


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
while True:
    accepted, _ = listener.accept()
    threading.Thread(target=serve, args=(accepted, sys.argv[2]), daemon=True).start()
