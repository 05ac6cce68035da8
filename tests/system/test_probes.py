#!/usr/bin/python3
"""Probes and TCP keepalive of all remotes by option: --inactivity-probe, --tcp-keepalive."""

import json
import socket

from harness.case import main
from harness.ports import free_port
from harness.server import create_database, wait_until
from harness.surface import SurfaceTest
from test_surface_remotes import MANAGERS

KEEPALIVE = "02"  # the kind of timer in /proc/net/tcp


class Probes(SurfaceTest):
    def dial(self, port):
        """A client that has had an answer."""
        peer = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(peer.close)
        peer.settimeout(30)
        peer.sendall(b'{"id":1,"method":"echo","params":[]}')
        self.assertIn("result", json.loads(peer.recv(1000)))
        return peer

    def timer(self, peer):
        """The kernel's timer for the server's end of a connection, in seconds; None if it has none."""
        ends = [f"{port:04X}" for port in (peer.getpeername()[1], peer.getsockname()[1])]
        def is_quiet():
            with open("/proc/net/tcp", encoding="ascii") as table:
                rows = [line.split() for line in table][1:]
            row = next(row for row in rows if [end.rpartition(":")[2] for end in row[1:3]] == ends)
            kind, _, jiffies = row[5].partition(":")
            return (kind, int(jiffies, 16) / 100) if kind in ("00", KEEPALIVE) else None
        kind, seconds = wait_until(is_quiet, "the connection to be quiet")
        return seconds if kind == KEEPALIVE else None

    def assert_timer(self, peer, seconds):
        self.assertTrue(seconds - 30 < self.timer(peer) <= seconds, self.timer(peer))

    def listen(self, *words):
        """A server on a port of its own; the port."""
        port = free_port()
        self.start(f"--remote=ptcp:{port}:127.0.0.1", *words)
        return port

    def test_silent_clients_are_probed_as_often_as_an_option_says(self):
        """Over TCP, not over unix sockets; dropped after as long again."""
        peer = self.dial(self.listen("--inactivity-probe=1000"))
        with socket.socket(socket.AF_UNIX) as neighbour:
            neighbour.connect(f"{self.path}/db.sock")
            self.assertEqual(json.loads(peer.recv(1000)), {"id": "echo", "method": "echo", "params": []})
            self.assertEqual(peer.recv(1000), b"")
            self.assertIn("no response to inactivity probe after 1 seconds, disconnecting", self.troubles()[0])
            neighbour.sendall(b'{"id":1,"method":"echo","params":[]}')
            self.assertEqual(json.loads(neighbour.recv(1000))["id"], 1)

    def test_a_remote_of_the_configuration_file_may_say_otherwise(self):
        ports = [free_port(), free_port()]
        (self.path / "config").write_text(json.dumps({
            "remotes": {"punix:db.sock": None, f"ptcp:{ports[0]}:127.0.0.1": None,
                        f"ptcp:{ports[1]}:127.0.0.1": {"inactivity-probe": 500000}},
            "databases": {"db": None}}))
        status, _, err = self.run_server("--detach", "--no-chdir", "--pidfile", "--log-file", "-vconsole:off",
                                         "--config-file=config", "--inactivity-probe=300000")
        self.assertEqual((status, err), (0, ""))
        self.addCleanup(self._end, self.pid())
        # Keepalive goes with probes, and tells how often those are.
        for port, seconds in zip(ports, (300, 500)):
            self.assert_timer(self.dial(port), seconds)

    def test_the_kernel_asks_as_often_as_an_option_says(self):
        """Also for connections without probes, and of remotes in a database, which have no column for it."""
        create_database(self.scratch, "mydb", MANAGERS)
        other = free_port()
        self.scratch.run("ovsdb-tool", "transact", "mydb", json.dumps(
            ["mydb", {"op": "insert", "table": "Manager", "uuid-name": "r",
                      "row": {"target": f"ptcp:{other}:127.0.0.1", "inactivity_probe": 0}},
             {"op": "insert", "table": "Root", "row": {"options": ["named-uuid", "r"]}}]))
        port = self.listen("--inactivity-probe=0", "--tcp-keepalive=600", "mydb", "--remote=db:mydb,Root,options")
        for each in (port, other):
            self.assert_timer(self.dial(each), 600)

    def test_without_probes_the_kernel_asks_only_if_told(self):
        self.assertIsNone(self.timer(self.dial(self.listen("--inactivity-probe=0"))))
        self.exit()
        self.assertIsNone(self.timer(self.dial(self.listen("--tcp-keepalive=0"))))

    def test_numbers_are_checked(self):
        for option in ("inactivity-probe", "tcp-keepalive"):
            for number in ("-1", "x", "", "4294967296"):
                self.assertEqual(self.run_server(f"--{option}={number}", "db", "--run=true"),
                                 (1, "", f'ovsdb-server: --{option}: "{number}" is not a valid number\n'))
        self.assertEqual(self.run_server("--inactivity-probe=4294967295", "--tcp-keepalive=4294967295", "db",
                                         "--remote=ptcp:0:127.0.0.1", "--run=true", "-vconsole:warn"), (0, "", ""))


if __name__ == "__main__":
    main()
