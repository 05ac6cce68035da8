"""The HTTP status: a load balancer is answered whoever else is connected."""

import socket
import time

from harness.ports import free_port
from measure import Input
from messages import select, transact

PORT = free_port()
OPTIONS = (f"--http=127.0.0.1:{PORT}",)


def dial():
    return socket.create_connection(("127.0.0.1", PORT), timeout=10)


def is_active(within_s=1):
    """What a load balancer sees; it must be told within a second."""
    begin = time.monotonic()
    with dial() as peer:
        peer.settimeout(within_s)
        peer.sendall(b"GET /active HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = peer.recv(1000)
    assert answer.startswith(b"HTTP/1.1 200"), f"/active answers {answer[:60]}"
    assert time.monotonic() - begin < within_s, "/active took too long"


def held(text, count, later=b""):
    """COUNT connections that say TEXT and no more, or a little more now and then."""
    def attack(target):
        peers = []
        for _ in range(count):
            peer = dial()
            peers.append(peer)
            target.clients.append(peer)
            try:
                peer.sendall(text)
            except OSError:
                pass
        for _ in range(5):
            for peer in peers:
                try:
                    if later:
                        peer.sendall(later)
                except OSError:
                    pass
            is_active()
            time.sleep(0.2)
    return attack


def unread(target):
    """Pages are asked for and not read."""
    for _ in range(60):
        peer = dial()
        target.clients.append(peer)
        peer.setblocking(False)
        try:
            for _ in range(200):
                peer.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        except (BlockingIOError, OSError):
            pass
    is_active()


def one_after_the_other(target):
    for _ in range(2_000):
        with dial() as peer:
            peer.sendall(b"GET /")
    is_active()


def busy(target):
    """The writer and the shards have work."""
    target.client().pour(transact(*[select("Logical_Flow")] * 30))
    for _ in range(10):
        is_active()
        time.sleep(0.1)


INPUTS = [Input(name, attack, options=OPTIONS, on_stock=False, data=data, most_cpu_s=3) for name, attack, data in (
    ("64 half requests", held(b"GET /active HTT", 64), "empty"),
    ("200 half requests", held(b"GET /active HTT", 200), "empty"),
    ("64 silent connections", held(b"", 64), "empty"),
    ("64 finished requests kept alive", held(b"GET /active HTTP/1.1\r\nHost: x\r\n\r\n", 64), "empty"),
    ("64 requests, a byte now and then", held(b"GET /active HTTP/1.1\r\nX: ", 64, b"a"), "empty"),
    ("64 bodies that do not come", held(b"POST /active HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n", 64), "empty"),
    ("60 clients that ask and do not read", unread, "empty"),
    ("2,000 half requests one after the other", one_after_the_other, "empty"),
    ("/active while 30 selects are answered", busy, "flows"),
)]
