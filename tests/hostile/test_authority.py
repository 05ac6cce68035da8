#!/usr/bin/python3
"""What a restricted client, or one who says that it is a backup, may not do to others.

Also on the stock server where it has the feature: TANDEM_SERVER=/usr/sbin/ovsdb-server ./test_authority.py
"""

import json
import socket
import time
import unittest

import measure  # for the path of the harness
from data import DB, SCHEMA
from harness import environment
from harness.case import SystemTest, main
from harness.jsonrpc import Connection
from harness.server import wait_until

NOWHERE = {"epoch": 0, "index": 0, "digest": "00000000-0000-0000-0000-000000000000"}
ROLE = "ovn-controller"
PROHIBITED = f'role "{ROLE}" prohibit "convert" of database {DB} (only the root role may convert databases)'
IS_STOCK = environment.is_stock(environment.SERVER)


def server_id(number):
    return f"{number:08x}-0000-4000-8000-000000000000"


class Peer(Connection):
    """Says that it is a backup."""

    def follow(self, number=1, name="host", file="/sb.db", position=NOWHERE):
        reply = self.call("tandem_follow", DB, {"position": position, "server_id": server_id(number), "name": name, "file": file})
        if reply["error"] is None and reply["result"]["mode"] == "compare":
            return self.call("tandem_follow", DB, {"position": position, "server_id": server_id(number), "name": name,
                                                   "file": file, "buckets": {}, "recent": []})
        return reply

    def acknowledge(self, position):
        return self.call("tandem_ack", DB, position)

    def depose(self):
        self.send({"id": None, "method": "tandem_depose", "params": []})


class Authority(SystemTest):
    """A server with remotes of every kind: open, read-only, with a role."""

    def start(self, *options):
        self.database("sb.db", SCHEMA)
        self.under_test = self.server("db", ["sb.db"], f"--remote=db:{DB},SB_Global,connections", *options)
        self.admin = self.connect(self.under_test.socket)
        self.sockets = {kind: f"unix:{self.scratch.path}/{kind}.sock" for kind in ("role", "read_only", "both")}
        rows = {"role": {"role": ROLE}, "read_only": {"read_only": True}, "both": {"role": ROLE, "read_only": True}}
        # Behind a closed gate nobody answers, but the remotes open.
        self.connect(self.under_test.socket).request("transact", [DB, {"op": "insert", "table": "SB_Global", "row": {
            "connections": ["set", [["named-uuid", kind] for kind in rows]]}}, *[
                {"op": "insert", "table": "Connection", "uuid-name": kind,
                 "row": {"target": f"p{self.sockets[kind]}"} | row} for kind, row in rows.items()]])
        wait_until(lambda: all((self.scratch.path / f"{kind}.sock").exists() for kind in rows), "the remotes")

    def connect(self, address, kind=Connection):
        connection = kind(address)
        self.addCleanup(connection.close)
        return connection

    def restricted(self, kind=Connection):
        return {name: self.connect(address, kind) for name, address in self.sockets.items()}

    def small_schema(self):
        schema = json.loads(SCHEMA.read_text())
        return schema | {"tables": {name: schema["tables"][name] for name in ("DNS", "Datapath_Binding", "Meter_Band")}}

    def write(self, connection=None, timeout=10):
        """A commit, and how long it took."""
        begin = time.monotonic()
        (connection or self.admin).transact(DB, {"op": "mutate", "table": "SB_Global", "where": [],
                                                 "mutations": [["nb_cfg", "+=", 1]]}, timeout=timeout)
        return time.monotonic() - begin

    def newest(self):
        epoch, index, digest = self.under_test.control("tandem/position", DB).split()
        return {"epoch": int(epoch), "index": int(index), "digest": digest}

    # --- roles ---

    def test_convert_is_for_the_root_role(self):
        self.start()
        self.admin.result("set_db_change_aware", True)
        restricted = self.restricted()
        for name, client in restricted.items():
            if name == "read_only" and IS_STOCK:
                continue  # which may
            with self.subTest(name):
                error = client.call("convert", DB, self.small_schema())["error"]
                self.assertIsNotNone(error)
                if name == "role":
                    self.assertEqual(error["error"], "permission error")
                    self.assertTrue(error["details"].endswith(PROHIBITED), error)
        self.assertIn("Logical_Flow", self.admin.result("get_schema", DB)["tables"])
        self.write()

    def test_convert_whatever_the_schema(self):
        """Its own schema, no schema, another database: a role learns nothing of it."""
        self.start()
        client = self.connect(self.sockets["role"])
        for database, schema in ((DB, json.loads(SCHEMA.read_text())), (DB, {"name": DB, "tables": {}}), (DB, 7), ("_Server", {})):
            with self.subTest(database=database):
                self.assertEqual(client.call("convert", database, schema)["error"]["error"], "permission error")
        self.write()

    # --- peers ---

    @unittest.skipIf(IS_STOCK, "no such methods")
    def test_restricted_connections_are_no_peers(self):
        self.start("--sync-replicas=1", "--sync-fallback=async")
        for name, peer in self.restricted(Peer).items():
            with self.subTest(name):
                self.assertIsNotNone(peer.follow()["error"])
                self.assertIsNotNone(peer.acknowledge(self.newest())["error"])

    @unittest.skipIf(IS_STOCK, "no such methods")
    def test_nobody_is_deposed_by_who_is_no_peer(self):
        self.start()
        self.under_test.control("tandem/lease", "600")
        peers = self.restricted(Peer)
        peers["a stranger"] = self.connect(self.under_test.socket, Peer)
        peers["a follower that never acknowledged"] = self.connect(self.under_test.socket, Peer)
        peers["a follower that never acknowledged"].follow()
        for name, peer in peers.items():
            with self.subTest(name):
                if "stranger" not in name and "never" not in name:
                    peer.follow()
                peer.depose()
                peer.call("echo")
                self.write()
        time.sleep(0.2)
        self.write()

    @unittest.skipIf(IS_STOCK, "no such methods")
    def test_the_gate_opens_for_followers_alone(self):
        """Who never followed, or acknowledges what was never sent, opens nothing."""
        self.start("--sync-replicas=1", "--sync-fallback=block", "--sync-timeout=600000")
        stranger = self.connect(self.under_test.socket, Peer)
        writer = self.connect(self.under_test.socket)
        waiting = writer.request("transact", [DB, {"op": "insert", "table": "Address_Set", "row": {"name": "a"}}])
        for position in (self.newest(), {"epoch": 0, "index": 10, "digest": server_id(3)},
                         {"epoch": 2**62, "index": 2**62, "digest": server_id(3)}, {"epoch": -1, "index": -1, "digest": server_id(3)}):
            try:
                stranger.send({"id": 5, "method": "tandem_ack", "params": [DB, position]})
                stranger.receive(2)
            except Exception:  # its end is an answer, too
                stranger = self.connect(self.under_test.socket, Peer)
        with self.assertRaises(TimeoutError):
            writer.reply(waiting, timeout=1)

    def pair(self):
        """The server with a real backup that the gate waits for."""
        self.start("--sync-replicas=1", "--sync-fallback=block", "--sync-timeout=600000")
        self.database("backup.db", SCHEMA)
        self.backup = self.server("backup", ["backup.db"], f"--sync-from={self.under_test.socket}")
        wait_until(lambda: "replicating" in self.backup.control("ovsdb-server/sync-status"), "replication")
        self.write()

    @unittest.skipIf(IS_STOCK, "no such methods")
    def test_names_and_ids_take_nothing_from_a_real_backup(self):
        """Host name, file, server id as the real one's, and nothing after that: commits are not slower."""
        self.pair()
        real_id = self.backup.connect().result("get_server_id")
        name = socket.gethostname()
        for host in ("", "!", "0", "~", name):
            for file in ("", f"{self.scratch.path}/backup.db", "/x"):
                for number in (real_id, server_id(7)):
                    peer = self.connect(self.under_test.socket, Peer)
                    peer.call("tandem_follow", DB, {"position": self.newest(), "server_id": number, "name": host, "file": file})
                    self.assertLess(self.write(timeout=5), 5, (host, file, number))
                    peer.acknowledge(self.newest())
                    self.assertLess(self.write(timeout=5), 5, (host, file, number))
        self.assertTrue(self.backup.alive())

    @unittest.skipIf(IS_STOCK, "no such methods")
    def test_cloned_machines_are_two_backups(self):
        """Equal host names and equal paths: both are counted."""
        self.start("--sync-replicas=2", "--sync-fallback=block", "--sync-timeout=600000")
        position = self.newest()
        peers = [self.connect(self.under_test.socket, Peer) for _ in range(2)]
        for number, peer in enumerate(peers):
            reply = peer.follow(number, position=position)
            self.assertIsNone(reply["error"])
            peer.acknowledge(position)
        writer = self.connect(self.under_test.socket)
        waiting = writer.request("transact", [DB, {"op": "insert", "table": "Address_Set", "row": {"name": "a"}}])
        for peer in peers:
            while (message := peer.receive(5)).get("method") != "tandem_record":
                pass
            peer.acknowledge(message["params"][1]["position"])
        self.assertIsNone(writer.reply(waiting, timeout=5)["error"])

    @unittest.skipIf(IS_STOCK, "no such methods")
    def test_one_backup_is_not_counted_twice(self):
        """The same connection follows again and again, and acknowledges for all of them."""
        self.start("--sync-replicas=2", "--sync-fallback=block", "--sync-timeout=600000")
        position = self.newest()
        peer = self.connect(self.under_test.socket, Peer)
        for number in range(3):
            peer.follow(number, f"host{number}", position=position)
        peer.acknowledge(position)
        writer = self.connect(self.under_test.socket)
        waiting = writer.request("transact", [DB, {"op": "insert", "table": "Address_Set", "row": {"name": "a"}}])
        while (message := peer.receive(5)).get("method") != "tandem_record":
            pass
        peer.acknowledge(message["params"][1]["position"])
        with self.assertRaises(TimeoutError):
            writer.reply(waiting, timeout=1)


if __name__ == "__main__":
    main()
