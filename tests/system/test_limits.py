#!/usr/bin/python3
"""Thousands of clients, a rush of them, and no descriptors left (surface, section 18)."""

import os
import resource
import selectors
import socket
import time

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.surface import DB, SurfaceTest, insert
from harness.server import wait_until

CLIENTS = 1000
MONITOR = b'{"id":1,"method":"monitor","params":["%s",null,{"%s":{}}]}' % (DB.encode(), DB.encode())


def cpu_s(pid):
    """Processor time that a process has taken."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Limits(SurfaceTest):
    def setUp(self):
        super().setUp()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def dial(self, count):
        """COUNT connections that say nothing."""
        peers = []
        for _ in range(count):
            peer = socket.socket(socket.AF_UNIX)
            self.addCleanup(peer.close)
            peer.settimeout(environment.timeout_s(30))
            peer.connect(f"{self.path}/db.sock")
            peers.append(peer)
        return peers

    def connect(self):
        peer = Connection(self.socket)
        self.addCleanup(peer.close)
        return peer

    def expect_from_all(self, peers, text):
        """Waits until every peer has been sent TEXT."""
        waiting = {peer.fileno(): b"" for peer in peers}
        deadline = time.monotonic() + environment.timeout_s(30)
        with selectors.DefaultSelector() as selector:
            for peer in peers:
                selector.register(peer, selectors.EVENT_READ)
            while waiting and time.monotonic() < deadline:
                for key, _ in selector.select(1):
                    waiting[key.fd] += key.fileobj.recv(65536)
                    if text in waiting[key.fd]:
                        del waiting[key.fd]
                        selector.unregister(key.fileobj)
        self.assertEqual(len(waiting), 0, "clients without an answer")

    def test_thousands_of_clients(self):
        """1000 idle and 1000 monitoring clients: each is served, and silence costs nothing."""
        self.start()
        self.dial(CLIENTS)
        monitors = self.dial(CLIENTS)
        for peer in monitors:
            peer.sendall(MONITOR)
        self.expect_from_all(monitors, b'"id":1')
        pairs = dict(pair.split(":") for pair in self.ctl("memory/show").split())
        self.assertEqual((int(pairs["monitors"]), int(pairs["sessions"]) >= 2 * CLIENTS), (CLIENTS, True))
        writer = self.connect()
        for number in range(10):
            writer.transact(DB, insert(number))
        self.expect_from_all(monitors, b'"n9"')
        before = cpu_s(self.pid())
        time.sleep(2)
        self.assertLess(cpu_s(self.pid()) - before, 0.2 * environment.SLOWDOWN)
        self.assertEqual(self.troubles(), [])

    def test_the_limit_is_the_hard_one(self):
        """A low default of the shell's keeps nobody out."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        outcome = self.run_server("db", "--remote=punix:db.sock", "--run=ulimit -Sn",
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)))
        self.assertEqual(outcome, (0, f"{hard}\n", ""))

    def test_a_rush_of_clients(self):
        """A client after the other, a request each: at least 1000 in a second (less when built to be slow)."""
        self.start("--remote=ptcp:0:127.0.0.1")
        address = ("127.0.0.1", self.port())
        begin = time.monotonic()
        for _ in range(CLIENTS):
            with socket.create_connection(address) as peer:
                peer.sendall(b'{"id":1,"method":"list_dbs","params":[]}')
                self.assertIn(b'"_Server"', peer.recv(1000))
        seconds = time.monotonic() - begin
        print(f"{CLIENTS / seconds:.0f} clients a second", flush=True)
        self.assertLess(seconds, environment.timeout_s(5))
        self.assertEqual(self.troubles(), [])
        wait_until(lambda: "sessions" not in self.ctl("memory/show"), "the last one to be forgotten")

    def test_no_descriptors(self):
        """None left: a message, service for those who are there, no busy loop; new clients when some are free."""
        self.start()
        pid = self.pid()
        peer = self.connect()
        peer.result("echo")
        used = len(os.listdir(f"/proc/{pid}/fd"))
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, hard))
        others = self.dial(30)
        wait_until(lambda: any("Too many open files" in line for line in self.troubles()), "the message")
        for _ in range(3):  # its manager reaches it all the same
            self.assertIn("sessions", self.ctl("memory/show"))

        before = cpu_s(pid)
        for number in range(20):
            peer.transact(DB, insert(number))
            time.sleep(0.1)
        self.assertLess(cpu_s(pid) - before, 0.2 * environment.SLOWDOWN)
        self.assertLess(len(self.troubles()), 4)
        self.assertEqual({"Too many open files" in line for line in self.troubles()}, {True})

        for other in others[:25]:
            other.close()
        others[-1].sendall(b'{"id":1,"method":"echo","params":[]}')
        self.assertIn(b'"id":1', others[-1].recv(1000))
        self.assertEqual(len(peer.transact(DB, {"op": "select", "table": DB, "where": []})[0]["rows"]), 20)


if __name__ == "__main__":
    main()
