#!/usr/bin/python3
"""Chains of relays, stock servers among them, killed in mid-load; and clients with a role, who gain nothing by relays."""

import json
import time

from harness import environment, load
from harness.case import main
from harness.jsonrpc import Closed
from harness.pki import Pki
from harness.ports import free_port
from harness.relays import DB, ZEROS, RelayTest, insert, select
from harness.server import Server, wait_until
from test_surface_rbac import SCHEMA as RULED, TlsConnection

STOCK = environment.STOCK_SERVER


class Restricted(RelayTest):
    """Clients with a role gain nothing by going through relays."""

    def setUp(self):
        super().setUp()
        self.pki = Pki(self.scratch.path)
        self.pki.authority("one")
        for name in ("relay", "alice"):
            self.pki.certify("one", name)

    def ruled(self, binary=None, *options):
        source = self.server("main", [self.database("main.db", RULED)], *options, binary=binary)
        with source.connect() as client:
            client.transact(
                "D", {"op": "insert", "table": "RBAC_Permission", "uuid-name": "owned", "row": {
                    "table": "Owned", "authorization": "owner", "insert_delete": True, "update": "n"}},
                {"op": "insert", "table": "RBAC_Role", "row": {
                    "name": "R", "permissions": ["map", [["Owned", ["named-uuid", "owned"]]]]}},
                {"op": "insert", "table": "Owned", "row": {"owner": "bob"}})
        return source

    def restricting(self, source):
        """A relay, and a client of it with the role R and the name alice."""
        port = free_port()
        (self.scratch.path / "relay.json").write_text(json.dumps({
            "remotes": {f"pssl:{port}:127.0.0.1": {"role": "R"}, "punix:relay.sock": None},
            "databases": {"D": {"service-model": "relay", "source": {source.socket: None}}}}))
        relay = Server(self.scratch, "relay", [], [
            "--config-file=relay.json", f"--private-key={self.pki.key('one', 'relay')}",
            f"--certificate={self.pki.certificate('one', 'relay')}", f"--ca-cert={self.pki.ca('one')}"], own_remote=False)
        self.addCleanup(relay.stop)
        relay.start()
        with relay.connect() as client:
            wait_until(lambda: not client.call("transact", "D")["error"], "the relay's contents")
        return relay, TlsConnection(port, self.pki, "alice")

    def check_rules(self, client):
        def outcome(*operations):
            return client.call("transact", "D", *operations)["result"][-1]

        self.assertIn("uuid", outcome({"op": "insert", "table": "Owned", "row": {"owner": "alice"}}))
        self.assertEqual(outcome({"op": "update", "table": "Owned", "where": [["owner", "==", "alice"]],
                                  "row": {"n": 5}}), {"count": 1})
        self.assertEqual(outcome({"op": "select", "table": "Owned", "where": [["owner", "==", "alice"]],
                                  "columns": ["n"]}), {"rows": [{"n": 5}]})
        for operation, what in [
                ({"op": "insert", "table": "Owned", "row": {"owner": "bob"}}, 'row insertion into table "Owned".'),
                ({"op": "insert", "table": "Open", "row": {}}, 'row insertion into table "Open".'),
                ({"op": "update", "table": "Owned", "where": [], "row": {"n": 1}}, 'modification of table "Owned".'),
                ({"op": "delete", "table": "Owned", "where": []}, 'row deletion from table "Owned".')]:
            self.assertEqual(outcome(operation), {
                "error": "permission error",
                "details": f'RBAC rules for client "alice" role "R" prohibit {what}'})

    def test_the_source_applies_the_clients_own_rules(self):
        _, client = self.restricting(self.ruled())
        self.check_rules(client)

    def test_through_two_relays(self):
        source = self.ruled()
        middle = self.server("middle", [f"relay:D:{source.socket}"])
        _, client = self.restricting(middle)
        self.check_rules(client)

    def test_a_source_that_cannot_is_not_asked(self):
        for binary, *options in [(STOCK,), (None, "--sync-peers=somebody")]:
            source = self.ruled(binary, *options)
            relay, client = self.restricting(source)
            reply = client.call("transact", "D", {"op": "insert", "table": "Owned", "row": {"owner": "alice"}})
            self.assertEqual(reply["error"]["error"], "permission error")
            self.assertIn('role "R" cannot be applied through this server', reply["error"]["details"])
            self.assertEqual(len(client.transact("D", {"op": "select", "table": "Owned", "where": []})[0]["rows"]), 1)
            relay.stop()
            source.stop()
            (self.scratch.path / "main.db").unlink()

    def test_only_peers_speak_for_others(self):
        source = self.ruled(None, "--sync-peers=somebody")
        with source.connect() as client:
            reply = client.call("tandem_transact", "D", {"client": "bob", "role": "R"}, ["D"])
            self.assertEqual(reply["error"]["error"], "permission error")
        source.stop()
        (self.scratch.path / "main.db").unlink()
        with self.ruled().connect() as client:
            for params in ([], ["D"], ["D", {}, ["D"]], ["D", {"role": ""}, ["D"]], ["D", {"role": "R"}, []],
                           ["D", {"role": "R"}, ["_Server"]], ["D", {"role": "R", "client": "x"}, 1], [{}, {}, []]):
                self.assertEqual(client.call("tandem_transact", *params)["error"]["error"], "syntax error", params)


class Chain(RelayTest):
    def chain(self, length=5, main=None, relays=None):
        servers = [self.main_server(main)]
        for number in range(length):
            binary = relays[number % len(relays)] if relays else None
            servers.append(self.relay(f"relay{number + 1}", servers[-1], binary=binary, ready=False))
        self.wait_ready(servers[-1])
        return servers

    def test_five(self):
        servers = self.chain()
        watch = {"Switch": [{}], "Port": [{}]}
        with servers[-1].connect() as client:
            client.result("monitor_cond_since", DB, "m", watch, ZEROS)
            for number in range(300):
                client.transact(DB, *load.random_transaction(self.random))
                name = f"chain{number}"
                client.transact(DB, insert(name))
                self.assertEqual(client.transact(DB, select(name))[0]["rows"], [{"name": name}])
            ids = [note["params"][1] for note in client.notifications]
        dump = servers[0].dump(DB)
        lists = [self.received(server) for server in servers[1:]]
        for server, received in zip(servers[1:], lists):
            self.assertEqual(server.dump(DB), dump)
            self.assertEqual(received, lists[0], server.name)
        self.assertEqual(ids, lists[-1])
        self.assertEqual(len(set(ids)), len(ids))
        for server in servers:
            server.stop()
        self.no_warnings(*servers)

    def test_a_pair_that_fails_over_behind_them(self):
        """Clients keep their connections, are told of what changes and of nothing else, and what they write meanwhile is done."""
        a = self.server("a", [self.database("a.db", load.SCHEMA)], "--advertise-role=connected")
        b = self.server("b", [self.database("b.db", load.SCHEMA)], "--advertise-role=connected", f"--sync-from={a.socket}")
        with a.connect() as client:
            client.transact(DB, insert("first"))
        relays = [self.relay("relay1", a, b)]
        relays.append(self.relay("relay2", relays[0]))
        clients = [relay.connect() for relay in relays for _ in range(5)]
        for client in clients:
            client.result("monitor_cond_since", DB, "m", {"Switch": [{"columns": ["name"]}]}, ZEROS)
            client.result("set_db_change_aware", True)
        names = []
        for active, backup in ((a, b), (b, a)):
            backup.appctl("tandem/wait-synced", "--timeout", "10")
            lost = relays[0].log().count("lost the source")
            active.kill()
            # What is sent before the relay has noticed may have happened: that is another test's.
            wait_until(lambda: relays[0].log().count("lost the source") > lost, "the loss to be noticed", poll_s=0.005)
            written = []
            for number, client in enumerate(clients):
                names.append(f"{active.name}{number}")
                written.append((client, client.request("transact", [DB, insert(names[-1])])))
            time.sleep(0.3)
            backup.appctl("tandem/promote")
            promoted_s = time.monotonic()
            for client, request in written:
                self.assertIn("uuid", client.reply(request)["result"][0])
            self.assertLess(time.monotonic() - promoted_s, environment.timeout_s(5))
            active.options = ["--advertise-role=connected", f"--sync-from={backup.socket}"]
            active.start()
        for client in clients:
            client.transact(DB, select())
            told = [row["insert"]["name"] for note in client.notifications
                    for row in note["params"][2]["Switch"].values()]
            self.assertEqual(sorted(told), sorted(names))
            client.close()

    def test_with_stock_servers_between(self):
        servers = self.chain(4, STOCK, [None, STOCK])
        with servers[-1].connect() as client:
            for number in range(100):
                client.transact(DB, insert(f"s{number}"))
        for server in servers[1:]:
            self.assertEqual(server.dump(DB), servers[0].dump(DB))
        for server in servers:
            server.stop()
        self.no_warnings(*servers)

    def test_they_say_whether_writes_are_executed(self):
        """Behind a backup they are not, and no longer when a server before the next one is lost."""
        def writable(relay):
            database, = json.loads(relay.appctl("tandem/status", "--format", "json"))["databases"]
            return database["writable"]

        main = self.main_server()
        backup = self.server("backup", [self.database("backup.db", load.SCHEMA)], f"--sync-from={main.socket}")
        wait_until(lambda: "replicating" in backup.appctl("ovsdb-server/sync-status"), "replication")
        with main.connect() as client:
            client.transact(DB, insert("a"))  # an empty copy is not promoted
        behind_backup = self.relay("behind-backup", backup)
        near = self.relay("near", main)
        far = self.relay("far", near)
        wait_until(lambda: [writable(relay) for relay in (behind_backup, near, far)] == [False, True, True], "what is so")
        main.kill()
        wait_until(lambda: [writable(relay) for relay in (near, far)] == [False, False], "the loss to be told", seconds=8)
        backup.appctl("tandem/promote")
        wait_until(lambda: writable(behind_backup), "the promotion to be told")

    def test_killed_in_mid_load(self):
        """Whatever dies, no answered transaction is lost or done twice."""
        servers = self.chain(3)
        for victim in servers[1:3] + servers[:1]:
            with servers[-1].connect() as client:
                answered = set()
                for number in range(40):
                    client.transact(DB, insert(f"{victim.name}-{number}"))
                    answered.add(f"{victim.name}-{number}")
                under_way = [client.request("transact", [DB, insert(f"{victim.name}-x{n}")]) for n in range(100)]
                victim.kill()
                names = dict(zip(under_way, (f"{victim.name}-x{n}" for n in range(100))))
                try:
                    victim.start()
                    while names:
                        reply = client.receive()
                        if reply["result"] and "uuid" in reply["result"][0]:
                            answered.add(names.pop(reply["id"]))
                except Closed:
                    pass
            self.wait_ready(servers[-1])
            with servers[-1].connect() as client:
                client.transact(DB, insert(f"{victim.name}-end"))
                names = [row["name"] for row in client.transact(DB, select())[0]["rows"]]
            self.assertEqual(answered - set(names), set())
            self.assertEqual(len(names), len(set(names)))
            for server in servers[1:]:
                wait_until(lambda s=server: s.dump(DB) == servers[0].dump(DB), f"{server.name} to be equal")


if __name__ == "__main__":
    main()
