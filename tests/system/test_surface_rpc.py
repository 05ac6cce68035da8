#!/usr/bin/python3
"""Methods, errors of requests, locks, and awareness of changes (surface, section 6)."""

import concurrent.futures
import json
import re
import unittest

from harness import environment
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.server import create_database

SCHEMA = {
    "name": "D", "version": "5.1.3", "cksum": "12345678 9",
    "tables": {"T": {"columns": {"n": {"type": "integer"}}, "isRoot": True}},
}
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def insert(number):
    return {"op": "insert", "table": "T", "row": {"n": number}}


def wait_for(number):
    """Blocks until a row has NUMBER."""
    return {"op": "wait", "table": "T", "where": [["n", "==", number]], "columns": ["n"], "until": "==",
            "rows": [{"n": number}]}


class Rpc(SystemTest):
    def setUp(self):
        super().setUp()
        self.under_test = self.server("db", [self.database("db.db", SCHEMA)])
        self.client = self.connect()

    def connect(self):
        connection = self.under_test.connect()
        self.addCleanup(connection.close)
        return connection

    def error(self, method, *params, client=None):
        return (client or self.client).call(method, *params)["error"]

    def syntax(self, details, *params):
        return {"error": "syntax error", "details": details, "syntax": json.dumps(list(params), separators=(",", ":"))}

    def told(self, client):
        """The notifications that CLIENT got so far, as (method, first parameter)."""
        client.result("echo")
        told, client.notifications = client.notifications, []
        return [(message["method"], message["params"][0]) for message in told]

    def test_simple_methods(self):
        """Section 6: echo, list_dbs, get_server_id, set_db_change_aware, an empty transaction."""
        self.assertEqual(self.client.result("echo", 1, {"a": [None]}), [1, {"a": [None]}])
        self.assertEqual(self.client.result("list_dbs"), ["D", "_Server"])
        server_id = self.client.result("get_server_id")
        self.assertRegex(server_id, UUID)
        self.assertEqual(self.connect().result("get_server_id"), server_id)
        self.assertEqual(self.client.result("set_db_change_aware", True), {})
        self.assertEqual(self.client.result("transact", "D"), [])

    def test_get_schema_has_version_and_checksum_of_the_file(self):
        """Section 6: get_schema."""
        schema = self.client.result("get_schema", "D")
        self.assertEqual((schema["version"], schema["cksum"]), ("5.1.3", "12345678 9"))
        self.assertEqual(schema["tables"]["T"]["columns"], {"n": {"type": "integer"}})

    def test_unknown_methods(self):
        """Section 6: anything else is the plain string."""
        self.assertEqual(self.error("nonsense"), "unknown method")
        self.assertEqual(self.error("cancel", 1), "unknown method")

    def test_unknown_databases(self):
        """Section 6, errors: METHOD names a database that is not there, or none."""
        for method, *more in (("get_schema",), ("transact", insert(1)), ("monitor", "m", {}), ("monitor_cond", "m", {}),
                              ("monitor_cond_since", "m", {}, "x"), ("convert", {})):
            with self.subTest(method=method):
                syntax = json.dumps(["E", *more], separators=(",", ":"), sort_keys=True)
                self.assertEqual(self.error(method, "E", *more),
                                 {"error": "unknown database", "syntax": syntax,
                                  "details": f"{method} request specifies unknown database E"})
                details = f"{method} request params must begin with <db-name>"
                self.assertEqual(self.error(method, 5), self.syntax(details, 5))
                self.assertEqual(self.error(method), self.syntax(details))

    def test_errors_of_locks(self):
        """Section 6, errors: lock, steal and unlock."""
        for method in ("lock", "steal", "unlock"):
            for params in ([], [5], ["1x"], ["l", "l"]):
                self.assertEqual(self.error(method, *params),
                                 self.syntax(f"{method} request params must be <id>", *params))
        self.assertEqual(self.error("unlock", "l"),
                         self.syntax('unlock: "unlock" without "lock" or "steal"', "l"))
        self.client.result("lock", "l")
        for method in ("lock", "steal"):
            self.assertEqual(self.error(method, "l"), self.syntax(f'must issue "unlock" before new "{method}"', "l"))
        self.assertEqual(self.error("set_db_change_aware", "yes"),
                         self.syntax("set_db_change_aware: true or false parameter expected", "yes"))

    def test_a_lock_passes_on(self):
        """Section 6, locks: the second waits, and is told when the owner unlocks or goes."""
        first, second, third = self.client, self.connect(), self.connect()
        self.assertEqual(first.result("lock", "l"), {"locked": True})
        self.assertEqual(second.result("lock", "l"), {"locked": False})
        self.assertEqual(third.result("lock", "l"), {"locked": False})
        self.assertEqual(first.result("unlock", "l"), {})
        self.assertEqual(self.told(second), [("locked", "l")])
        second.close()
        self.assertEqual(third.receive()["method"], "locked")

    def test_a_lock_is_stolen(self):
        """Section 6, locks: the robbed owner is first in line."""
        owner, waiting, thief = self.client, self.connect(), self.connect()
        owner.result("lock", "l")
        waiting.result("lock", "l")
        self.assertEqual(thief.result("steal", "l"), {"locked": True})
        self.assertEqual(self.told(owner), [("stolen", "l")])
        asserted = {"op": "assert", "lock": "l"}
        self.assertEqual(thief.result("transact", "D", asserted), [{}])
        self.assertEqual(owner.result("transact", "D", asserted)[0]["error"], "not owner")
        thief.result("unlock", "l")
        self.assertEqual((self.told(owner), self.told(waiting)), ([("locked", "l")], []))

    def test_a_robbed_thief_does_not_wait(self):
        """Section 6, locks: as observed, also that the owner is told again when one who waits goes."""
        owner, thief, second = self.client, self.connect(), self.connect()
        owner.result("lock", "l")
        thief.result("steal", "l")
        second.result("steal", "l")
        self.assertEqual((self.told(owner), self.told(thief)), ([("stolen", "l")], [("stolen", "l")]))
        self.assertEqual(self.error("lock", "l", client=thief)["details"], 'must issue "unlock" before new "lock"')
        owner.result("unlock", "l")
        self.assertEqual(self.told(second), [("locked", "l")])
        second.result("unlock", "l")
        self.assertEqual(self.told(thief), [])
        self.assertEqual(thief.result("unlock", "l"), {})

    @unittest.skipIf(environment.is_stock(environment.SERVER), "3.1 never answers")
    def test_a_blocked_transaction_is_canceled(self):
        """Section 6: cancel."""
        blocked = self.client.request("transact", ["D", wait_for(7), insert(8)])
        self.client.send({"id": None, "method": "cancel", "params": [blocked]})
        self.assertEqual(self.client.reply(blocked)["error"], "canceled")
        self.client.transact("D", insert(7))
        self.assertEqual(self.client.transact("D", {"op": "select", "table": "T", "where": [["n", "==", 8]]}),
                         [{"rows": []}])

    def test_an_id_that_waits_is_taken(self):
        """Section 6, as observed: no second transaction of the same id."""
        self.client.send({"id": 9, "method": "transact", "params": ["D", wait_for(7)]})
        self.client.send({"id": 9, "method": "transact", "params": ["D"]})
        self.assertEqual(self.client.receive(), {"id": 9, "error": self.syntax("transact: duplicate request ID", "D")}
                         | ({} if environment.is_stock(environment.SERVER) else {"result": None}))

    def test_convert(self):
        """Section 6: convert, and its errors."""
        wider = json.loads(json.dumps(SCHEMA))
        wider["tables"]["T"]["columns"]["s"] = {"type": "string"}
        wider["version"] = "6.0.0"
        error = self.error("convert", "D", wider | {"name": "X"})
        self.assertEqual((error["error"], error["details"]),
                         ("invalid parameters", "new schema name (X) does not match database name (D)"))
        self.client.result("set_db_change_aware", True)
        self.client.transact("D", insert(1))
        self.assertEqual(self.client.result("convert", "D", wider), {})
        self.assertIn("6.0.0", (self.scratch.path / "db.db").read_text())
        self.assertEqual(self.client.transact("D", {"op": "select", "table": "T", "where": [], "columns": ["n", "s"]}),
                         [{"rows": [{"n": 1, "s": ""}]}])

    def test_a_conversion_that_fails_changes_nothing(self):
        """Section 6: transactions that wait go on, and so do monitors."""
        self.client.transact("D", insert(1))
        waiting, monitoring = self.connect(), self.connect()
        blocked = waiting.request("transact", ["D", wait_for(2)])
        monitoring.result("monitor", "D", "m", {"T": {}})
        narrower = json.loads(json.dumps(SCHEMA))
        narrower["tables"]["T"]["columns"]["n"]["type"] = "boolean"
        self.assertIn("error", self.error("convert", "D", narrower))
        self.client.transact("D", {"op": "update", "table": "T", "where": [], "row": {"n": 2}})
        self.assertEqual(waiting.reply(blocked)["result"], [{}])
        self.assertEqual(monitoring.receive()["method"], "update")

    def test_a_conversion_and_compactions_at_once(self):
        """Sections 5 and 6: each waits for the one before it, and all succeed."""
        for _ in range(4):
            self.client.transact("D", *[insert(number) for number in range(5000)])
        self.client.result("set_db_change_aware", True)
        asker = self.connect()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for version in ("6.0.0", "7.0.0", "8.0.0"):
                compactions = [pool.submit(self.under_test.control, "ovsdb-server/compact") for _ in range(3)]
                asker.result("set_db_change_aware", True)
                self.assertEqual(asker.result("convert", "D", SCHEMA | {"version": version}), {})
                self.assertEqual([compaction.result().strip() for compaction in compactions], [""] * 3)
        self.assertEqual(self.client.result("get_schema", "D")["version"], "8.0.0")

    def test_who_converts_without_being_aware_is_told_first(self):
        """Section 6: {} after the new schema is on disk; then the client is disconnected as any other."""
        self.assertEqual(self.client.result("convert", "D", SCHEMA | {"version": "6.0.0"}), {})
        with self.assertRaises(Closed):
            self.client.receive()

    def test_who_is_not_aware_is_disconnected(self):
        """Section 6, change awareness: when any database comes, goes or is converted."""
        create_database(self.scratch, "e.db", SCHEMA | {"name": "E"})
        path = str(self.scratch.path / "e.db")
        changes = [lambda: self.under_test.control("ovsdb-server/add-db", path),
                   lambda: self.client.result("convert", "E", SCHEMA | {"name": "E", "version": "7.0.0"}),
                   lambda: self.under_test.control("ovsdb-server/remove-db", "E")]
        self.client.result("set_db_change_aware", True)
        for change in changes:
            unaware = self.connect()
            unaware.result("monitor", "_Server", 1, {"Database": {}})
            change()
            with self.assertRaises(Closed):  # and not told of the end of its monitors before
                unaware.receive()
        self.assertEqual(self.client.result("echo", 1), [1])

    def test_the_aware_hear_of_the_end_of_their_monitors_and_transactions(self):
        """Section 6, change awareness: monitor_canceled, and canceled, on this database alone."""
        create_database(self.scratch, "e.db", SCHEMA | {"name": "E"})
        self.under_test.control("ovsdb-server/add-db", str(self.scratch.path / "e.db"))
        client = self.connect()
        client.result("set_db_change_aware", True)
        client.result("monitor", "D", ["d", 1], {"T": {}})
        client.result("monitor_cond", "E", "e", {"T": [{}]})
        blocked = client.request("transact", ["E", wait_for(1)])
        other = client.request("transact", ["D", wait_for(1)])
        client.result("echo")
        self.under_test.control("ovsdb-server/remove-db", "E")
        self.assertEqual(client.reply(blocked)["error"], "canceled")
        self.assertEqual(self.told(client), [("monitor_canceled", "e")])
        client.transact("D", insert(1))
        self.assertEqual(client.reply(other)["result"], [{}])


if __name__ == "__main__":
    main()
