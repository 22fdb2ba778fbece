"""A service in Python: it finds tarsnode in its configuration and sends it a heartbeat each second, until SIGTERM."""
import os
import re
import signal
import socket
import struct
import sys
import time


def leave(*_):
    print("leaving in Python")
    sys.exit(0)


def text(tag, value):
    return bytes([tag << 4 | 6, len(value)]) + value.encode()


def keep_alive(app, server):
    """The request ServerF.keepAlive(ServerInfo) in Tars encoding."""
    body = b"\x1a" + text(0, app) + text(1, server) + b"\x22" + struct.pack(">i", os.getpid()) + text(3, "") + b"\x0b"
    head = b"\x10\x01\x2c\x3c\x40\x01" + text(5, "tars.tarsnode.ServerObj") + text(6, "keepAlive")
    packet = head + b"\x7d\x00\x00" + bytes([len(body)]) + body + b"\x8c\x98\x0c\xa8\x0c"
    return struct.pack(">i", 4 + len(packet)) + packet


signal.signal(signal.SIGTERM, leave)
with open(sys.argv[1].removeprefix("--config=")) as file:
    conf = dict(re.findall(r"^\s*(\w+)=(.*)$", file.read(), re.MULTILINE))
host, port = re.search(r"-h (\S+) -p (\d+)", conf["node"]).groups()
link = socket.create_connection((host, int(port)))
print("serving in Python", sys.version_info.major, os.path.basename(__file__), os.environ.get("GREETING", ""))
while True:
    link.sendall(keep_alive(conf["app"], conf["server"]))
    if not link.recv(512):
        sys.exit(1)
    time.sleep(1)
