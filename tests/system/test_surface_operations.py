#!/usr/bin/python3
"""Operations: their errors, exactly, and what a commit does (surface, section 7)."""

import json
import re

from harness import environment
from harness.case import SystemTest, main

SCHEMA = {
    "name": "D", "version": "1.0.0",
    "tables": {
        "T": {"isRoot": True, "columns": {
            "n": {"type": {"key": {"type": "integer", "minInteger": 1}}},
            "e": {"type": {"key": {"type": "string", "enum": ["set", ["c", "a", "b"]]}}},
            "set": {"type": {"key": "integer", "min": 1, "max": 2}}}},
        "P": {"isRoot": True, "columns": {"n": {"type": "integer"}, "s": {"type": "string"}}},
        "One": {"isRoot": True, "maxRows": 1, "columns": {"n": {"type": "integer"}}},
        "X": {"isRoot": True, "indexes": [["n"]], "columns": {"n": {"type": "integer"}, "s": {"type": "string"}}},
        "I": {"isRoot": True, "columns": {"i": {"type": "integer", "mutable": False}}},
        "a": {"isRoot": True, "columns": {
            "a2b": {"type": {"key": {"type": "uuid", "refTable": "b"}, "min": 0, "max": "unlimited"}}}},
        "b": {"columns": {"n": {"type": "integer"},
                          "next": {"type": {"key": {"type": "uuid", "refTable": "b"}, "min": 0, "max": 1}}}},
        "w": {"isRoot": True, "columns": {
            "a2b": {"type": {"key": {"type": "uuid", "refTable": "P", "refType": "weak"}, "min": 1, "max": 3}}}},
    },
}
NOBODY = "12345678-1234-1234-1234-123456789abc"


def compact(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def insert(table, name=None, **row):
    return {"op": "insert", "table": table, "row": row} | ({"uuid-name": name} if name else {})


def update(table, where, **row):
    return {"op": "update", "table": table, "where": where, "row": row}


def mutate(table, *mutations, where=()):
    return {"op": "mutate", "table": table, "where": list(where), "mutations": [list(mutation) for mutation in mutations]}


def delete(table, where=()):
    return {"op": "delete", "table": table, "where": list(where)}


def select(table, where=(), *columns):
    return {"op": "select", "table": table, "where": list(where)} | ({"columns": list(columns)} if columns else {})


class Operations(SystemTest):
    def setUp(self):
        super().setUp()
        self.under_test = self.server("db", [self.database("db.db", SCHEMA)])
        self.client = self.under_test.connect()
        self.addCleanup(self.client.close)

    def do(self, *operations):
        return self.client.transact("D", *operations)

    def uuids(self, *operations):
        return [result["uuid"][1] for result in self.do(*operations)]

    def error(self, *operations, after=0):
        """The last result, an error, which AFTER good ones precede; what follows it is null."""
        results = self.client.result("transact", "D", *operations)
        self.assertTrue(all(result is not None and "error" not in result for result in results[:after]), results)
        self.assertTrue(all(result is None for result in results[after + 1:]), results)
        return results[after]

    def of_commit(self, *operations):
        """The error of the commit: one more result."""
        results = self.client.result("transact", "D", *operations)
        self.assertEqual(len(results), len(operations) + 1)
        return results[-1]

    def violation(self, details, **more):
        return {"error": "constraint violation", "details": details} | more

    def rows(self, table, *columns, where=()):
        return self.do(select(table, where, *columns))[0]["rows"]

    def test_syntax_errors(self):
        """Section 7: a member is missing, has the wrong type, or is no id."""
        for operation, details in (
                ({"op": "insert", "table": "P", "row": {}, "uuid-name": "1x"}, "Type mismatch for member 'uuid-name'."),
                ({"op": "insert", "table": "P"}, "Required 'row' member is missing."),
                ({"op": "insert", "table": "P", "row": {}, "x": 1}, "Member 'x' is present but not allowed here."),
                ({"op": "nonsense"}, 'No operation "nonsense"'),
                ({"op": "select", "table": "Q", "where": []}, "No table named Q.")):
            self.assertEqual(self.error({"op": "comment", "comment": ""}, operation, insert("P"), after=1),
                             {"error": "syntax error", "syntax": compact(operation),
                              "details": f"Parsing ovsdb operation 2 of 3 failed: {details}"})
        self.assertEqual(self.error(select("P", [["_uuid", "==", ["named-uuid", "1x"]]])),
                         {"error": "syntax error", "syntax": '["named-uuid","1x"]',
                          "details": "named-uuid string is not a valid <id>"})
        self.assertEqual(self.error(select("P", [["x", "==", 1]])),
                         {"error": "unknown column", "details": "No column x in table P.", "syntax": '["x","==",1]'})

    def test_uuids_of_inserts(self):
        """Section 7: uuid-name twice; a uuid that exists or was deleted in this transaction."""
        self.assertEqual(self.error(insert("P", "n"), insert("P", "n"), after=1),
                         {"error": "duplicate uuid-name", "syntax": '"n"',
                          "details": 'This "uuid-name" appeared on an earlier "insert" operation.'})
        [uuid] = self.uuids(insert("P"))
        again = insert("P") | {"uuid": uuid}
        place = "table or deleted within" if environment.is_stock(environment.SERVER) \
            else '"P" table or deleted from this table within'
        expected = {"error": "duplicate uuid", "syntax": f'"{uuid}"',
                    "details": f"This UUID would duplicate a UUID already present within the {place} "
                               "the same transaction."}
        self.assertEqual(self.error(again), expected)
        self.assertEqual(self.error(delete("P"), again, after=1), expected)
        self.assertEqual(self.uuids(insert("P") | {"uuid": NOBODY}), [NOBODY])

    def test_values(self):
        """Section 7: below the minimum, outside an enum, sizes of sets."""
        self.assertEqual(self.error(insert("T", n=-1, e="a")),
                         self.violation("-1 is less than minimum allowed value 1"))
        self.assertEqual(self.error(insert("T", n=1)), self.violation('"" is not one of the allowed values ([a, b, c])'))
        self.do(insert("T", n=1, e="a", set=1))
        self.assertEqual(self.error(mutate("T", ("set", "insert", ["set", [2, 3]]))),
                         self.violation("Attempted to store 3 elements in set of 1 to 2 integers."))
        self.assertEqual(self.error(mutate("T", ("set", "delete", 1), ("set", "insert", 2))),
                         self.violation("Attempted to store 0 elements in set of 1 to 2 integers."))
        self.do(mutate("T", ("set", "insert", 2)))
        self.assertEqual(self.error(mutate("T", ("set", "insert", 3), ("set", "delete", 1))),
                         self.violation("Attempted to store 3 elements in set of 1 to 2 integers."))
        self.do(mutate("T", ("set", "delete", 1), ("set", "insert", 3)))

    def test_too_many_rows(self):
        """Section 7: maxRows, at the commit."""
        self.assertEqual(self.of_commit(insert("One"), insert("One")), self.violation(
            'transaction causes "One" table to contain 2 rows, greater than the schema-defined limit of 1 row(s)'))

    def test_index_collisions(self):
        """Section 7: index collision: the row with the greater contents comes first, whatever its age."""
        old, other = self.uuids(insert("X", n=1, s="m"), insert("X", n=2, s="z"))
        existed = "existed in the database before this transaction and was not modified by the transaction"
        inserted = "was inserted by this transaction"

        def collision(first, of_first, second, of_second, value=1):
            return self.violation(
                f'Transaction causes multiple rows in "X" table to have identical values ({value}) for index on column '
                f'"n".  First row, with UUID {first}, {of_first}.  Second row, with UUID {second}, {of_second}.')

        def one_of(pair, any_order):
            return [collision(*pair[0], *pair[1])] + [collision(*pair[1], *pair[0])] * any_order

        of_stock = environment.is_stock(environment.SERVER)  # 3.1 goes by UUIDs
        for text, mine_first in (("a", False), ("z", True)):
            results = self.client.result("transact", "D", insert("X", n=1, s=text))
            mine = results[0]["uuid"][1]
            pair = [(mine, inserted), (old, existed)] if mine_first else [(old, existed), (mine, inserted)]
            self.assertIn(results[1], one_of(pair, of_stock))
        pair = [(old, existed), (other, "had the following index values before the transaction: 2")]
        self.assertIn(self.of_commit(update("X", [["n", "==", 2]], n=1)), one_of(pair, True))

    def test_index_swaps(self):
        """Section 7, behaviour: rows exchange values, or take freed ones, within a transaction."""
        self.do(insert("X", n=1, s="a"), insert("X", n=2, s="b"))
        self.do(update("X", [["s", "==", "a"]], n=2), update("X", [["s", "==", "b"]], n=1))
        self.do(delete("X", [["n", "==", 1]]), insert("X", n=1, s="c"))
        self.assertEqual(sorted((row["n"], row["s"]) for row in self.rows("X")), [(1, "c"), (2, "a")])

    def test_strong_references(self):
        """Section 7: a row that is not there; deleting a referenced row."""
        results = self.client.result("transact", "D", insert("a", a2b=["uuid", NOBODY]))
        mine = results[0]["uuid"][1]
        violated = "referential integrity violation"
        self.assertEqual(results[1], {"error": violated, "details":
                                      f"Table a column a2b row {mine} references nonexistent row {NOBODY} in table b."})
        row, _ = self.uuids(insert("b", "b"), insert("a", a2b=["named-uuid", "b"]))
        self.assertEqual(self.of_commit(delete("b")), {
            "error": violated, "details": f"cannot delete b row {row} because of 1 remaining reference(s)"})
        self.do(delete("b"), delete("a"))

    def test_weak_references(self):
        """Section 7: all-zeros where one is required; cleared below the minimum; removed at commit."""
        results = self.client.result("transact", "D", insert("w"))
        mine = results[0]["uuid"][1]
        self.assertEqual(results[1], self.violation(
            f'Weak reference column "a2b" in "w" row {mine} (inserted within this transaction) contained all-zeros UUID '
            "(probably as the default value for this column) but deleting this value caused a constraint volation "
            "because this column is not allowed to be empty."))
        p, q, row = self.uuids(insert("P", "p"), insert("P", "q"),
                               insert("w", a2b=["set", [["named-uuid", "p"], ["named-uuid", "q"]]]))
        self.do(delete("P", [["_uuid", "==", ["uuid", p]]]))
        self.assertEqual(self.rows("w", "a2b"), [{"a2b": ["uuid", q]}])
        self.assertEqual(self.of_commit(delete("P")), self.violation(
            "Deletion of 1 weak reference(s) to deleted (or never-existing) rows from column "
            f'"a2b" in "w" row {row} caused this column to become empty, but constraints on this column '
            "disallow an empty column."))
        self.do(update("w", [], a2b=["set", [["uuid", q], ["uuid", NOBODY]]]))
        self.assertEqual(self.rows("w", "a2b"), [{"a2b": ["uuid", q]}])
        self.do(insert("P", "x"), insert("w", a2b=["set", [["named-uuid", "x"], ["uuid", q]]]),
                delete("P", [["_uuid", "==", ["named-uuid", "x"]]]))
        self.assertEqual(self.rows("w", "a2b"), [{"a2b": ["uuid", q]}])

    def test_immutable_columns(self):
        """Section 7: neither update nor mutate, not even to the same value."""
        self.do(insert("I", i=1))
        operation = update("I", [], i=1)
        self.assertEqual(self.error(operation), self.violation("Cannot update immutable column i in table I.",
                                                               syntax=compact(operation)))
        self.assertEqual(self.error(mutate("I", ("i", "+=", 0))),
                         self.violation("Cannot mutate immutable column i in table I.", syntax='["i","+=",0]'))

    def test_wait(self):
        """Section 7: wait fails with timeout 0, or when it expires, or holds at last."""
        wait = {"op": "wait", "table": "P", "where": [], "columns": ["n"], "until": "==", "rows": [{"n": 1}]}
        self.assertEqual(self.error(wait | {"timeout": 0}),
                         {"error": "timed out", "details": '"where" clause test failed'})
        late = self.error(wait | {"timeout": 30})
        self.assertEqual(late["error"], "timed out")
        self.assertRegex(late["details"], r'^"wait" timed out after \d+ ms$')
        with self.under_test.connect() as other:
            request = other.request("transact", ["D", wait, insert("P", n=9)])
            other.result("echo")
            self.do(insert("P", n=1))
            self.assertEqual(len(other.reply(request)["result"]), 2)
        self.assertEqual(sorted(row["n"] for row in self.rows("P")), [1, 9])

    def test_abort_and_assert(self):
        """Section 7: abort; assert without the lock."""
        self.assertEqual(self.error(insert("P"), {"op": "abort"}, insert("P"), after=1),
                         {"error": "aborted", "details": "aborted by request"})
        self.assertEqual(self.rows("P"), [])
        self.assertEqual(self.error({"op": "assert", "lock": "L"}),
                         {"error": "not owner", "details": "Asserted lock L not held."})

    def test_versions(self):
        """Section 7, behaviour: a new _version only for rows that really changed."""
        self.do(insert("P", n=1))
        [before] = self.rows("P", "_version")
        self.do(update("P", [], n=1), mutate("P", ("n", "+=", 0)))
        self.assertEqual(self.rows("P", "_version"), [before])
        self.do(update("P", [], n=2))
        self.assertNotEqual(self.rows("P", "_version"), [before])

    def test_counting(self):
        """Section 7, behaviour: mutate without mutations counts."""
        self.do(insert("P"), insert("P", n=1))
        self.assertEqual(self.do(mutate("P"), mutate("P", where=[["n", "==", 1]])), [{"count": 2}, {"count": 1}])

    def test_select_sees_the_transaction(self):
        """Section 7, behaviour: its own inserts, deletes and changes, through indexes too; named-uuid in conditions."""
        self.do(insert("X", n=1, s="a"), insert("X", n=2, s="b"))
        results = self.do(update("X", [["n", "==", 1]], n=5), delete("X", [["n", "==", 2]]), insert("X", "new", n=7),
                          *(select("X", [["n", "==", number]], "n") for number in (1, 2, 5, 7)),
                          select("X", [["_uuid", "==", ["named-uuid", "new"]]], "n"))
        self.assertEqual([[row["n"] for row in result["rows"]] for result in results[3:]], [[], [], [5], [7], [7]])

    def test_garbage_collection(self):
        """Section 7, behaviour: rows that no strong reference reaches directly go, repeatedly; cycles stay."""
        self.do(insert("b", "z", n=3), insert("b", "y", n=2, next=["named-uuid", "z"]),
                insert("b", "x", n=1, next=["named-uuid", "y"]), insert("a", a2b=["named-uuid", "x"]),
                insert("b", n=4), insert("b", "self", n=5, next=["named-uuid", "self"]),
                insert("b", "c", n=6, next=["named-uuid", "d"]), insert("b", "d", n=7, next=["named-uuid", "c"]))
        self.assertEqual(sorted(row["n"] for row in self.rows("b", "n")), [1, 2, 3, 6, 7])
        self.do(update("a", [], a2b=["set", []]))
        self.assertEqual(sorted(row["n"] for row in self.rows("b", "n")), [6, 7])

    def test_all_tables_are_roots_if_none_is(self):
        """Section 7, behaviour: isRoot nowhere."""
        schema = {"name": "R", "version": "1.0.0", "tables": {"b": {"columns": {"n": {"type": "integer"}}}}}
        server = self.server("roots", [self.database("roots.db", schema)])
        with server.connect() as client:
            client.transact("R", insert("b", n=1))
            self.assertEqual(len(client.transact("R", select("b"))[0]["rows"]), 1)

    def test_comments(self):
        """Section 7, behaviour: kept in the file, several joined by newlines."""
        self.do({"op": "comment", "comment": "one"}, insert("P"), {"op": "comment", "comment": "two"})
        self.assertRegex((self.scratch.path / "db.db").read_text(), re.escape(r'"_comment":"one\ntwo"'))

    def test_commit(self):
        """Section 7, behaviour: commit, durable or not; results of a failed commit."""
        self.assertEqual(self.do(insert("P", n=3), {"op": "commit", "durable": True})[1], {})
        self.assertEqual(self.do({"op": "commit", "durable": False}), [{}])
        results = self.client.result("transact", "D", insert("One"), insert("One"))
        self.assertEqual([sorted(result) for result in results], [["uuid"], ["uuid"], ["details", "error"]])

    def test_reals(self):
        """Section 7: reals are shown with 15 digits."""
        schema = {"name": "R", "version": "1.0.0", "tables": {"r": {"columns": {"r": {"type": "real"}}}}}
        server = self.server("reals", [self.database("reals.db", schema)])
        with server.connect() as client:
            client.transact("R", insert("r", r=0.1), mutate("r", ("r", "+=", 0.2)))
            self.assertEqual(client.transact("R", select("r", [], "r")), [{"rows": [{"r": 0.3}]}])
            self.assertEqual(client.transact("R", select("r", [["r", "==", 0.1 + 0.2]], "r")), [{"rows": [{"r": 0.3}]}])


if __name__ == "__main__":
    main()
