#!/usr/bin/python3
"""Actives that lie: whatever one sends, a backup stays a backup, says what is wrong, and follows an honest one again."""

import json

from harness.case import SystemTest, main
from harness.fake_active import UNKNOWN, FakeActive, position_after, record_text
from harness.server import wait_until

DB = "Lies"
SCHEMA = {
    "name": DB,
    "version": "1.0.0",
    "tables": {
        "T": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "n": {"type": {"key": {"type": "integer", "maxInteger": 9}}},
                "refs": {"type": {"key": {"type": "uuid", "refTable": "U"}, "min": 0, "max": "unlimited"}},
                "seen": {"type": "integer", "ephemeral": True},
            },
            "indexes": [["name"]],
        },
        "U": {"isRoot": True, "columns": {"x": {"type": "integer"}}},
    },
}
NEW = "22222222-2222-4222-8222-222222222222"
FAR = {"epoch": 2**63 - 1, "index": 7, "digest": NEW}
HIGH = {"epoch": 1, "index": 2**63 - 1, "digest": NEW}


def resume(*records):
    """An active at the backup's own position that sends RECORDS: functions of (position, known row) that return
    the parameter of "tandem_record"."""
    def follow(session, params, known):
        position = params[1]["position"]
        session.later = [("tandem_record", DB, record(position, known)) for record in records]
        return {"mode": "resume", "position": position}
    return follow


def record(body, ephemeral=None, epoch=None, **more):
    """A record with the position that it leads to. BODY and EPHEMERAL may use %(known)s."""
    def make(position, known):
        text = record_text(body).replace("%(known)s", known)
        result = {"record": text, "position": position_after(position, text, epoch)} | more
        if ephemeral is not None:
            result["ephemeral"] = ephemeral(known)
        return result
    return make


def rows(reply, *messages):
    """An active that has the backup compare, and then sends rows."""
    def follow(session, params, _):
        position = params[1]["position"]
        if "buckets" not in params[1]:
            return {"mode": "compare", "position": FORKED}
        session.later = [("tandem_rows", DB, message) for message in messages]
        return {"mode": "rows", "position": FORKED, "oldest": position, "rows": len(messages),
                "buckets": {"T": [1, [0]], "U": [1, [0]]}} | reply
    return follow


FORKED = {"epoch": 0, "index": 5, "digest": NEW}


def row(name, uuid=NEW, kind="initial", table="T", **more):
    return {table: {uuid: {kind: {"name": name} | more}}}


# What it does, how tandem_follow answers, and what the backup's status says.
STREAM = [
    ("a table twice, a row of it unknown",
     resume(record('{"T":{"%(known)s":null},"T":{"' + NEW + '":null}}')), "does not exist"),
    ("no JSON", resume(record("{")), "could not be applied"),
    ("two records in one", resume(record("{}{}")), "could not be applied"),
    ("a record of two lines", resume(record('{\n"U":{}}')), "more than one line"),
    ("a comment that is no JSON", resume(record('{"_comment":[},"U":{}}')), "could not be applied"),
    ("a date of another type", resume(record('{"_date":"x"}')), "No table named _date"),
    ("a schema for a record", resume(record(SCHEMA)), "unknown table"),
    ("an unknown column", resume(record({"T": {NEW: {"more": 1}}})), "unknown column"),
    ("a value of another type", resume(record({"T": {NEW: {"n": "x"}}})), "expected integer"),
    ("a value beyond its limit", resume(record({"T": {NEW: {"n": 10}}})), "maximum allowed"),
    ("a second row of a key", resume(record({"T": {NEW: {"name": "known"}}})), "identical values"),
    ("a reference to no row", resume(record({"T": {NEW: {"refs": ["uuid", NEW]}}})), "nonexistent row"),
    ("an unknown row deleted", resume(record({"T": {NEW: None}})), "does not exist"),
    ("persistent values beside a record",
     resume(record("{}", lambda known: {"T": {known: {"old": {}, "new": {"n": 3}}}})), "not of ephemeral"),
    ("a new row beside a record", resume(record("{}", lambda _: {"T": {NEW: {"new": {"seen": 3}}}})), "not of ephemeral"),
    ("a row beside a record, twice", resume(record("{}", lambda _: {"T": {
        "abcdef00-0000-4000-8000-000000000000": {"old": {}, "new": {"seen": 1}},
        "ABCDEF00-0000-4000-8000-000000000000": {"old": {}, "new": {"seen": 1}}}})), "names a row twice"),
    ("another position", resume(record("{}", position=FORKED)), "diverged"),
    ("an epoch beyond all", resume(record('{"_comment":"tandem: promotion epoch=9223372036854775807"}',
                                          epoch=2**63 - 1)), "cannot be"),
    ("an epoch beyond, by its mark alone",
     resume(record('{"_comment":"tandem: promotion epoch=4611686018427387904"}', epoch=2**62)), "cannot be"),
    ("an index beyond all", resume(record("{}", position=HIGH)), "cannot be"),
    ("no position", resume(lambda *_: {"record": "{}"}), "record cannot be read"),
    ("a number for a record", resume(lambda *_: 5), "record cannot be read"),
    ("a position of that epoch", lambda *_: {"mode": "resume", "position": FAR}, "cannot be"),
    ("rows at that epoch", rows({"position": FAR}), "cannot be"),
    ("rows at that index", rows({"position": HIGH}), "cannot be"),
    ("a number for a reply", lambda *_: 5, "reply to tandem_follow"),
    ("rows that were not asked for", lambda *_: {"mode": "rows", "position": FORKED, "oldest": FORKED, "rows": 0,
                                                 "buckets": {}}, "does not answer"),
    ("no end of comparing", lambda *_: {"mode": "compare", "position": FORKED}, "does not answer"),
    ("a number for rows", rows({}, 5), "rows cannot be read"),
    ("rows of other buckets", rows({"buckets": {"U": [1, [0]]}}, row("x")), "not asked for"),
    ("a row twice", rows({"rows": 2}, row("x"), row("x")), "came twice"),
    ("a change for a row", rows({}, row("x", kind="modify")), "could not be applied"),
    ("two rows of a key", rows({"rows": 2}, row("x"), row("x", NEW[:-1] + "3")), "identical values"),
    ("a row that refers to none", rows({}, row("x", refs=["uuid", NEW])), "nonexistent row"),
    ("more rows than announced", rows({"rows": 1}, {"T": {NEW: {"initial": {}}, NEW[:-1] + "3": {"initial": {}}}}),
     "more rows came"),
]

KNOWN = "%(known)s"


def contents(*updates, first=None):
    """A server without streams whose contents are FIRST (or what the backup has), and then change by UPDATES."""
    def monitor(session, _, known):
        def filled(value):
            return json.loads(record_text(value).replace(KNOWN, known))
        session.later = [("update", DB, filled(update)) for update in updates]
        return filled({"T": {KNOWN: {"new": {"name": "known", "n": 1}}}} if first is None else first)
    return monitor


MONITOR = [
    ("an array for contents", contents(first=[]), "not an object"),
    ("contents of an unknown table", contents(first={"V": {}}), "No table named"),
    ("contents of an unknown column", contents(first={"T": {NEW: {"new": {"more": 1}}}}), "No column more"),
    ("contents with a change", contents(first={"T": {NEW: {"old": {}, "new": {}}}}), "change of unknown"),
    ("contents with two rows of a key",
     contents(first={"T": {NEW: {"new": {}}, NEW[:-1] + "3": {"new": {}}}}), "identical values"),
    ("a change of an unknown row", contents({"T": {NEW: {"old": {}, "new": {"n": 2}}}}), "change of unknown"),
    ("a deletion of an unknown row", contents({"T": {NEW: {"old": {}}}}), "deletion of unknown"),
    ("a row that is there inserted", contents({"T": {KNOWN: {"new": {}}}}), "insertion of existing"),
    ("an update of an unknown table", contents({"V": {}}), "No table named"),
    ("an update of another type", contents({"T": {KNOWN: {"old": {}, "new": {"n": "x"}}}}), "expected integer"),
    ("an update of no row", contents({"T": {KNOWN: 5}}), "not an object"),
    ("an update of a bad UUID", contents({"T": {"x": {"old": {}}}}), "no UUID"),
    ("a number for an update", contents(5), "not an object"),
]


class LyingActive(SystemTest):
    def setUp(self):
        super().setUp()
        self.honest = self.server("honest", [self.database("honest.db", SCHEMA)])
        with self.honest.connect() as connection:
            [inserted] = connection.transact(DB, {"op": "insert", "table": "T", "row": {"name": "known", "n": 1}})
        self.known = inserted["uuid"][1]
        self.backup = self.server("backup", [self.database("backup.db", SCHEMA)], f"--sync-from={self.honest.socket}")
        self.changes = 0
        self.follow_honest()

    def status(self):
        return self.backup.appctl("tandem/status")

    def follow_honest(self):
        """The backup comes to what the honest active has, a change made just now included."""
        self.changes += 1
        with self.honest.connect() as connection:
            connection.transact(DB, {"op": "insert", "table": "T", "row": {"name": f"change {self.changes}"}})
        self.backup.appctl("ovsdb-server/set-active-ovsdb-server", self.honest.socket)
        self.backup.appctl("ovsdb-server/connect-active-ovsdb-server")
        expected = self.honest.dump(DB)
        wait_until(lambda: self.backup.dump(DB) == expected, "the backup to follow the honest active")

    def lie(self, name, answers, words):
        before = self.backup.dump(DB)
        path = self.scratch.path / "liar.sock"
        path.unlink(missing_ok=True)
        liar = FakeActive(path, DB, SCHEMA, answers)
        self.addCleanup(liar.close)
        self.backup.appctl("ovsdb-server/set-active-ovsdb-server", liar.remote)
        self.backup.appctl("ovsdb-server/connect-active-ovsdb-server")
        wait_until(lambda: not self.backup.alive() or words in self.status(), f"the backup to say: {words}")
        self.assertTrue(self.backup.alive(), name)
        self.assertIn("state: backup", self.backup.appctl("ovsdb-server/sync-status"))
        with self.backup.connect() as connection:
            [result] = connection.result("transact", DB, {"op": "insert", "table": "T", "row": {}})
            self.assertEqual(result["error"], "not allowed")
        self.assertIn(words, self.backup.log())
        liar.close()
        return before

    def test_every_lie_of_a_stream(self):
        for name, follow, words in STREAM:
            with self.subTest(name):
                answer = (lambda follow: lambda session, params: follow(session, params, self.known))(follow)
                before = self.lie(name, {"tandem_follow": answer, "tandem_ack": lambda *_: FORKED}, words)
                self.assertEqual(self.backup.dump(DB), before)
                self.follow_honest()
        # Whatever it was told, what is on the disk is what it serves, and it can be promoted.
        before = self.backup.dump(DB)
        self.backup.kill()
        self.backup.start()
        self.assertEqual(self.backup.dump(DB), before)
        self.assertNotIn("torn", self.backup.log())
        self.backup.appctl("tandem/promote")
        with self.backup.connect() as connection:
            connection.transact(DB, {"op": "insert", "table": "T", "row": {"name": "promoted"}})

    def test_every_lie_of_a_monitor(self):
        for name, monitor, words in MONITOR:
            with self.subTest(name):
                answer = (lambda monitor: lambda session, params: monitor(session, params, self.known))(monitor)
                self.lie(name, {"tandem_follow": lambda *_: UNKNOWN, "monitor": answer}, words)
                self.follow_honest()

    def test_a_table_twice_in_a_record_is_applied_as_it_stands_last(self):
        twice = resume(record('{"T":{"%(known)s":null},"T":{"%(known)s":null}}'))
        path = self.scratch.path / "liar.sock"
        liar = FakeActive(path, DB, SCHEMA, {"tandem_follow": lambda session, params: twice(session, params, self.known)})
        self.addCleanup(liar.close)
        self.backup.appctl("ovsdb-server/set-active-ovsdb-server", liar.remote)
        self.backup.appctl("ovsdb-server/connect-active-ovsdb-server")
        wait_until(lambda: not self.backup.alive() or "known" not in str(self.backup.dump(DB)), "the row to go")
        self.assertTrue(self.backup.alive())
        # What it serves is what its file says, without anyone to ask.
        liar.close()
        self.honest.stop()
        self.backup.kill()
        self.backup.start()
        self.assertNotIn("known", str(self.backup.dump(DB)))
        self.honest.start()
        self.follow_honest()


if __name__ == "__main__":
    main()
