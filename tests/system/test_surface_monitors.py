#!/usr/bin/python3
"""Monitors of three versions, conditions and their changes (surface, section 8)."""

import json

from harness import environment
from harness.case import SystemTest, main

SCHEMA = {
    "name": "D", "version": "1.0.0",
    "tables": {
        "T": {"isRoot": True, "columns": {
            "n": {"type": "integer"}, "s": {"type": "string"},
            "tags": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            "map": {"type": {"key": "string", "value": "integer", "min": 0, "max": "unlimited"}},
            "weak": {"type": {"key": {"type": "uuid", "refTable": "U", "refType": "weak"},
                              "min": 0, "max": "unlimited"}}}},
        "U": {"isRoot": True, "columns": {"x": {"type": "integer"}}},
    },
}
ZERO = "00000000-0000-0000-0000-000000000000"


def insert(**row):
    return {"op": "insert", "table": "T", "row": row}


def update(where, **row):
    return {"op": "update", "table": "T", "where": where, "row": row}


def delete(where):
    return {"op": "delete", "table": "T", "where": where}


class Monitors(SystemTest):
    def setUp(self):
        super().setUp()
        self.under_test = self.server("db", [self.database("db.db", SCHEMA)])
        self.client = self.under_test.connect()
        self.addCleanup(self.client.close)

    def do(self, *operations):
        """Runs a transaction of the monitoring client; returns the notifications before its reply, without ids."""
        self.client.notifications = []
        self.client.transact("D", *operations)
        return [(message["method"], message["params"][0], self.rows(message["params"][-1]))
                for message in self.client.notifications]

    @staticmethod
    def rows(updates):
        """Table updates without UUIDs, sorted."""
        return {table: sorted(rows.values(), key=json.dumps) for table, rows in updates.items()}

    def monitor(self, method, request, name="m", *more):
        result = self.client.result(method, "D", name, {"T": request}, *more)
        return self.rows(result if isinstance(result, dict) else result[2])

    def test_monitor(self):
        """Section 8: monitor: new with all columns, old with the changed ones."""
        self.do(insert(n=1))
        columns = {"columns": ["n", "s"]}
        self.assertEqual(self.monitor("monitor", columns), {"T": [{"new": {"n": 1, "s": ""}}]})
        self.assertEqual(self.do(update([], s="a")),
                         [("update", "m", {"T": [{"new": {"n": 1, "s": "a"}, "old": {"s": ""}}]})])
        self.assertEqual(self.do(delete([])), [("update", "m", {"T": [{"old": {"n": 1, "s": "a"}}]})])

    def test_monitor_cond(self):
        """Section 8: monitor_cond: defaults left out, differences of sets and maps, delete is null."""
        self.do(insert(n=1, tags=["set", ["a", "b"]], map=["map", [["k", 1], ["l", 2]]]))
        columns = [{"columns": ["n", "s", "tags", "map"]}]
        self.assertEqual(self.monitor("monitor_cond", columns), {"T": [{"initial": {
            "n": 1, "tags": ["set", ["a", "b"]], "map": ["map", [["k", 1], ["l", 2]]]}}]})
        self.assertEqual(
            self.do(update([], s="x", tags=["set", ["b", "c"]], map=["map", [["k", 5], ["m", 1]]])),
            [("update2", "m", {"T": [{"modify": {"s": "x", "tags": ["set", ["a", "c"]],
                                                 "map": ["map", [["k", 5], ["l", 2], ["m", 1]]]}}]})])
        self.assertEqual(self.do(insert(n=2)), [("update2", "m", {"T": [{"insert": {"n": 2}}]})])
        self.assertEqual(self.do(delete([["n", "==", 2]])), [("update2", "m", {"T": [{"delete": None}]})])

    def test_monitor_cond_since(self):
        """Section 8: monitor_cond_since of an id that nobody knows, and update3."""
        self.do(insert(n=1))
        found, last, updates = self.client.result("monitor_cond_since", "D", "m", {"T": [{"columns": ["n"]}]},
                                                  "12345678-1234-1234-1234-123456789abc")
        self.assertEqual((found, self.rows(updates)), (False, {"T": [{"initial": {"n": 1}}]}))
        if environment.is_stock(environment.SERVER):
            self.assertEqual(last, ZERO)
        self.assertEqual(self.do(insert(n=2)), [("update3", "m", {"T": [{"insert": {"n": 2}}]})])

    def test_a_change_of_condition(self):
        """Section 8: monitor_cond_change: its update comes before its reply, under the new id."""
        self.do(insert(n=1), insert(n=2))
        request = [{"columns": ["n"], "where": [["n", "==", 1]]}]
        self.assertEqual(self.monitor("monitor_cond", request), {"T": [{"initial": {"n": 1}}]})
        self.client.notifications = []
        self.assertEqual(self.client.result("monitor_cond_change", "m", "x", {"T": [{"where": [["n", "==", 2]]}]}), {})
        self.assertEqual([(note["params"][0], self.rows(note["params"][1])) for note in self.client.notifications],
                         [("x", {"T": [{"delete": None}, {"insert": {"n": 2}}]})])
        self.client.notifications = []
        self.client.result("monitor_cond_change", "x", "x", {"T": [{"where": [["n", "!=", 1]]}]})
        self.assertEqual(self.client.notifications, [])  # the same rows

    def test_cancel(self):
        """Section 8: monitor_cancel."""
        self.monitor("monitor", {})
        self.assertEqual(self.client.result("monitor_cancel", "m"), {})
        self.assertEqual(self.do(insert(n=1)), [])
        self.assertEqual(self.client.call("monitor_cancel", "m")["error"], "unknown monitor")

    def test_requests_that_follow_closely_take_effect_in_order(self):
        """Section 8: a change and a cancel that were sent right behind the monitor."""
        self.do(insert(n=1))
        ids = [self.client.request("monitor_cond", ["D", "m", {"T": [{"columns": ["n"], "where": [False]}]}]),
               self.client.request("monitor_cond_change", ["m", "x", {"T": [{"where": [True]}]}]),
               self.client.request("monitor_cond_change", ["x", "y", {"T": [{"where": [["n", "==", 2]]}]}]),
               self.client.request("transact", ["D", insert(n=2)]),
               self.client.request("monitor_cancel", ["y"]),
               self.client.request("monitor_cancel", ["y"])]
        errors, notes = {}, []
        while len(errors) < len(ids):
            message = self.client.receive()
            if "method" in message:
                notes.append(message["params"])
            else:
                errors[message["id"]] = message["error"]
        self.assertEqual([errors[request_id] for request_id in ids], [None] * 5 + ["unknown monitor"])
        self.assertEqual([(monitor, self.rows(updates)["T"]) for monitor, updates in notes],
                         [("x", [{"insert": {"n": 1}}]), ("y", [{"delete": None}]), ("y", [{"insert": {"n": 2}}])])

    def test_columns(self):
        """Section 8, details: no columns: all, _version included, _uuid not; several requests of a table."""
        self.do(insert(n=1))
        [row] = self.monitor("monitor", {})["T"]
        self.assertEqual(sorted(row["new"]), ["_version", "map", "n", "s", "tags", "weak"])
        [row] = self.monitor("monitor_cond", [{}], "cond")["T"]
        self.assertEqual(sorted(row["initial"]), ["_version", "n"])
        halves = [{"columns": ["n"], "select": {"initial": False}}, {"columns": ["s"]}]
        self.assertEqual(self.monitor("monitor", halves, "halves"), {"T": [{"new": {"s": ""}}]})

    def test_select(self):
        """Section 8, details: select, each true by default."""
        for kind in ("initial", "insert", "modify", "delete"):
            with self.subTest(kind=kind):
                self.do(delete([]))
                self.do(insert(n=1))
                initial = self.monitor("monitor_cond", [{"columns": ["n"], "select": {kind: False}}], kind)
                seen = {"initial"} if initial else set()
                for operation in (insert(n=2), update([], n=3), delete([])):
                    seen |= {key for _, _, tables in self.do(operation) for row in tables["T"] for key in row}
                self.assertEqual(seen, {"initial", "insert", "modify", "delete"} - {kind})
                self.client.result("monitor_cancel", kind)

    def test_conditions_are_disjunctions(self):
        """Section 8, details: where is absent, empty, true, false, clauses."""
        self.do(*(insert(n=number, s=str(number)) for number in range(4)))
        for where, numbers in ((None, [0, 1, 2, 3]), ([], [0, 1, 2, 3]), ([True], [0, 1, 2, 3]), ([False], []),
                               ([["n", "==", 1], ["s", "==", "3"]], [1, 3]), ([["n", "==", 1], False], [1]),
                               ([["n", "==", 1], True], [0, 1, 2, 3]), ([["n", "<", 2]], [0, 1])):
            with self.subTest(where=where):
                request = {"columns": ["n"]} | ({} if where is None else {"where": where})
                rows = self.monitor("monitor_cond", [request]).get("T", [])
                self.assertEqual(sorted(row["initial"].get("n", 0) for row in rows), numbers)
                self.client.result("monitor_cancel", "m")

    def test_condition_on_a_column_that_is_not_monitored(self):
        """Section 8, details: it works, the column is not sent; rows begin and cease to match."""
        request = [{"columns": ["s"], "where": [["n", "==", 1]]}]
        self.assertEqual(self.monitor("monitor_cond", request), {})
        self.assertEqual(self.do(insert(n=0, s="a")), [])
        self.assertEqual(self.do(update([], n=1)), [("update2", "m", {"T": [{"insert": {"s": "a"}}]})])
        self.assertEqual(self.do(update([], s="b")), [("update2", "m", {"T": [{"modify": {"s": "b"}}]})])
        self.assertEqual(self.do(update([], n=2)), [("update2", "m", {"T": [{"delete": None}]})])

    def test_two_monitors_of_one_session(self):
        """Section 8, details: the second's condition is on a column that the first does not fetch."""
        self.do(insert(n=1, s="a"), insert(n=2, s="b"))
        self.assertEqual(self.monitor("monitor_cond", [{"columns": ["n"]}], 1),
                         {"T": [{"initial": {"n": 1}}, {"initial": {"n": 2}}]})
        self.assertEqual(self.monitor("monitor_cond", [{"columns": ["n"], "where": [["s", "==", "b"]]}], 2),
                         {"T": [{"initial": {"n": 2}}]})

    def test_net_changes(self):
        """Section 8, details: one insert of the final value; insert and delete: nothing; equal values: nothing."""
        self.monitor("monitor_cond", [{"columns": ["n"]}])
        self.assertEqual(self.do(insert(n=1), update([], n=2)), [("update2", "m", {"T": [{"insert": {"n": 2}}]})])
        self.assertEqual(self.do(insert(n=3), delete([["n", "==", 3]])), [])
        self.assertEqual(self.do(update([], n=2)), [])
        self.assertEqual(self.do(update([], n=5), update([], n=2)), [])

    def test_weak_references_that_are_cleaned(self):
        """Section 8, details: they are modifications, of _version too."""
        self.do({"op": "insert", "table": "U", "row": {}, "uuid-name": "u"}, insert(weak=["named-uuid", "u"]))
        self.monitor("monitor", {"columns": ["weak", "_version"]})
        [(_, _, tables)] = self.do({"op": "delete", "table": "U", "where": []})
        self.assertEqual(sorted(tables["T"][0]["old"]), ["_version", "weak"])
        self.assertEqual(tables["T"][0]["new"]["weak"], ["set", []])
        # Cleaned at once: nothing but the version is new.
        [(_, _, tables)] = self.do(update([], weak=["uuid", "12345678-1234-1234-1234-123456789abc"]))
        self.assertEqual(list(tables["T"][0]["old"]), ["_version"])

    def test_errors(self):
        """Section 8, details: unknown table, column, twice mentioned, duplicate id."""
        self.monitor("monitor", {})
        for requests, name, details in (({"X": {}}, 1, "no table named X"),
                                        ({"T": {"columns": ["x"]}}, 1, "x is not a valid column name"),
                                        ({"T": {"columns": ["n", "n"]}}, 1, "column n mentioned more than once"),
                                        ({"T": {}}, "m", "duplicate monitor ID")):
            for method in ("monitor", "monitor_cond"):
                error = self.client.call(method, "D", name, requests)["error"]
                self.assertEqual((error["error"], error["details"]), ("syntax error", details))

    def test_disable_monitor_cond(self):
        """Section 8, details: after disable-monitor-cond only monitor is left, and sessions are closed."""
        self.under_test.control("ovsdb-server/disable-monitor-cond")
        with self.under_test.connect() as client:
            self.assertEqual(client.call("monitor_cond", "D", 1, {})["error"], "unknown method")
            self.assertEqual(client.call("monitor_cond_since", "D", 1, {}, ZERO)["error"], "unknown method")
            self.assertEqual(client.result("monitor", "D", 1, {}), {})

    def test_updates_come_before_the_reply_whatever_waits(self):
        """Section 8, details: own transaction: its update comes before its reply, behind a first answer too."""
        self.client.transact("D", *(insert(n=number, s="x" * 1000) for number in range(2000)))
        monitor = self.client.request("monitor_cond", ["D", "m", {"T": [{"columns": ["n", "s"]}]}])
        transaction = self.client.request("transact", ["D", insert(n=-1)])
        order = []
        while transaction not in order:
            message = self.client.receive()
            order.append(message.get("method", message["id"]))
        self.assertEqual(order, [monitor, "update2", transaction])

    def test_a_slow_client_gets_fewer_updates_and_loses_none(self):
        """Section 8, details: a backlogged client's updates are combined."""
        slow = self.under_test.connect()
        self.addCleanup(slow.close)
        slow.result("monitor", "D", "m", {"T": {"columns": ["n", "s"]}})
        text, count = "x" * 100000, 200
        self.do(insert(n=0))
        for number in range(1, count + 1):
            self.client.transact("D", update([], n=number, s=text + str(number)))
        seen, updates = None, 0
        while seen != count:
            [row] = slow.receive()["params"][1]["T"].values()
            seen, updates = row["new"]["n"], updates + 1
        self.assertLess(updates, count)

    def test_a_client_that_pauses_briefly_gets_fewer_updates(self):
        """Section 8, details: as soon as its socket is full, however little waits."""
        slow = self.under_test.connect()
        self.addCleanup(slow.close)
        slow.result("monitor_cond", "D", "m", {"T": {"columns": ["n", "s"]}})
        count = 400
        self.do(insert(n=0))
        for number in range(1, count + 1):
            self.client.transact("D", update([], n=number, s="x" * 1000 + str(number)))
        seen, updates = None, 0
        while seen != count:
            [row] = slow.receive()["params"][1]["T"].values()
            seen, updates = row.get("modify", row.get("insert")).get("n", 0), updates + 1
        self.assertLess(updates, count)

    def test_one_condition_for_several_groups_of_columns(self):
        """ovsdb-client sends the condition with the first group only."""
        self.do(insert(n=1, s="a"), insert(n=2, s="b"))
        self.assertEqual(self.monitor("monitor_cond", [{"where": [["n", "==", 1]], "columns": ["n"]},
                                                       {"columns": ["s"]}]),
                         {"T": [{"initial": {"n": 1, "s": "a"}}]})


if __name__ == "__main__":
    main()
