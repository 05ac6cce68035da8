#!/usr/bin/python3
"""Authority: what a client may do follows from its connection, and nothing that it says of itself takes
anything from another one."""

import json
import os
import threading
import time
import unittest
import uuid

from harness import environment
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.server import wait_until

SCHEMA = {
    "name": "D", "version": "1.0.0",
    "tables": {
        "Global": {"isRoot": True, "maxRows": 1, "columns": {
            "remotes": {"type": {"key": {"type": "uuid", "refTable": "Remote"}, "min": 0, "max": "unlimited"}}}},
        "Remote": {"columns": {
            "target": {"type": "string"}, "role": {"type": "string"}, "read_only": {"type": "boolean"}}},
        "T": {"isRoot": True, "columns": {"n": {"type": "integer"}, "s": {"type": "string"}}},
    },
}
NOWHERE = {"epoch": 0, "index": 0, "digest": str(uuid.UUID(int=7))}
ROW = {"op": "insert", "table": "T", "row": {"n": 1}}


@unittest.skipIf(environment.is_stock(environment.SERVER), "the stock server has no peers")
class Authority(SystemTest):
    def start(self, *options):
        return self.server("active", [self.database("active.db", SCHEMA)], "--remote=db:D,Global,remotes", *options)

    def remote(self, server, name, **row):
        """A remote that a row configures; its address."""
        path = f"{self.scratch.path}/{name}.sock"
        with server.connect() as admin:
            admin.transact("D", {"op": "delete", "table": "Global", "where": []},
                           {"op": "insert", "table": "Global", "row": {"remotes": ["named-uuid", "r"]}},
                           {"op": "insert", "table": "Remote", "uuid-name": "r",
                            "row": {"target": f"punix:{path}"} | row})
        wait_until(lambda: os.path.exists(path), "the remote")
        return f"unix:{path}"

    def client(self, server, address=None):
        from harness.jsonrpc import Connection
        connection = Connection(address or server.socket)
        self.addCleanup(connection.close)
        return connection

    def backup(self, active, *options, source=None, wait="replicating"):
        server = self.server("backup", [self.database("backup.db", SCHEMA)],
                             f"--sync-from={source or active.socket}", *options)
        wait_until(lambda: wait in server.control("ovsdb-server/sync-status"), wait)
        return server

    def status(self, server):
        return json.loads(server.control("tandem/status", "--format", "json"))

    def database_status(self, server):
        [status] = [d for d in self.status(server)["databases"] if d["name"] == "D"]
        return status

    def mode(self, backup):
        follower = self.database_status(backup)["follower"]
        return follower["mode"] if follower["state"] == "replicating" else follower["state"]

    def position(self, server):
        return self.database_status(server)["position"]

    @staticmethod
    def introduction(position, **more):
        return {"position": position, "server_id": str(uuid.uuid4()), "name": "stranger", "file": "/f"} | more

    def follow(self, client, position, **more):
        return client.call("tandem_follow", "D", self.introduction(position, **more))

    def acknowledge(self, client, position):
        client.send({"method": "tandem_ack", "params": ["D", position], "id": None})

    def in_sync(self, server):
        return self.database_status(server)["gate"]["in_sync"]

    def answer_echos(self, client):
        """Reads on, and so answers what the server asks."""
        def read():
            try:
                while True:
                    client.receive(60)
            except (Closed, OSError, TimeoutError, ValueError):
                pass
        thread = threading.Thread(target=read, daemon=True)
        thread.start()

    def test_a_restricted_or_read_only_connection_is_no_backup_and_deposes_nobody(self):
        server = self.start()
        server.control("tandem/lease", "60")
        for row in ({"role": "ovn-controller"}, {"read_only": True}):
            client = self.client(server, self.remote(server, "r" + next(iter(row)), **row))
            position = self.position(server)
            self.assertEqual(self.follow(client, position)["error"]["error"], "permission error")
            self.assertEqual(client.call("tandem_ack", "D", position)["error"]["error"], "permission error")
            self.acknowledge(client, position)
            client.send({"method": "tandem_depose", "params": [], "id": None})
            self.assertEqual(client.result("echo", 1), [1])
        self.assertTrue(self.status(server)["writable"])
        self.assertEqual(self.database_status(server)["followers"], [])

    def test_a_client_that_follows_and_acknowledges_nothing_deposes_nobody(self):
        server = self.start()
        server.control("tandem/lease", "60")
        client = self.client(server)
        self.follow(client, self.position(server))
        client.send({"method": "tandem_depose", "params": [], "id": None})
        client.result("list_dbs")
        self.assertTrue(self.status(server)["writable"])

    def test_an_acknowledgement_of_any_position_opens_no_gate(self):
        server = self.start("--sync-replicas=1", "--sync-fallback=block")
        with server.connect() as writer:
            request = writer.request("transact", ["D", ROW])
            wait_until(lambda: self.position(server)["index"] == 1, "the record")
            newest = self.position(server)
            for forged in ({"index": 10 ** 6}, {"epoch": 9}, {"digest": str(uuid.uuid4())}):
                client = self.client(server)
                self.follow(client, NOWHERE, buckets={}, recent=[])
                self.acknowledge(client, newest | forged)
                with self.assertRaises(Closed):
                    while True:
                        client.receive(20)
            with self.assertRaises(TimeoutError):
                writer.reply(request, 0.2)
            client = self.client(server)
            self.acknowledge(client, newest)  # follows nothing
            client.result("list_dbs")
            with self.assertRaises(TimeoutError):
                writer.reply(request, 0.2)
            backup = self.backup(server)
            self.assertIsNone(writer.reply(request)["error"])
            backup.control("tandem/wait-synced")

    def test_a_stranger_with_the_first_name_costs_no_commit_the_timeout(self):
        server = self.start("--sync-replicas=1", "--sync-timeout=4000")
        self.backup(server)
        wait_until(lambda: self.in_sync(server) == 1, "the backup")
        begin = time.monotonic()
        with server.connect() as writer:
            for _ in range(10):
                client = self.client(server)
                position = self.position(server)
                self.assertEqual(self.follow(client, position, name="")["result"]["mode"], "resume")
                self.acknowledge(client, position)
                client.result("list_dbs")
                writer.transact("D", ROW)
                writer.transact("D", ROW)
        self.assertLess(time.monotonic() - begin, environment.timeout_s(20))

    def test_a_stranger_with_the_servers_id_of_the_backup_takes_nothing_from_it(self):
        server = self.start("--sync-replicas=1", "--sync-fallback=block", "--sync-timeout=500")
        backup = self.backup(server)
        wait_until(lambda: self.in_sync(server) == 1, "the backup")
        stranger = self.client(server)
        self.follow(stranger, self.position(server), server_id=self.status(backup)["server_id"], name="")
        with server.connect() as writer:
            for _ in range(5):
                writer.transact("D", ROW)
        self.assertEqual(len(self.database_status(server)["followers"]), 2)
        self.assertEqual(self.position(backup), self.position(server))

    def test_cloned_machines_are_two_backups(self):
        server = self.start("--sync-replicas=2")
        clones = [self.client(server), self.client(server)]
        for clone in clones:
            position = self.position(server)
            self.follow(clone, position, name="clone", file="/etc/ovn/d.db")
            self.acknowledge(clone, position)
            self.answer_echos(clone)
        wait_until(lambda: self.in_sync(server) == 2, "two in sync")
        self.assertEqual(len(self.database_status(server)["followers"]), 2)

    def test_thousands_of_comparisons_do_not_keep_a_compaction_waiting(self):
        server = self.start()
        with server.connect() as writer:
            for _ in range(20):
                writer.transact("D", *[ROW | {"row": {"n": n, "s": "x" * 200}} for n in range(1000)])
        client = self.client(server)
        request = json.dumps({"method": "tandem_follow", "id": 1, "params": [
            "D", self.introduction(NOWHERE, buckets={}, recent=[])]}).encode()
        client.send_bytes(request * 3000)
        begin = time.monotonic()
        server.control("ovsdb-server/compact", "D")
        client.close()
        server.control("ovsdb-server/compact", "D")
        self.assertLess(time.monotonic() - begin, environment.timeout_s(25))

    def test_a_backup_that_gets_no_stream_follows_by_monitor_says_so_and_asks_again(self):
        server = self.start()
        address = self.remote(server, "r", read_only=True)
        backup = self.backup(server, source=address)
        self.assertEqual(self.mode(backup), "monitor")
        self.assertIn("stream refused: ", backup.control("ovsdb-server/sync-status"))
        self.assertIn("the connection is read-only", backup.control("tandem/status"))
        with server.connect() as writer:
            writer.transact("D", ROW)
            wait_until(lambda: server.dump("D") == backup.dump("D"), "equal contents")
            writer.transact("D", {"op": "update", "table": "Remote", "where": [], "row": {"read_only": False}})
        server.control("ovsdb-server/reconnect")
        wait_until(lambda: self.mode(backup) == "stream", "the stream")
        self.assertNotIn("stream refused", backup.control("ovsdb-server/sync-status"))

    def test_the_list_of_peers_applies_at_once(self):
        server = self.start("--sync-peers=node1,node2")
        self.assertEqual(server.control("tandem/sync-peers"), "node1,node2\n")
        self.assertEqual(self.status(server)["sync"]["peers"], "node1,node2")
        backup = self.backup(server)
        self.assertEqual(self.mode(backup), "monitor")  # it has no certificate
        server.control("tandem/sync-peers", "any")
        self.assertIn("sync-peers: any\n", server.control("tandem/status"))
        server.control("ovsdb-server/reconnect")
        wait_until(lambda: self.mode(backup) == "stream", "the stream")
        server.control("tandem/sync-peers", "node1")
        wait_until(lambda: self.mode(backup) == "monitor", "the end of the stream")
        self.assertEqual(self.database_status(server)["followers"], [])
        with self.assertRaises(AssertionError):
            server.control("tandem/sync-peers", "a,,b")


if __name__ == "__main__":
    main()
