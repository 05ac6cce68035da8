#!/usr/bin/python3
"""A pair under clients that do what they like: both stay, and hold the same in the end.

Meant above all for sanitizers. Dozens of connections to both servers mix transactions, waits, monitors that come,
change and go under few ids, locks, conversions and a backup's own methods, asked well and badly; they read slowly or
not at all, and break off anywhere. Meanwhile the role moves, files are compacted, and the gate changes.
TANDEM_STORM_SECONDS says for how long, TANDEM_STORM_CLIENTS how many clients.
"""

import copy
import json
import os
import random
import re
import select
import shutil
import socket
import struct
import threading
import time
import unittest

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed, dial
from harness.server import wait_until

SECONDS = float(os.environ.get("TANDEM_STORM_SECONDS", "15"))
CLIENTS = int(os.environ.get("TANDEM_STORM_CLIENTS", "24"))
ZERO = "00000000-0000-0000-0000-000000000000"
BREAK = struct.pack("ii", 1, 0)  # SO_LINGER: close() resets the connection
# What the log may say of such clients, and of a role that moves under them.
EXPECTED = re.compile(
    r"error parsing stream|received unexpected (reply|error) message|is not going on|another server is being made active|"
    r"have been dropped|backups? (did|do) not|connection (dropped|failed|closed)|gate|"
    r"Dropped \d+ log messages|saved to|diverged|which was never sent|acknowledged that fewer than|backups in sync, so commits")


def _wider():
    """What clients convert to; never back, since a backup may keep columns that its active has not."""
    schema = copy.deepcopy(load.SCHEMA)
    schema["tables"]["Port"]["columns"]["extra"] = {"type": "integer"}
    schema["version"] = "1.1.0"
    return schema


class Client(threading.Thread):
    """Connects to one of the SERVERS, does some things, breaks off; again and again until `finish`."""

    def __init__(self, servers, seed):
        super().__init__(daemon=True)
        self._servers = servers
        self._rng = random.Random(seed)
        self._finish = threading.Event()
        self._id = 0
        self.replies = 0
        self.failure = None
        self.start()

    def finish(self):
        self._finish.set()

    def run(self):
        while not self._finish.is_set():
            try:
                self._connection()
            except (OSError, Closed):
                self._finish.wait(0.02)
            except Exception as error:  # pylint: disable=broad-except
                self.failure = repr(error)
                raise

    def _connection(self):
        sock = dial(self._rng.choice(self._servers).socket, deadline_s=0)
        try:
            sock.setblocking(False)
            reads = self._rng.random() < 0.8
            self._text = b""
            for _ in range(self._rng.choice([3, 30, 300])):
                if self._finish.is_set():
                    break
                self._send(sock, self._request(), reads)
                if reads:
                    self._take(sock)
                if reads and self._rng.random() < 0.2:
                    select.select([sock], [], [], self._rng.choice([0, 0.01, 0.2]))
                    self._take(sock)
            if self._rng.random() < 0.3:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, BREAK)
        finally:
            sock.close()

    def _send(self, sock, message, reads):
        data = json.dumps(message).encode()
        if self._rng.random() < 0.01:
            data = data[:self._rng.randrange(len(data))]
        deadline = time.monotonic() + 1
        while data:
            try:
                data = data[sock.send(data):]
            except BlockingIOError:
                # The server reads no more of a client that takes nothing.
                if not reads or time.monotonic() > deadline or self._finish.is_set():
                    raise Closed("full") from None
                self._take(sock)
                select.select([], [sock], [], 0.05)

    def _take(self, sock):
        """Reads what is there, and looks whether it is messages."""
        try:
            data = sock.recv(1 << 18)
        except BlockingIOError:
            return
        if not data:
            raise Closed("end")
        self._text += data
        decoder = json.JSONDecoder()
        text = self._text.decode("utf-8", "surrogateescape")
        while text:
            try:
                message, end = decoder.raw_decode(text)
            except json.JSONDecodeError:
                break
            text = text[end:]
            self.replies += "method" not in message
            if message.get("method") == "echo":
                sock.send(json.dumps({"id": message["id"], "result": [], "error": None}).encode())
        self._text = text.encode("utf-8", "surrogateescape")
        if len(self._text) > 1 << 24:
            raise Closed("too much for us")

    # What is asked.

    def _request(self):
        rng = self._rng
        self._id += 1
        method, params = rng.choices(
            [self._transact, self._wait, self._monitor, self._change, self._cancel_monitor, self._lock, self._select,
             self._follow, self._acknowledge, self._aware, self._convert, self._odd],
            [20, 3, 10, 8, 6, 4, 3, 1, 2, 1, 0.2, 1])[0]()
        silent = rng.random() < 0.02
        if rng.random() < 0.02:
            return {"id": None, "method": "cancel", "params": [self._id - 1]}
        if rng.random() < 0.003:
            return {"id": None, "method": "tandem_depose", "params": []}
        return {"id": None if silent else self._id, "method": method, "params": params}

    def _transact(self):
        operations = load.random_transaction(self._rng)
        if self._rng.random() < 0.1:
            operations.append({"op": "commit", "durable": True})
        return "transact", [load.DB, *operations]

    def _wait(self):
        wait = {"op": "wait", "table": "Switch", "where": [["name", "==", f"sw{self._rng.randrange(60)}"]],
                "columns": ["number"], "until": self._rng.choice(["==", "!="]), "rows": []}
        if self._rng.random() < 0.8:
            wait["timeout"] = self._rng.choice([0, 5, 500])
        return "transact", [load.DB, wait, *load.random_transaction(self._rng)]

    def _select(self):
        return "transact", [load.DB, {"op": "select", "table": self._rng.choice(["Switch", "Port"]), "where": []}]

    def _some_id(self):
        return self._rng.choice("AB")

    def _where(self):
        rng = self._rng
        return [rng.choice([True, False, ["name", "==", f"sw{rng.randrange(60)}"], ["number", "<", rng.randrange(9)],
                            ["external_ids", "includes", ["map", [["k1", "1"]]]], ["ports", "==", ["set", []]]])
                for _ in range(rng.randint(1, 4))]

    def _monitor(self):
        rng = self._rng
        method = rng.choice(["monitor", "monitor_cond", "monitor_cond_since"])
        if rng.random() < 0.3:
            params = ["_Server", self._some_id(), {"Database": {}}]
        else:
            switch = {} if method == "monitor" else {"where": self._where()}
            params = [load.DB, self._some_id(), {"Switch": [switch], "Port": {}}]
        return method, params + ([rng.choice([ZERO, self._some_id()])] if method.endswith("since") else [])

    def _change(self):
        return "monitor_cond_change", [self._some_id(), self._some_id(), {"Switch": [{"where": self._where()}]}]

    def _cancel_monitor(self):
        return "monitor_cancel", [self._some_id()]

    def _lock(self):
        return self._rng.choice(["lock", "steal", "unlock"]), [self._rng.choice(["one", "two"])]

    def _position(self):
        rng = self._rng
        return {"epoch": rng.choice([0, 1, 1 << 62]), "index": rng.randrange(5000),
                "digest": f"{rng.getrandbits(32):08x}-0000-4000-8000-000000000000"}

    def _follow(self):
        request = {"position": self._position(), "server_id": self._position()["digest"],
                   "name": self._rng.choice(["", "elsewhere"]), "file": "/db"}
        if self._rng.random() < 0.5:
            request |= {"buckets": {}, "recent": []}
        return "tandem_follow", [load.DB, request]

    def _acknowledge(self):
        return "tandem_ack", [load.DB, self._position()]

    def _aware(self):
        return "set_db_change_aware", [self._rng.random() < 0.9]

    def _convert(self):
        return "convert", [load.DB, _wider()]

    def _odd(self):
        return self._rng.choice(["transact", "monitor", "monitor_cond_change", "convert", "tandem_follow", "get_schema"]), \
            self._rng.choice([[], [None], [load.DB], [load.DB, {}], [load.DB, {"op": 1}], ["A", {}, []]])


@unittest.skipIf(environment.is_stock(environment.SERVER), "roles and gates are ours")
class Storm(SystemTest):
    def weather(self, *options):
        names = ("one", "two")
        self.database("one.db", load.SCHEMA)
        shutil.copy(self.scratch.path / "one.db", self.scratch.path / "two.db")
        options = ("--threads=3", "--sync-schema", *options)
        self.servers = [self.server("one", ["one.db"], *options)]
        self.servers.append(self.server("two", ["two.db"], f"--sync-from={self.servers[0].socket}", *options))
        self.active = 0
        clients = [Client(self.servers, environment.SEED * 1000 + i) for i in range(CLIENTS)]
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            self.random.choice([self.hand_over, self.compact, self.compact, self.look, self.change_gate])()
            time.sleep(self.random.random())
            for name, server in zip(names, self.servers):
                self.assertTrue(server.alive(), f"{name} is dead: {server.stderr()[-20000:]}")
        for client in clients:
            client.finish()
        for client in clients:
            client.join()
            self.assertIsNone(client.failure)
        self.assertGreater(sum(client.replies for client in clients), 0)
        self.check_rest()

    def tell(self, server, *words):
        """A server under load may say that it is busy, on a machine that is: then it has done nothing."""
        deadline = time.monotonic() + environment.timeout_s(30)
        while True:
            try:
                return server.control(*words)
            except AssertionError as error:
                if "nothing was changed: try again" not in str(error) or time.monotonic() > deadline:
                    raise

    def hand_over(self):
        """As a manager does it that moves the role by hand, whether the other has everything or not."""
        old = self.active
        self.tell(self.servers[old], "tandem/demote", self.servers[1 - old].socket)
        self.tell(self.servers[1 - old], "tandem/promote", "--force")
        self.active = 1 - old

    def compact(self):
        self.tell(self.random.choice(self.servers), "ovsdb-server/compact")

    def look(self):
        for server in self.servers:
            for command in ("tandem/status", "memory/show", "ovsdb-server/list-dbs", "coverage/show"):
                self.tell(server, command)

    def change_gate(self):
        self.tell(self.servers[self.active], "tandem/sync-replicas", str(self.random.randrange(2)), "200",
                  self.random.choice(["async", "block"]))

    def check_rest(self):
        active, backup = self.servers[self.active], self.servers[1 - self.active]
        for server in self.servers:
            self.assertTrue(server.alive(), server.stderr()[-20000:])

        def equal():
            return (len({server.control("tandem/position", load.DB) for server in self.servers}) == 1
                    and active.dump(load.DB) == backup.dump(load.DB))

        wait_until(equal, "active and backup to be equal", 60, poll_s=0.3)
        with active.connect() as connection:
            connection.transact(load.DB, {"op": "insert", "table": "Switch", "row": {"name": "afterwards"}})
        wait_until(equal, "the backup to go on", 30, poll_s=0.3)
        for server in self.servers:
            troubles = [line for line in server.log().splitlines()
                        if re.search(r"\|(WARN|ERR|EMER)\|", line) and not EXPECTED.search(line)]
            self.assertFalse(troubles, f"log of {server.name}:\n" + "\n".join(troubles))

    def test_a_pair_stands_a_storm(self):
        self.weather()

    def test_a_pair_with_a_gate_stands_a_storm(self):
        self.weather("--sync-replicas=1", "--sync-fallback=block", "--sync-timeout=300")


if __name__ == "__main__":
    main()
