#!/usr/bin/python3
"""The database file: records, damage, links, compaction (surface, section 10)."""

import hashlib
import json
import os

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.surface import DB, SCHEMA, SurfaceTest, insert
from harness.server import create_database

TWO = "11111111-1111-1111-1111-111111111111"


class File(SurfaceTest):
    def lines(self, name="db"):
        return (self.path / name).read_text().splitlines()

    def records(self, name="db"):
        return [json.loads(line) for line in self.lines(name)[1::2]]

    def transact(self, *operations, check=True):
        with Connection(self.socket) as peer:
            return peer.transact(DB, *operations) if check else peer.result("transact", DB, *operations)

    def numbers(self):
        rows = self.transact({"op": "select", "table": DB, "where": [], "columns": ["number"]})[0]["rows"]
        return sorted(row["number"] for row in rows)

    def append(self, text, name="db"):
        with open(self.path / name, "ab") as file:
            file.write(text)

    @staticmethod
    def record(body):
        data = body.encode() + b"\n"
        return b"OVSDB JSON %d %s\n%s" % (len(data), hashlib.sha1(data).hexdigest().encode(), data)

    def opening(self):
        """What a start says on the console, without module and level."""
        status, out, err = self.run_server("-vPATTERN:console:%p|%m", "db", "--run=true")
        self.assertEqual((status, out), (0, ""))
        return err.splitlines()

    def test_records_of_transactions(self):
        """Section 10: two lines a transaction; defaults omitted, deleted rows null; comments joined by newlines."""
        self.start()
        self.assertEqual(len(self.lines()), 2)
        uuid = self.transact({"op": "insert", "table": DB, "row": {"number": 0, "name": "zero"}},
                             {"op": "comment", "comment": "one"}, {"op": "comment", "comment": "two"})[0]["uuid"][1]
        self.assertEqual(len(self.lines()), 4)
        self.transact({"op": "update", "table": DB, "where": [], "row": {"number": 0}})
        self.assertEqual(len(self.lines()), 4)  # nothing changed
        self.transact({"op": "update", "table": DB, "where": [], "row": {"number": 1}})
        self.transact({"op": "delete", "table": DB, "where": []})
        _, first, second, third = self.records()
        for record in (first, second, third):
            self.assertIs(record.pop("_is_diff"), True)
            self.assertIsInstance(record.pop("_date"), int)
        self.assertEqual(first, {"_comment": "one\ntwo", DB: {uuid: {"name": "zero"}}})
        self.assertEqual(second, {DB: {uuid: {"number": 1}}})
        self.assertEqual(third, {DB: {uuid: None}})

    def test_differences_of_sets(self):
        """Section 10, _is_diff: a difference may have more elements than the type allows; whole columns on demand."""
        schema = {"name": "sets", "version": "1.0.0", "tables": {"t": {"columns": {
            "s": {"type": {"key": "integer", "min": 1, "max": 2}}}}}}
        for options in ([], ["--disable-file-column-diff"]):
            create_database(self.scratch, "sets", schema)
            for values in ([3, 4], [5, 6], [5], [7]):
                operation = {"op": "update", "table": "t", "where": [], "row": {"s": ["set", values]}}
                if values == [3, 4]:
                    operation = {"op": "insert", "table": "t", "row": {}}, operation | {"row": {"s": ["set", [3, 4]]}}
                else:
                    operation = (operation,)
                words = json.dumps(json.dumps(["sets", *operation]))
                outcome = self.run_server("sets", "--remote=punix:db.sock", *options,
                                          f"--run=ovsdb-client transact {self.socket} {words}")
                self.assertEqual((outcome[0], outcome[2]), (0, ""))
            self.assertEqual(self.run_server("sets", "--remote=punix:db.sock", "--run=ovsdb-client -f csv "
                                             f"--no-headings dump {self.socket} sets t s"), (0, "t table\n[7]\n", ""))
            second = next(iter(self.records("sets")[2]["t"].values()))["s"]
            self.assertEqual(sorted(second[1]), [5, 6] if options else [3, 4, 5, 6])
            os.unlink(self.path / "sets")

    def test_files_with_whole_columns_are_read(self):
        """Section 10: files without _is_diff."""
        for body in ({DB: {TWO: {"number": 2, "name": "two"}}}, {"_date": 1, DB: {TWO: {"name": "zwei"}}}):
            self.append(self.record(json.dumps(body)))
        self.assertEqual(self.opening(), [])
        self.start()
        self.assertEqual(self.transact({"op": "select", "table": DB, "where": [], "columns": ["number", "name"]}),
                         [{"rows": [{"number": 2, "name": "zwei"}]}])

    def test_rubbish_at_the_end_is_told_and_cut_by_the_next_write(self):
        """Section 10: garbage after the last good record, and a good record with bad contents."""
        self.start()
        self.transact(insert(1))
        self.exit()
        bodies = {b"xxx\n": 'syntax error: db: parse error at offset {0} in header line "xxx"',
                  self.record('{"invalid":{}}'): 'syntax "{{"invalid":{{}}}}": unknown table: No table named invalid.',
                  self.record("{"): "syntax error: db: 2 bytes starting at offset {1} are not valid JSON "
                                    "(line 1, column 0, byte 2: unexpected end of input)",
                  self.record("[]"): "syntax error: db: 3 bytes starting at offset {1} are not a JSON object",
                  b"OVSDB JSON 10 " + b"0" * 40 + b"\nabc\n":
                      "I/O error: db: error reading 10 bytes starting at offset {2} (End of file)"}
        for number, (rubbish, text) in enumerate(bodies.items(), 2):
            offset = os.path.getsize(self.path / "db")
            self.append(rubbish)
            expected = ["WARN|" + text.format(offset, offset + 54, offset + 55)]
            self.assertEqual(self.opening(), expected)
            self.assertEqual(self.opening(), expected)
            self.start()
            self.assertEqual(self.numbers(), list(range(1, number)))
            self.transact(insert(number))
            self.exit()
            self.assertEqual(self.opening(), [])

    def test_compaction_leaves_two_records(self):
        """Section 10: by command, 4 lines; each later transaction adds two; section 5: compact."""
        self.start()
        for number in range(5):
            self.transact(insert(number))
        self.assertEqual(len(self.lines()), 12)
        self.assertEqual(self.ctl("ovsdb-server/compact"), "")
        self.assertEqual(len(self.lines()), 4)
        self.transact(insert(5))
        self.assertEqual(len(self.lines()), 6)
        self.assertEqual(self.ctl("ovsdb-server/compact", DB), "")
        self.assertEqual(len(self.lines()), 4)
        self.assertEqual(self.records()[0], json.loads(json.dumps(self.records()[0] | {
            "version": "5.1.3", "cksum": "12345678 9", "name": DB})))
        self.assertEqual(self.numbers(), list(range(6)))
        self.assertEqual([name for name in os.listdir(self.path) if "tmp" in name], [])
        self.exit()
        self.assertEqual(self.troubles(), [])
        self.assertEqual(self.run_server("db", "--run=true", binary=environment.STOCK_SERVER), (0, "", ""))

    def test_conversion_leaves_two_records(self):
        """Section 10: after conversion; sections 6 and 9."""
        self.start()
        self.transact(insert(1))
        (self.path / "new.ovsschema").write_text(json.dumps(SCHEMA | {"version": "5.1.4"}))
        self.client("convert", self.socket, "new.ovsschema")
        self.assertEqual(len(self.lines()), 4)
        self.assertEqual(self.records()[0]["version"], "5.1.4")
        self.assertEqual(self.client("get-schema-version", self.socket, DB), "5.1.4\n")
        self.assertEqual(self.numbers(), [1])

    def test_links_stay(self):
        """Section 10: symbolic links of database and lock file; their targets are replaced."""
        for folder in ("data", "locks"):
            (self.path / folder).mkdir()
        os.rename(self.path / "db", self.path / "data" / "real")
        os.symlink("data/real", self.path / "db")
        lock = self.path / "data" / ".real.~lock~"
        lock.unlink(missing_ok=True)
        os.symlink("../locks/lock", lock)  # dangling
        self.start()
        self.transact(insert(1))
        self.ctl("ovsdb-server/compact")
        (self.path / "new.ovsschema").write_text(json.dumps(SCHEMA | {"version": "5.1.4"}))
        self.client("convert", self.socket, "new.ovsschema")
        self.assertTrue((self.path / "db").is_symlink() and lock.is_symlink())
        self.assertTrue((self.path / "locks" / "lock").exists())
        self.assertEqual(len(self.lines("data/real")), 4)
        self.assertEqual(self.numbers(), [1])
        self.assertEqual(self.troubles(), [])

    def test_the_file_is_locked(self):
        """Section 10: the lock, held while open; section 3 of the tests on locks: who has it."""
        self.start()
        status, out, err = self.run_server("db", "--run=true", "-vPATTERN:console:%c|%p|%m")
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(err.splitlines()[0], "lockfile|WARN|.db.~lock~: cannot lock file because it is already "
                                              f"locked by pid {self.pid()}")
        self.assertIn("I/O error: db: failed to lock lockfile (Resource temporarily unavailable)", err)

    def test_backups_and_tools_make_files_to_serve(self):
        """Section 10: ovsdb-client backup; files of ovsdb-tool create, transact, convert, compact."""
        self.start()
        self.transact(insert(1))
        (self.path / "copy").write_text(self.client("backup", self.socket, DB))
        self.exit()
        for step in (["transact", "copy", json.dumps([DB, insert(2)])], ["compact", "copy"],
                     ["transact", "copy", json.dumps([DB, insert(3)])]):
            self.scratch.run("ovsdb-tool", *step)
            self.assertEqual(self.run_server("copy", "--run=true"), (0, "", ""))
        self.start(databases=["copy"])
        self.assertEqual(self.numbers(), [1, 2, 3])

    def test_files_that_are_none(self):
        """Section 10; the error for a clustered file names the way out."""
        def why(name="db"):
            status, _, err = self.run_server("-vPATTERN:console:%m", name, "--run=true")
            self.assertEqual(status, 1)
            return err.splitlines()[0].partition(f"failed to open database '{name}': ")[2]
        for text, expected in ((b"", "ovsdb error: db: cannot identify file type"),
                               (b"foo\n", "ovsdb error: db: unexpected file format"),
                               (self.record("{}"), 'syntax "{}": syntax error: Parsing database schema failed: '
                                                   "Required 'name' member is missing."),
                               (self.record("[]"), "syntax error: db: 3 bytes starting at offset 54 are not a "
                                                   "JSON object")):
            (self.path / "db").write_bytes(text)
            self.assertEqual(why(), expected)
        self.scratch.run("ovsdb-tool", "create", "plain", "db.ovsschema")
        self.scratch.run("ovsdb-tool", "create-cluster", "raft", "plain", "tcp:127.0.0.1:6643")
        self.assertIn("ovsdb-tool cluster-to-standalone", why("raft"))


if __name__ == "__main__":
    main()
