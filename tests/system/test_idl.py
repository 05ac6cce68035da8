#!/usr/bin/python3
"""python3-openvswitch's IDL, unmodified, follows the server under test and resumes after a cut."""

import unittest

import ovs.db.idl
import ovs.vlog

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Connection
from harness.proxy import Proxy
from harness.server import wait_until


class Idl(SystemTest):
    def setUp(self):
        super().setUp()
        self.active = self.server("db", [self.database("db.db", load.SCHEMA)])
        self.proxy = Proxy(self.active.socket)
        self.addCleanup(self.proxy.close)
        helper = ovs.db.idl.SchemaHelper(schema_json=load.SCHEMA)
        helper.register_all()
        self.idl = ovs.db.idl.Idl(self.proxy.address, helper)
        self.addCleanup(self.idl.close)
        self.writer = self.active.connect()
        self.addCleanup(self.writer.close)

    def write(self, *operations):
        return self.writer.transact(load.DB, *operations)

    def switches(self):
        """The IDL's Switch table as {name: (number, external_ids, names of ports)}."""
        return {row.name: (row.number, row.external_ids, sorted(port.name for port in row.ports))
                for row in self.idl.tables["Switch"].rows.values()}

    def follows_to(self, expected):
        """Runs the IDL until it has EXPECTED."""
        def reached():
            self.idl.run()
            return self.idl.has_ever_connected() and self.switches() == expected
        wait_until(reached, f"the IDL to have {expected}; it has {self.switches()}")

    def insert(self, name, number=0):
        self.write({"op": "insert", "table": "Switch", "row": {"name": name, "number": number}})

    def test_it_follows_inserts_updates_and_deletes(self):
        self.follows_to({})
        self.write({"op": "insert", "table": "Port", "uuid-name": "p", "row": {"name": "p1"}},
                   {"op": "insert", "table": "Switch",
                    "row": {"name": "a", "number": 1, "ports": ["named-uuid", "p"]}})
        self.follows_to({"a": (1, {}, ["p1"])})
        self.write({"op": "mutate", "table": "Switch", "where": [["name", "==", "a"]],
                    "mutations": [["external_ids", "insert", ["map", [["k", "v"], ["l", "w"]]]]]})
        self.follows_to({"a": (1, {"k": "v", "l": "w"}, ["p1"])})
        self.write({"op": "mutate", "table": "Switch", "where": [],
                    "mutations": [["external_ids", "delete", ["set", ["k"]]], ["number", "+=", 4]]},
                   {"op": "insert", "table": "Switch", "row": {"name": "b"}})
        self.follows_to({"a": (5, {"l": "w"}, ["p1"]), "b": (0, {}, [])})
        self.write({"op": "delete", "table": "Switch", "where": [["name", "==", "a"]]})
        self.follows_to({"b": (0, {}, [])})
        self.assertEqual(len(self.idl.tables["Port"].rows), 0)

    def test_it_writes_and_sees_its_write(self):
        self.follows_to({})
        transaction = ovs.db.idl.Transaction(self.idl)
        port = transaction.insert(self.idl.tables["Port"])
        port.name = "p"
        switch = transaction.insert(self.idl.tables["Switch"])
        switch.name = "mine"
        switch.ports = [port]
        self.assertEqual(self._commit(transaction), ovs.db.idl.Transaction.SUCCESS)
        self.follows_to({"mine": (0, {}, ["p"])})
        transaction = ovs.db.idl.Transaction(self.idl)
        row = next(iter(self.idl.tables["Switch"].rows.values()))
        row.verify("number")
        row.number = 7
        self.assertEqual(self._commit(transaction), ovs.db.idl.Transaction.SUCCESS)
        self.follows_to({"mine": (7, {}, ["p"])})

    def _commit(self, transaction):
        """Commits without blocking for ever: a lost reply fails the test."""
        def done():
            status = transaction.commit()
            if status != ovs.db.idl.Transaction.INCOMPLETE:
                return status
            self.idl.run()
            return None
        return wait_until(done, "the IDL's transaction to end")

    def test_it_has_everything_after_cut_connections_and_a_restart(self):
        expected = {}
        for number in range(6):
            self.insert(f"s{number}", number)
            expected[f"s{number}"] = (number, {}, [])
            if number == 3:
                self.writer.close()
                self.active.stop()
                self.active.start()
                self.writer = self.active.connect()
            elif number % 2:
                self.proxy.cut()
            self.follows_to(expected)
        self.proxy.block()
        self.write({"op": "delete", "table": "Switch", "where": [["number", "<", 3]]})
        self.proxy.unblock()
        self.follows_to({name: row for name, row in expected.items() if row[0] >= 3})

    @unittest.skipIf(environment.is_stock(environment.SERVER), "stock keeps no history of a standalone file")
    def test_it_resumes_instead_of_downloading_everything(self):
        for number in range(200):
            self.insert(f"s{number}", number)
        expected = {f"s{number}": (number, {}, []) for number in range(200)}
        self.follows_to(expected)
        for restart in (False, True):
            with self.subTest(restart=restart):
                # This IDL takes the id to resume from from updates alone, not from the first reply.
                self.insert(f"seen{restart}", 999)
                expected[f"seen{restart}"] = (999, {}, [])
                self.follows_to(expected)
                self.proxy.block()
                if restart:
                    self.writer.close()
                    self.active.stop()
                    self.active.start()
                    self.writer = self.active.connect()
                self.insert(f"late{restart}", 1000)
                expected[f"late{restart}"] = (1000, {}, [])
                del self.proxy.to_client[:]
                self.proxy.unblock()
                self.follows_to(expected)
                self.assertIn(f"late{restart}".encode(), self.proxy.to_client)
                self.assertNotIn(b'"s77"', self.proxy.to_client, "it downloaded what it had")


class MonitorCondSince(SystemTest):
    """The request that the IDL resumes with, on the wire."""

    @unittest.skipIf(environment.is_stock(environment.SERVER), "stock keeps no history of a standalone file")
    def test_a_known_id_is_found_and_only_later_changes_are_sent(self):
        server = self.server("db", [self.database("db.db", load.SCHEMA)])
        requests = {"Switch": [{"columns": ["name", "number"]}]}
        zero = "00000000-0000-0000-0000-000000000000"

        def insert(connection, name):
            connection.transact(load.DB, {"op": "insert", "table": "Switch", "row": {"name": name}})

        with server.connect() as first:
            insert(first, "a")
            found, last, rows = first.result("monitor_cond_since", load.DB, "m", requests, zero)
            self.assertFalse(found)
            self.assertEqual([r["initial"]["name"] for r in rows["Switch"].values()], ["a"])
            insert(first, "b")
            update = first.notifications.pop()
            self.assertEqual(update["method"], "update3")
            at_b = update["params"][1]
            self.assertNotIn(at_b, (zero, last))
            insert(first, "c")
        for restart in (False, True):
            with self.subTest(restart=restart):
                if restart:
                    server.stop()
                    server.start()
                with Connection(server.socket) as again:
                    found, at_c, rows = again.result("monitor_cond_since", load.DB, "m", requests, at_b)
                    self.assertTrue(found)
                    self.assertEqual([r["insert"]["name"] for r in rows["Switch"].values()], ["c"])
                    found, last, rows = again.result("monitor_cond_since", load.DB, "n", requests, at_c)
                    self.assertEqual((found, last, rows), (True, at_c, {}))


if __name__ == "__main__":
    ovs.vlog.Vlog.init()
    ovs.vlog.Vlog.set_level("any", "console", "off")
    main()
