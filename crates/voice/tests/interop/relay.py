"""A stretch of TCP between two programs that delivers what passes one way as other stacks might.

relay.py cut|glue there|back LISTEN_PORT TO_PORT

cut: in pieces of a few octets, each a segment of its own. glue: what comes within 80 ms in one segment
that ends inside the last message; the rest follows. `there` is towards the port that is connected to.
At the end of standard input it prints how many segments and how many with several messages it made.
"""
import itertools
import os
import select
import socket
import sys
import threading
import time

how, which, listen, to = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
PIECES = itertools.cycle([1, 7, 2, 61, 3, 199, 1, 1, 29])
QUIET_S, LAST = 0.08, 9
count = {"segments": 0, "glued": 0}


def deliver(out, octets):
    out.sendall(octets)
    count["segments"] += 1
    count["glued"] += octets.count(b"CSeq:") > 1
    time.sleep(0.001)


def cut(out, octets):
    at = 0
    while at < len(octets):
        size = next(PIECES)
        deliver(out, octets[at:at + size])
        at += size


def glue(source, out, octets):
    while select.select([source], [], [], QUIET_S)[0]:
        more = source.recv(65536)
        if not more:
            break
        octets += more
    deliver(out, octets[:-LAST])
    deliver(out, octets[-LAST:])


def passes(source, out, changed):
    try:
        while octets := source.recv(65536):
            if not changed:
                out.sendall(octets)
            elif how == "cut":
                cut(out, octets)
            else:
                glue(source, out, octets)
    except OSError:
        pass
    for end in (source, out):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(server):
    while True:
        near, _ = server.accept()
        far = socket.create_connection(("127.0.0.1", to))
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pair in ((near, far, which == "there"), (far, near, which == "back")):
            threading.Thread(target=passes, args=pair, daemon=True).start()


server = socket.create_server(("127.0.0.1", listen))
threading.Thread(target=serve, args=(server,), daemon=True).start()
sys.stdin.read()
print(count["segments"], count["glued"], flush=True)
os._exit(0)
