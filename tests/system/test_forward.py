#!/usr/bin/python3
"""Backups with --forward-writes: what clients write there is executed by the active server, and answered when it is here."""

import json
import signal
import threading
import time

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.pki import Pki
from harness.ports import free_port
from harness.relays import WRONG, insert, select, wait_for, without_uuids
from harness.server import Server, wait_until
from test_surface_rbac import SCHEMA as RULED, TlsConnection

DB = load.DB
NOT_ALLOWED = {"error": "not allowed",
               "details": "insert operation not allowed when database server is in read only mode"}


class Forwarding(SystemTest):
    def start(self, name, *options, schema=load.SCHEMA, binary=None):
        file = f"{name}.db"
        if not (self.scratch.path / file).exists():
            self.database(file, schema)
        return self.server(name, [file], *options, binary=binary)

    def pair(self, *options, active=(), schema=load.SCHEMA):
        active = self.start("active", *active, schema=schema)
        backup = self.start("backup", f"--sync-from={active.socket}", "--forward-writes", *options, schema=schema)
        self.wait_until_it_follows(backup)
        return active, backup

    def wait_until_it_follows(self, backup):
        wait_until(lambda: "replicating" in backup.appctl("ovsdb-server/sync-status"), f"{backup.name} to replicate")

    def write(self, server, name):
        """Inserts a row; the result of that operation."""
        with server.connect() as client:
            return client.result("transact", DB, insert(name))[0]

    def wait_until_it_writes(self, server):
        wait_until(lambda: "uuid" in self.write(server, "again"), f"a write at {server.name}", poll_s=0.02)

    def read_what_is_written(self, here, there, count):
        for number in range(count):
            here.transact(DB, insert(f"s{number}", number=number))
            rows = here.transact(DB, select(f"s{number}", ["number"]))[0]["rows"]
            self.assertEqual([row["number"] for row in rows], [number])
            self.assertEqual(rows, there.transact(DB, select(f"s{number}", ["number"]))[0]["rows"])

    def test_reads_writes_and_errors(self):
        for gate in ((), ("--sync-replicas=1", "--sync-timeout=10000")):
            active, backup = self.pair(active=gate)
            with backup.connect() as here, active.connect() as there:
                self.read_what_is_written(here, there, 200)
                for operations in WRONG:
                    replies = [without_uuids(client.call("transact", DB, *operations)) for client in (here, there)]
                    self.assertEqual(*replies)
                here.transact(DB, insert("durable"), {"op": "commit", "durable": True})
                self.assertEqual(len(here.transact(DB, select("durable"))[0]["rows"]), 1)
                self.assertIsNotNone(here.call("lock", "l")["error"])
            self.assertEqual(active.dump(DB), backup.dump(DB))
            for server in (active, backup):
                server.stop()
                (self.scratch.path / f"{server.name}.db").unlink()

    def test_a_monitor_hears_of_a_write_before_its_answer(self):
        _, backup = self.pair()
        with backup.connect() as client:
            client.result("monitor", DB, "m", {"Switch": [{"columns": ["name"]}]})
            for number in range(50):
                request = client.request("transact", [DB, insert(f"s{number}")])
                update = client.receive()
                self.assertEqual(update["method"], "update")
                self.assertEqual(client.receive()["id"], request)

    def test_many_clients_at_once_read_what_they_wrote(self):
        """The backup is slow meanwhile: it sends contents to one that joins, and compacts."""
        active, backup = self.pair()
        failed = []

        def use(number):
            try:
                with backup.connect() as client:
                    for turn in range(100):
                        name = f"{number}-{turn}"
                        client.transact(DB, insert(name))
                        if client.transact(DB, select(name))[0]["rows"] != [{"name": name}]:
                            failed.append(name)
            except Exception as problem:  # pylint: disable=broad-except
                failed.append(problem)

        users = [threading.Thread(target=use, args=[number]) for number in range(8)]
        for user in users:
            user.start()
        for _ in range(3):
            backup.appctl("ovsdb-server/compact")
            active.appctl("ovsdb-server/compact")
        for user in users:
            user.join()
        self.assertEqual(failed, [])

    def test_more_than_one_connection_may_have_under_way(self):
        """They wait for acknowledgements that come behind them on the backup's connection; and more waits than a client may."""
        _, backup = self.pair(active=("--sync-replicas=1", "--sync-fallback=block", "--max-requests=4", "--max-waits=4"))
        clients = [backup.connect() for _ in range(4)]
        requests = []
        for number, client in enumerate(clients):
            client.request("transact", [DB, wait_for("never"), insert("never")])
            requests.append([client.request("transact", [DB, insert(f"{number}-{turn}"), select(f"{number}-{turn}")])
                             for turn in range(50)])
        for client, asked in zip(clients, requests):
            for request in asked:
                self.assertEqual(len(client.reply(request)["result"][1]["rows"]), 1)
            client.close()

    def test_without_the_option_and_without_a_stream(self):
        active = self.start("active")
        plain = self.start("plain", f"--sync-from={active.socket}")
        self.wait_until_it_follows(plain)
        self.assertEqual(self.write(plain, "a"), NOT_ALLOWED)
        stock = self.start("stock", binary=environment.STOCK_SERVER)
        other = self.start("other", f"--sync-from={stock.socket}", "--forward-writes")
        self.wait_until_it_follows(other)
        self.assertEqual(self.write(other, "a"), NOT_ALLOWED)
        # Nor through a backup of a backup, which may be a circle.
        second = self.start("second", f"--sync-from={plain.socket}", "--forward-writes")
        self.wait_until_it_follows(second)
        self.assertEqual(self.write(second, "a"), NOT_ALLOWED)

    def test_it_says_so(self):
        _, backup = self.pair()
        self.assertIn("; forwards writes", backup.log())
        self.assertIn("\nforward-writes: yes\n", backup.appctl("tandem/status"))
        self.assertIs(json.loads(backup.appctl("tandem/status", "--format", "json"))["forward_writes"], True)

    def test_lost_in_mid_flight(self):
        active, backup = self.pair()
        with backup.connect() as waiting, backup.connect() as other:
            waiting.request("transact", [DB, wait_for("never"), insert("a")])
            other.transact(DB, insert("b"))
            active.kill()
            with self.assertRaises(Closed):
                waiting.receive(timeout=10)
            # Who has nothing under way stays and reads; a write is refused as by every backup, until there is an active.
            self.assertEqual(other.transact(DB, select("b"))[0]["rows"], [{"name": "b"}])
            wait_until(lambda: other.result("transact", DB, insert("c"))[0] == NOT_ALLOWED, "a refusal")
            active.start()
            self.wait_until_it_writes(backup)
            self.assertIn("uuid", other.transact(DB, insert("d"))[0])

    def test_an_answer_whose_record_has_not_come_is_not_given(self):
        """The active stops behind its gate, and dies: nobody knows what becomes of the transaction."""
        active, backup = self.pair(active=("--sync-replicas=2", "--sync-timeout=100", "--sync-fallback=block"))
        with backup.connect() as client:
            client.request("transact", [DB, insert("a")])
            wait_until(lambda: self.rows(backup, "a"), "the record")
            active.kill()
            with self.assertRaises(Closed):
                client.receive(timeout=10)

    def rows(self, server, name):
        with server.connect() as client:
            return client.transact(DB, select(name))[0]["rows"]

    def test_through_a_failover(self):
        """The promoted one executes itself, the one that steps down forwards; who had an answer finds the row."""
        a = self.start("a", "--forward-writes", "--sync-replicas=1")
        b = self.start("b", f"--sync-from={a.socket}", "--forward-writes", "--sync-replicas=1")
        self.wait_until_it_follows(b)
        written, stop = [], threading.Event()

        def use(server, mark):
            number = 0
            while not stop.is_set():
                try:
                    with server.connect() as client:
                        while not stop.is_set():
                            time.sleep(0.001)
                            name = f"{mark}{number}"
                            number += 1
                            if "uuid" not in (client.call("transact", DB, insert(name))["result"] or [""])[0]:
                                continue  # refused: also by a gate, for whose backups the demotion came first
                            written.append(name)
                            if client.transact(DB, select(name))[0]["rows"] != [{"name": name}]:
                                written.append(f"{name} was not read")
                except (Closed, OSError):
                    pass

        users = [threading.Thread(target=use, args=[server, mark]) for server, mark in ((a, "a"), (b, "b"))]
        for user in users:
            user.start()
        for active, backup in ((a, b), (b, a), (a, b)):
            time.sleep(0.3)
            active.appctl("tandem/demote", backup.socket)
            backup.appctl("tandem/promote")
            self.wait_until_it_follows(active)
            self.wait_until_it_writes(active)
            self.wait_until_it_writes(backup)
        stop.set()
        for user in users:
            user.join()
        self.assertGreater(len(written), 50)
        with b.connect() as client:
            names = {row["name"] for row in client.transact(DB, select())[0]["rows"]}
        self.assertEqual([name for name in written if name not in names], [])
        wait_until(lambda: a.dump(DB) == b.dump(DB), "equal copies")

    def test_an_active_that_hangs(self):
        """Nothing more is sent to it, and what was is answered when it goes on."""
        active, backup = self.pair()
        with backup.connect() as client, backup.connect() as other:
            active.suspend()
            sent = client.request("transact", [DB, insert("sent")])
            wait_until(lambda: other.result("transact", DB, insert("late"), timeout=20)[0] == NOT_ALLOWED
                       if self.is_stale(backup) else False, "the active's silence to be seen")
            active.process.send_signal(signal.SIGCONT)
            self.assertIn("uuid", client.reply(sent)["result"][0])
            self.assertEqual(client.transact(DB, select("sent"))[0]["rows"], [{"name": "sent"}])

    def is_stale(self, backup):
        database, = json.loads(backup.appctl("tandem/status", "--format", "json"))["databases"]
        return database["follower"]["stale"]

    def test_waits_and_cancel(self):
        active, backup = self.pair()
        with backup.connect() as client, active.connect() as there:
            blocked = client.request("transact", [DB, wait_for("later"), insert("after")])
            gone = client.request("transact", [DB, wait_for("never"), insert("gone")])
            client.transact(DB, insert("meanwhile"))
            client.send({"id": None, "method": "cancel", "params": [gone]})
            self.assertEqual(client.reply(gone)["error"], "canceled")
            there.transact(DB, insert("later"))
            self.assertIn("uuid", client.reply(blocked)["result"][1])
            self.assertEqual(client.transact(DB, select("after"))[0]["rows"], [{"name": "after"}])

    def test_large_requests_and_large_answers_at_once(self):
        """Both ends have more to say than they may have unsent: one has to read on. So it is with a relay."""
        active, backup = self.pair()
        relay = self.server("relay", [f"relay:{DB}:{active.socket}"])
        failed = []

        def use(server, number):
            with server.connect(timeout=60) as client:
                for turn in range(2):
                    reply = client.call("transact", DB, insert(f"{server.name}{number}-{turn}", external_ids=[
                        "map", [["k", "z" * 1_500_000]]]), select(columns=("external_ids",)), timeout=60)
                    if reply["error"]:
                        failed.append(reply["error"])

        for server in (backup, relay):
            wait_until(lambda s=server: "uuid" in self.write(s, f"{s.name} is ready"), "a first write", poll_s=0.02)
            users = [threading.Thread(target=use, args=[server, number]) for number in range(4)]
            for user in users:
                user.start()
            for user in users:
                user.join()
            self.assertEqual(failed, [])
            self.assertEqual(server.log().count("no response to inactivity probe"), 0)
            self.assertEqual(len(self.rows(active, f"{server.name}3-1")), 1)

    def test_a_database_that_is_removed_and_comes_again(self):
        """An answer to the former one is nobody's; what waits is given up at the active, and other clients go on."""
        active, backup = self.pair(active=("--sync-replicas=2", "--sync-fallback=block"))
        with backup.connect() as first, active.connect() as there:
            waiting = first.request("transact", [DB, wait_for("later"), insert("ghost")])
            first.request("transact", [DB, insert("old")])
            wait_until(lambda: self.rows(backup, "old"), "the record")
            backup.appctl("ovsdb-server/remove-db", DB)
            backup.appctl("ovsdb-server/add-db", "backup.db")
            self.wait_until_it_follows(backup)
            with backup.connect() as client:
                refused = client.request("transact", [DB, insert("old")])  # the index allows one
                done = client.request("transact", [DB, insert("new")])
                second = self.start("second", f"--sync-from={active.socket}")
                self.wait_until_it_follows(second)
                self.assertEqual(client.reply(refused)["result"][-1]["error"], "constraint violation")
                self.assertIn("uuid", client.reply(done)["result"][0])
                there.transact(DB, insert("later"))
                self.assertEqual(client.transact(DB, select("new"))[0]["rows"], [{"name": "new"}])
            self.assertEqual(there.transact(DB, select("ghost"))[0]["rows"], [])
            with self.assertRaises(Closed):
                first.reply(waiting)
        self.assertNotIn("reply to a request that was not made", backup.log())

    def test_a_stream_that_ends_while_the_connection_stays(self):
        active, backup = self.pair()
        with backup.connect() as client, active.connect() as there:
            client.request("transact", [DB, wait_for("later"), insert("after")])
            client.transact(DB, insert("behind"))  # it waits by now
            active.appctl("tandem/sync-peers", "somebody")
            there.transact(DB, insert("later"))
            with self.assertRaises(Closed):
                client.receive(timeout=20)
        wait_until(lambda: self.rows(backup, "after"), "the change by the other way")

    def test_what_the_active_would_end_the_connection_for(self):
        _, backup = self.pair("--max-message-size=100000")
        with backup.connect() as bystander:
            waiting = bystander.request("transact", [DB, wait_for("later"), insert("after")])
            for name in ("[" * 996 + "]" * 996, json.dumps("x" * 99890)):
                with backup.connect() as client:
                    client.send_bytes(b'{"id":1,"method":"transact","params":["%s",{"op":"insert","table":"Switch",'
                                      b'"row":{"name":%s}}]}' % (DB.encode(), name.encode()))
                    self.assertEqual(client.reply(1)["error"]["error"], "resources exhausted")
            with backup.connect() as client:
                client.transact(DB, insert("later"))
            self.assertIn("uuid", bystander.reply(waiting)["result"][1])

    def test_only_who_follows_is_without_limits(self):
        active = self.start("active", "--max-waits=2")
        with active.connect() as client:
            requests = [client.request("tandem_transact", [DB, {"height": True}, [DB, wait_for("never")]]) for _ in range(3)]
            self.assertEqual(client.reply(requests[-1])["error"]["error"], "resources exhausted")

    def test_read_only_clients_stay_so(self):
        active = self.start("active")
        self.database("backup.db", load.SCHEMA)
        (self.scratch.path / "backup.json").write_text(json.dumps({
            "remotes": {"punix:backup.sock": {"read-only": True}},
            "databases": {"backup.db": {"service-model": "active-backup", "backup": True,
                                        "source": {active.socket: None}}}}))
        backup = self.configured_server("backup", "backup.json", "--forward-writes")
        self.wait_until_it_follows(backup)
        self.assertEqual(self.write(backup, "a"), NOT_ALLOWED)

    def test_the_clients_role_counts(self):
        pki = Pki(self.scratch.path)
        pki.authority("one")
        for name in ("backup", "alice"):
            pki.certify("one", name)
        active = self.start("active", schema=RULED)
        self.database("backup.db", RULED)
        port = free_port()
        (self.scratch.path / "backup.json").write_text(json.dumps({
            "remotes": {f"pssl:{port}:127.0.0.1": {"role": "R"}, "punix:backup.sock": None},
            "databases": {"backup.db": {"service-model": "active-backup", "backup": True,
                                        "source": {active.socket: None}}}}))
        backup = Server(self.scratch, "backup", [], [
            "--config-file=backup.json", "--forward-writes", f"--private-key={pki.key('one', 'backup')}",
            f"--certificate={pki.certificate('one', 'backup')}", f"--ca-cert={pki.ca('one')}"], own_remote=False)
        self.addCleanup(backup.stop)
        backup.start()
        self.wait_until_it_follows(backup)
        with active.connect() as client:
            client.transact(
                "D", {"op": "insert", "table": "RBAC_Permission", "uuid-name": "owned", "row": {
                    "table": "Owned", "authorization": "owner", "insert_delete": True, "update": "n"}},
                {"op": "insert", "table": "RBAC_Role", "row": {
                    "name": "R", "permissions": ["map", [["Owned", ["named-uuid", "owned"]]]]}})
        alice = TlsConnection(port, pki, "alice")
        own = alice.call("transact", "D", {"op": "insert", "table": "Owned", "row": {"owner": "alice"}})
        self.assertIn("uuid", own["result"][0])
        rows = alice.call("transact", "D", {"op": "select", "table": "Owned", "where": [], "columns": ["owner"]})
        self.assertEqual(rows["result"], [{"rows": [{"owner": "alice"}]}])
        other = alice.call("transact", "D", {"op": "insert", "table": "Owned", "row": {"owner": "bob"}})
        self.assertEqual(other["result"][-1], {
            "error": "permission error",
            "details": 'RBAC rules for client "alice" role "R" prohibit row insertion into table "Owned".'})

    def test_an_active_that_does_not_trust_it(self):
        active, backup = self.pair()
        active.appctl("tandem/sync-peers", "somebody")
        self.assertEqual(self.write(backup, "a"), NOT_ALLOWED)

    def test_stock_programs(self):
        _, backup = self.pair(schema=environment.OVN_SCHEMAS / "ovn-nb.ovsschema")
        for number in range(20):
            self.scratch.run("ovn-nbctl", f"--db={backup.socket}", "--timeout=10", "--no-leader-only", "ls-add", f"ls{number}")
            listed = self.scratch.run("ovn-nbctl", f"--db={backup.socket}", "--no-leader-only", "ls-list")
            self.assertIn(f"(ls{number})", listed)


if __name__ == "__main__":
    main()
