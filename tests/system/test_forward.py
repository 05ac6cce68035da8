#!/usr/bin/python3
"""Backups with --forward-writes: what clients write there is executed by the active server, and answered when it is here."""

import json
import resource
import signal
import threading
import time

from harness import environment
from harness.case import main
from harness.forwarding import DB, NOT_ALLOWED, ForwardingTest
from harness.jsonrpc import Closed
from harness.relays import WRONG, insert, select, wait_for, without_uuids
from harness.server import wait_until


class Forwarding(ForwardingTest):
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
            replies = [client.receive() for _ in asked]
            self.assertEqual([reply["id"] for reply in replies], asked)  # nor does one overtake another
            self.assertEqual({len(reply["result"][1]["rows"]) for reply in replies}, {1})
            client.close()

    def test_it_says_so(self):
        _, backup = self.pair()
        self.assertIn("; forwards writes", backup.log())
        self.assertIn("\nforward-writes: yes\n", backup.appctl("tandem/status"))
        self.assertIs(json.loads(backup.appctl("tandem/status", "--format", "json"))["forward_writes"], True)

    def test_a_commit_that_cannot_be_logged(self):
        """Its record does not come: the error goes to the client all the same."""
        active, backup = self.pair()
        size = (self.scratch.path / "active.db").stat().st_size
        resource.prlimit(active.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        with backup.connect() as client:
            self.assertEqual(client.result("transact", DB, insert("a"), timeout=5)[-1]["error"], "I/O error")
            self.assertEqual(client.transact(DB, select("a"))[0]["rows"], [])
            resource.prlimit(active.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            wait_until(lambda: "uuid" in client.result("transact", DB, insert("b"))[0], "a write")

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

    def test_stock_programs(self):
        _, backup = self.pair(schema=environment.OVN_SCHEMAS / "ovn-nb.ovsschema")
        for number in range(20):
            self.scratch.run("ovn-nbctl", f"--db={backup.socket}", "--timeout=10", "--no-leader-only", "ls-add", f"ls{number}")
            listed = self.scratch.run("ovn-nbctl", f"--db={backup.socket}", "--no-leader-only", "ls-list")
            self.assertIn(f"(ls{number})", listed)


if __name__ == "__main__":
    main()
