#!/usr/bin/python3
"""A pair whose link is cut, delayed and half open, whose servers are killed and stopped: nothing acknowledged is lost.

Real processes, faults from TANDEM_SEED. What is promised: with a gate that blocks, every acknowledged row is there in
the end, wherever the role went; both end equal, digests too; a half-open link is shown and nothing is acknowledged.
"""

import os
import signal
import threading
import time

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.proxy import DOWN, UP, Proxy
from harness.server import wait_until


class Client(threading.Thread):
    """Inserts rows, each of a name of its own, into whichever server takes them; `acknowledged` are promised."""

    def __init__(self, servers, durable):
        super().__init__(daemon=True)
        self.servers = servers
        self.durable = durable
        self.acknowledged = []
        self.tried = 0
        self._finish = threading.Event()
        self.start()

    def finish(self):
        self._finish.set()
        self.join()

    def run(self):
        while not self._finish.is_set():
            for server in self.servers:
                try:
                    with server.connect(deadline_s=0, timeout=1) as connection:
                        self._write(connection)
                except (OSError, Closed, TimeoutError):
                    pass
            self._finish.wait(0.02)

    def _write(self, connection):
        while not self._finish.wait(0.003):
            name = f"row{self.tried}"
            self.tried += 1
            operations = [{"op": "insert", "table": "Switch", "row": {"name": name}}]
            if self.durable and self.tried % 3 == 0:
                operations.append({"op": "commit", "durable": True})
            reply = connection.call("transact", load.DB, *operations)
            if reply["error"] or any(r and "error" in r for r in reply["result"]):
                return  # not this server's turn
            self.acknowledged.append(name)


class Faults(SystemTest):
    GATE = ("--sync-replicas=1", "--sync-fallback=block", "--sync-timeout=300")

    def setUp(self):
        super().setUp()
        names = ("one", "two")
        for name in names:
            self.database(f"{name}.db", load.SCHEMA)
        self.servers = [self.server(name, [f"{name}.db"], *self.GATE) for name in names]
        self.proxies = [Proxy(server.socket) for server in self.servers]
        for proxy in self.proxies:
            self.addCleanup(proxy.close)
        self.active = 0
        self.follow(1)

    def follow(self, backup):
        server = self.servers[backup]
        server.appctl("ovsdb-server/set-active-ovsdb-server", self.proxies[1 - backup].address)
        server.appctl("ovsdb-server/connect-active-ovsdb-server")

    def restart(self, index):
        """A killed server comes back as what it was told last."""
        server = self.servers[index]
        role = [] if index == self.active else [f"--sync-from={self.proxies[1 - index].address}"]
        server.options = [*self.GATE, *role]
        server.start()

    def link(self):
        return self.proxies[self.active]  # what the backup dials

    def wait_replicating(self):
        wait_until(lambda: "replicating" in self.servers[1 - self.active].appctl("ovsdb-server/sync-status"),
                   "replication")

    # Each leaves both servers running.

    def cut(self):
        self.link().cut()

    def refuse_for_a_while(self):
        self.link().block()
        time.sleep(self.random.random() * 0.5)
        self.link().unblock()

    def slow(self):
        self.link().delay_s = self.random.choice([0, 0.005, 0.05])

    def half_open(self):
        self.link().hold(self.random.choice([UP, DOWN]))
        time.sleep(self.random.random())
        self.link().release()

    def kill_the_backup(self):
        backup = 1 - self.active
        self.servers[backup].kill()
        time.sleep(self.random.random() * 0.3)
        self.restart(backup)

    def kill_the_active(self):
        self.servers[self.active].kill()
        self.restart(self.active)

    def stop_one(self):
        pid = self.servers[self.random.randrange(2)].process.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.random.random() * 0.7)
        os.kill(pid, signal.SIGCONT)

    def fail_over(self):
        """The active is lost; the backup, which has all that was acknowledged, takes its place."""
        old = self.active
        self.servers[old].kill()
        self.servers[1 - old].appctl("tandem/promote", "--force")
        self.active = 1 - old
        time.sleep(self.random.random() * 0.3)
        self.restart(old)

    def hand_over(self):
        """The active is demoted, and the other promoted when it has everything."""
        old = self.active
        self.wait_replicating()
        self.servers[old].appctl("tandem/demote", self.proxies[1 - old].address)
        positions = lambda: {server.appctl("tandem/position", load.DB) for server in self.servers}
        wait_until(lambda: len(positions()) == 1, "the backup to have everything")
        self.servers[1 - old].appctl("tandem/promote")
        self.active = 1 - old

    def test_what_was_acknowledged_survives_whatever_happens(self):
        client = Client(self.servers, durable=True)
        self.addCleanup(client.finish)
        faults = [self.cut, self.refuse_for_a_while, self.slow, self.half_open, self.kill_the_backup,
                  self.kill_the_active, self.stop_one, self.fail_over, self.hand_over]
        deadline = time.monotonic() + environment.timeout_s(25)
        done = []
        while time.monotonic() < deadline:
            fault = self.random.choice(faults)
            # The copy that is to be promoted must be the one that keeps up: a manager sees to that.
            if fault in (self.fail_over, self.hand_over):
                self.wait_replicating()
                before = len(client.acknowledged)
                wait_until(lambda: len(client.acknowledged) > before, "acknowledgements")
            done.append(fault.__name__)
            fault()
            time.sleep(self.random.random() * 0.4)
        client.finish()
        self.link().delay_s = 0
        self.wait_replicating()
        one, two = self.servers
        wait_until(lambda: one.dump(load.DB) == two.dump(load.DB), "equal contents")
        self.assertEqual(one.appctl("tandem/position", load.DB), two.appctl("tandem/position", load.DB))
        with self.servers[self.active].connect() as connection:
            rows = connection.transact(load.DB, {"op": "select", "table": "Switch", "where": []})[0]["rows"]
        lost = set(client.acknowledged) - {row["name"] for row in rows}
        self.assertEqual(lost, set(), f"lost after {done}")
        self.assertGreater(len(client.acknowledged), 50)
        print(f"{len(client.acknowledged)} acknowledged through {len(done)} faults", flush=True)

    def test_a_half_open_link_is_shown_and_nothing_is_acknowledged(self):
        self.wait_replicating()
        client = Client(self.servers[:1], durable=False)
        self.addCleanup(client.finish)
        wait_until(lambda: len(client.acknowledged) > 10, "acknowledgements")
        self.link().hold()
        time.sleep(1.5)
        held = len(client.acknowledged)
        backup = self.servers[1]
        wait_until(lambda: "stale: " in backup.appctl("ovsdb-server/sync-status"), "silence to be shown", seconds=10)
        self.assertRegex(backup.appctl("ovsdb-server/sync-status"), r"silent for \d+\.\d s")
        self.assertEqual(len(client.acknowledged), held)
        self.link().release()
        wait_until(lambda: len(client.acknowledged) > held, "acknowledgements to go on")


if __name__ == "__main__":
    main()
