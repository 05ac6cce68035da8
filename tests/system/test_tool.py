#!/usr/bin/python3
"""tandem-tool, called ovsdb-tool, does with the same files what Debian's ovsdb-tool does.

Each of the two works in a folder of its own, `stock` and `ours`, that begin alike. Equal are standard
output, the error text and the exit status; log lines (lockfile's warnings) are no part of it. Deliberate
differences: `query` forgets what a transaction changed (stock answers with an I/O error), a target of compact
and convert must not exist (as its manual says; stock overwrites it), and convert heeds indexes.
"""

import fcntl
import hashlib
import json
import re
import shutil
import subprocess

from harness import environment
from harness.case import SystemTest, main

COLUMNS = {
    "name": {"type": "string"},
    "number": {"type": "integer"},
    "real": {"type": "real"},
    "maybe": {"type": {"key": "string", "min": 0, "max": 1}},
    "tags": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
    "ids": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}},
    "passing": {"type": "integer", "ephemeral": True},
}
SCHEMA = {"name": "lab", "version": "1.2.3", "cksum": "12345 9", "tables": {
    "Named": {"columns": COLUMNS, "isRoot": True, "indexes": [["name"]]},
    "Nameless": {"columns": {"x": {"type": "real"}}, "isRoot": True},
    "Group": {"columns": {"name": {"type": {"key": "string", "min": 0, "max": "unlimited"}}}, "isRoot": True}}}
NEWER = json.loads(json.dumps(SCHEMA).replace("1.2.3", "1.3.0").replace('"x"', '"y"'))
NO_VERSION = {"name": "old", "tables": {"Named": {"columns": {"name": {"type": "string"}}}}}
MISFIT = {"name": "lab", "tables": {"Named": {"columns": {"name": {"type": "integer"}}}}}
UUID = "00000000-0000-4000-8000-00000000000%d"

TRANSACTIONS = [
    [{"op": "insert", "table": "Named", "uuid": UUID % 1, "row": {
        "name": "one", "number": 3, "real": 0.1, "maybe": "", "passing": 7, "tags": ["set", ["a", "b c"]],
        "ids": ["map", [["k", "1"], ["a b", "true"]]]}},
     {"op": "comment", "comment": "first \"thing\""}],
    [{"op": "insert", "table": "Named", "uuid": UUID % 2, "row": {"name": "tw\"o", "maybe": "5"}},
     {"op": "insert", "table": "Nameless", "uuid": UUID % 3, "row": {"x": 1.5}},
     {"op": "insert", "table": "Group", "uuid": UUID % 4, "row": {"name": ["set", ["c1", "c2"]]}},
     {"op": "insert", "table": "Group", "uuid": UUID % 5, "row": {"name": "only"}},
     {"op": "insert", "table": "Group", "uuid": UUID % 6, "row": {}}],
    [{"op": "insert", "table": "Named", "uuid": UUID % 7, "row": {"name": "one"}}],
    [{"op": "update", "table": "Named", "where": [["name", "==", "one"]],
      "row": {"number": 4, "maybe": ["set", []], "tags": ["set", ["a", "c"]], "name": "renamed"}},
     {"op": "update", "table": "Group", "where": [], "row": {"name": ["set", ["c2", "c3"]]}},
     {"op": "comment", "comment": "second\nline"}],
    [{"op": "select", "table": "Named", "where": [], "columns": ["_uuid", "name", "tags", "ids", "passing"]},
     {"op": "commit", "durable": True}],
    [{"op": "delete", "table": "Group", "where": []}, {"op": "delete", "table": "Nameless", "where": []}],
    [{"op": "comment", "comment": "c"}, {"op": "wait", "table": "Named", "where": [], "columns": ["name"],
                                         "until": "==", "rows": [], "timeout": 1000}, {"op": "abort"}],
    [{"op": "wait", "table": "Named", "where": [], "columns": ["name"], "until": "==", "rows": []}],
    [{"op": "wait", "table": "Named", "where": [], "columns": ["name"], "until": "==", "rows": [], "timeout": 0}],
    [{"op": "assert", "lock": "x"}],
    [{"op": "frob"}],
    [{"op": "abort"}, {"op": "commit", "durable": False}],
]


def record(body):
    text = (body if isinstance(body, str) else json.dumps(body)) + "\n"
    return f"OVSDB JSON {len(text)} {hashlib.sha1(text.encode()).hexdigest()}\n{text}"


def plain(output):
    """Output without what is in no order: selected rows, and which of two equal rows comes first."""
    if not output.startswith("["):
        return output
    results = json.loads(output)
    for result in filter(None, results):
        if "rows" in result:
            result["rows"].sort(key=json.dumps)
        result["details"] = result.get("details", "").split("  First row, ")[0]
    return results


def shown_log(text):
    """The records of show-log's output as sets of rows with sets of columns: their order is nobody's promise."""
    records = []
    for entry in re.split(r"(?m)^(?=record \d+:)", text):
        head, *rows = re.split(r"(?m)^(?=  table )", entry.rstrip("\n") + "\n")
        records.append((head.strip(), sorted(tuple([row.split("\n")[0], *sorted(row.split("\n")[1:])]) for row in rows)))
    return records


class Tool(SystemTest):
    def setUp(self):
        super().setUp()
        self.tools = {}
        for folder, program in (("stock", environment.STOCK_TOOL), ("ours", environment.TOOL)):
            (self.scratch.path / folder).mkdir()
            link = self.scratch.path / f"bin-{folder}" / "ovsdb-tool"
            link.parent.mkdir()
            link.symlink_to(program)
            self.tools[folder] = link
        for name, schema in (("schema", SCHEMA), ("newer", NEWER), ("old", NO_VERSION), ("misfit", MISFIT)):
            self.write(f"{name}.ovsschema", json.dumps(schema))

    def write(self, name, text):
        for folder in self.tools:
            (self.scratch.path / folder / name).write_text(text)

    def path(self, folder, name):
        return self.scratch.path / folder / name

    def call(self, folder, *words, env=()):
        """What the user sees: output, error text, exit status."""
        done = subprocess.run(
            ["ovsdb-tool", *words], executable=self.tools[folder], cwd=self.scratch.path / folder, env={**self.scratch.env, **dict(env)},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=environment.timeout_s(60))
        errors = [line for line in done.stderr.splitlines() if not re.match(r"\d{4}-\d\d-\d\dT.*\|", line)]
        return done.stdout, "\n".join(errors), done.returncode

    def ours(self, *words):
        output, error, status = self.call("ours", *words)
        self.assertEqual((error, status), ("", 0), words)
        return output

    def alike(self, *words, env=()):
        """Both say the same."""
        with self.subTest(words=" ".join(words)[:200]):
            stock, ours = self.call("stock", *words, env=env), self.call("ours", *words, env=env)
            self.assertEqual((plain(ours[0]), *ours[1:]), (plain(stock[0]), *stock[1:]))

    def alike_log(self, *words):
        with self.subTest(words=" ".join(words)):
            stock, ours = self.call("stock", *words), self.call("ours", *words)
            self.assertEqual(shown_log(ours[0]), shown_log(stock[0]))
            self.assertEqual(ours[1:], stock[1:])

    def filled(self, name="db"):
        """The same database for both, written by stock."""
        self.assertEqual(self.call("stock", "create", name, "schema.ovsschema")[2], 0)
        for operations in TRANSACTIONS[:4]:
            self.call("stock", "transact", name, json.dumps(["lab", *operations]))
        shutil.copy(self.path("stock", name), self.path("ours", name))

    def rows(self, folder, name, table="Named", column="name"):
        request = ["lab", {"op": "select", "table": table, "where": [], "columns": [column]}]
        return plain(self.call(folder, "query", name, json.dumps(request))[0])

    def test_create_makes_a_file_that_both_read(self):
        self.alike("create", "db", "schema.ovsschema")
        self.alike("create", "db", "schema.ovsschema")  # exists
        self.alike("create", "other", "missing.ovsschema")
        self.alike("create", "a", "b", "c")
        self.assertEqual(self.path("ours", "db").stat().st_mode, self.path("stock", "db").stat().st_mode)
        shutil.copy(self.path("ours", "db"), self.path("stock", "from-ours"))
        self.assertEqual(self.call("stock", "needs-conversion", "from-ours", "schema.ovsschema"), ("no\n", "", 0))

    def test_what_files_say_of_their_schema(self):
        self.filled()
        self.alike("create", "plain", "old.ovsschema")
        self.write("junk", "junk\n")
        self.write("empty", "")
        for word in ("name", "version", "cksum"):
            for file in ("db", "plain", "missing", "junk", "empty"):
                self.alike(f"db-{word}", file)
            for file in ("schema.ovsschema", "old.ovsschema", "missing", "junk", "empty", "."):
                self.alike(f"schema-{word}", file)
            self.alike(f"db-{word}", "db", "more")
        for file in ("schema.ovsschema", "newer.ovsschema", "missing", "junk"):
            self.alike("needs-conversion", "db", file)
        self.alike("needs-conversion", "missing", "schema.ovsschema")

    def test_bad_schemas_are_explained(self):
        for number, text in enumerate(('{"name":5}', '{"name":"x","tables":{"A":{"columns":{}}}}', "[1", '{"a":1} x',
                                       '{"name":"x","tables":{},"version":"1"}', "[]",
                                       '{"name":"x","tables":{"_A":{"columns":{"a":{"type":"string"}}}}}')):
            self.write(f"bad{number}", text)
            self.alike("schema-name", f"bad{number}")
            self.alike("create", "db", f"bad{number}")

    def test_kinds_of_files(self):
        self.filled()
        self.write("junk", "junk\n")
        self.assertEqual(self.call("stock", "create-cluster", "cluster", "old.ovsschema", "tcp:127.0.0.1:6644")[2], 0)
        shutil.copy(self.path("stock", "cluster"), self.path("ours", "cluster"))
        for word in ("db-is-clustered", "db-is-standalone"):
            for file in ("db", "cluster", "junk", "missing"):
                self.alike(word, file)
        for word in ("db-cid", "db-sid", "db-local-address"):
            for file in ("db", "junk", "missing"):
                self.alike(word, file)

    def test_what_needs_a_cluster_is_refused_with_a_reason(self):
        self.assertEqual(self.call("stock", "create-cluster", "cluster", "old.ovsschema", "tcp:127.0.0.1:6644")[2], 0)
        shutil.copy(self.path("stock", "cluster"), self.path("ours", "cluster"))
        for words in (["create-cluster", "c", "old.ovsschema", "tcp:127.0.0.1:1"], ["check-cluster", "cluster"],
                      ["join-cluster", "c", "old", "tcp:127.0.0.1:1", "tcp:127.0.0.1:2"], ["db-cid", "cluster"],
                      ["cluster-to-standalone", "new", "cluster"], ["compact", "cluster"], ["db-name", "cluster"],
                      ["transact", "cluster", "[]"], ["show-log", "cluster"]):
            with self.subTest(words=words):
                output, error, status = self.call("ours", *words)
                self.assertEqual((output, status), ("", 1))
                self.assertIn("not supported", error)
                self.assertIn("ovsdb-tool", error.split(": ", 1)[1])

    def test_versions_are_compared(self):
        for a, b in (("1.2.3", "1.2.10"), ("1.2.3", "1.2.3"), ("2.0.0", "1.9.9"), ("01.2.3", "1.2.3"),
                     ("1.2", "1.2.3"), ("x", "1.2.3"), ("1.2.3.4", "1.2.3"), ("1.2.3", "")):
            for op in ("<", "<=", "==", ">=", ">", "!=", "=", "foo", ""):
                self.alike("compare-versions", a, op, b)
        self.alike("compare-versions", "1.2.3")

    def test_wrong_command_lines(self):
        for words in ([], ["frob"], ["--frob"], ["-x"], ["--version=3"], ["--rbac-role"], ["db-name", "a", "b"],
                      ["db-is-clustered"], ["transact"], ["query", "a", "b", "c"], ["db-cid"], ["-vfoo", "help"],
                      ["create-cluster"], ["check-cluster"], ["cluster-to-standalone", "x"], ["compare-versions"]):
            self.alike(*words)

    def test_options_may_stand_anywhere(self):
        self.filled()
        self.alike("db-name", "--", "db")
        self.alike("db-name", "db", "--mor", "-vdbg", "--verbose=console:off", "-v", "PATTERN:console:%m")
        self.alike("-mvdbg", "db-name", "db")
        log = self.path("ours", "tool.log")
        self.ours(f"--log-file={log}", "--syslog-method=null", "-vfile:dbg", "db-name", "db")
        self.assertTrue(log.exists())
        self.assertTrue(self.ours("--version").startswith("ovsdb-tool (Open vSwitch) 3.1.0\n"))
        self.assertEqual(self.ours("--help"), self.ours("help"))
        options = set(self.call("stock", "--option")[0].split("\n"))
        self.assertLessEqual(options, set(self.ours("-o").split("\n")))
        ours = set(self.ours("list-commands").split("\n"))
        stock = {line for line in self.call("stock", "list-commands")[0].split("\n") if "needs-conversion" not in line}
        self.assertLessEqual(stock, ours)

    def test_default_files_are_those_of_open_vswitch(self):
        env = {"OVS_DBDIR": "dbdir", "OVS_PKGDATADIR": "datadir"}
        for folder in self.tools:
            self.path(folder, "datadir").mkdir()
            self.path(folder, "dbdir").mkdir()
            shutil.copy(self.path(folder, "schema.ovsschema"), self.path(folder, "datadir/vswitch.ovsschema"))
        for words in (["create"], ["create"], ["db-name"], ["schema-name"], ["needs-conversion"], ["show-log"],
                      ["query", '["lab"]'], ["transact", '["lab"]'], ["compact"], ["convert"]):
            self.alike(*words, env=env)
        self.alike("db-name", env={"OVS_DBDIR": "nowhere"})
        self.alike("db-name", env={"OVS_DBDIR": "", "OVS_SYSCONFDIR": "nowhere"})
        self.alike("schema-name", env={"OVS_PKGDATADIR": "nowhere"})

    def test_transactions_have_the_same_results_and_records(self):
        self.alike("create", "db", "schema.ovsschema")
        for operations in TRANSACTIONS:
            self.alike("transact", "db", json.dumps(["lab", *operations]))
        for params in (["other"], [], {}, ["lab"]):
            self.alike("transact", "db", json.dumps(params))
            self.alike("query", "db", json.dumps(params))
        for text in ("junk", "", '["lab"] x', '["lab",', "1.0", "null", '"lab"'):
            self.alike("transact", "db", text)
        self.alike("transact", "missing", "junk")
        dates = re.compile(r"\d{4}-\d\d-\d\d [\d:.]+")
        # Stock reads both files: they say the same.
        shutil.copy(self.path("ours", "db"), self.path("stock", "from-ours"))
        ours, stock = (dates.sub("DATE", self.call("stock", "-mm", "show-log", name)[0]) for name in ("from-ours", "db"))
        self.assertEqual(shown_log(ours), shown_log(stock))

    def test_roles_limit_transactions(self):
        schema = environment.OVN_SCHEMAS / "ovn-sb.ovsschema"
        self.alike("create", "db", str(schema))
        rows = [{"op": "insert", "table": "RBAC_Permission", "uuid-name": "p",
                 "row": {"table": "Chassis", "authorization": "name", "update": "nb_cfg"}},
                {"op": "insert", "table": "RBAC_Role", "row": {
                    "name": "controller", "permissions": ["map", [["Chassis", ["named-uuid", "p"]]]]}},
                {"op": "insert", "table": "Encap", "uuid-name": "e", "row": {
                    "type": "geneve", "ip": "1.1.1.1", "chassis_name": "c"}},
                {"op": "insert", "table": "Chassis", "row": {"name": "c", "encaps": ["named-uuid", "e"]}}]
        for folder in self.tools:
            self.assertEqual(self.call(folder, "transact", "db", json.dumps(["OVN_Southbound", *rows]))[2], 0)
        for role in ("controller", "nobody"):
            for operation in ({"op": "delete", "table": "Chassis", "where": []},
                              {"op": "update", "table": "Chassis", "where": [], "row": {"nb_cfg": 5}}):
                self.alike(f"--rbac-role={role}", "transact", "db", json.dumps(["OVN_Southbound", operation]))

    def test_a_query_forgets_what_it_changed(self):
        self.filled()
        before = self.path("ours", "db").read_bytes()
        self.alike("query", "db", json.dumps(["lab", {"op": "select", "table": "Named", "where": [], "columns": ["name"]}]))
        deletion = json.dumps(["lab", {"op": "delete", "table": "Named", "where": []}])
        self.assertEqual(self.ours("query", "db", deletion), '[{"count":2}]\n')
        self.assertEqual(self.path("ours", "db").read_bytes(), before)

    def test_logs_are_shown_alike(self):
        self.filled()
        odd = [SCHEMA, {"_date": 1795395970606, "Named": {UUID % 1: {"name": "x"}}},
               {"_date": 1795395970607, "Named": {UUID % 1: {"name": 6, "nocolumn": [1, 2]}}},
               {"Group": {UUID % 2: {"name": ["set", [5]]}}, "Nope": {UUID % 3: {"name": ["set", [5]]}}},
               {"_date": 1795395970, "_comment": "seconds"}, {"_date": -5, "_comment": ""}, {"_date": 1.5},
               {"_date": "x", "_comment": 7, "Named": {UUID % 4: {}}},
               {"Nameless": [], "Named": {"junk": {}}, "Group": {UUID % 4: 5}}, {"Named": {UUID % 1: None}},
               {"Named": {UUID % 1: None}}, {"Named": {UUID % 1: {"maybe": "back"}}}, {"_foo": 5}, {}]
        self.write("odd", "".join(map(record, odd)))
        self.write("array", record(SCHEMA) + record({}) + record("[1]") + record({}))
        self.write("no-json", record(SCHEMA) + record("{,}"))
        self.write("no-schema", record("{}"))
        full = self.path("stock", "db").read_bytes()
        for folder in self.tools:
            self.path(folder, "torn").write_bytes(full[:-20])
            self.path(folder, "tail").write_bytes(full + b"xxx\n")
            self.path(folder, "flipped").write_bytes(full[:-20] + b"?" + full[-19:])
        for file in ("db", "odd", "array", "no-json", "no-schema", "torn", "tail", "flipped", "missing"):
            for options in ([], ["-m"], ["-mm"], ["-m", "--more", "-m"]):
                self.alike_log(*options, "show-log", file)

    def test_logs_of_ovn_are_shown_alike(self):
        schema = environment.OVN_SCHEMAS / "ovn-nb.ovsschema"
        self.alike("create", "db", str(schema))
        request = ["OVN_Northbound"] + [
            {"op": "insert", "table": "Logical_Switch", "row": {
                "name": f"switch{i}", "external_ids": ["map", [["i", str(i)]]], "ports": ["named-uuid", f"p{i}"]}}
            for i in range(20)] + [
            {"op": "insert", "table": "Logical_Switch_Port", "uuid-name": f"p{i}", "row": {
                "name": f"port{i}", "addresses": "dynamic"}} for i in range(20)]
        self.ours("transact", "db", json.dumps(request))
        shutil.copy(self.path("ours", "db"), self.path("stock", "db"))
        self.alike_log("-mm", "show-log", "db")

    def test_compaction_keeps_rows_and_position(self):
        self.filled()
        position = self.ours("position", "db")
        self.assertRegex(position, r"^0/3/[0-9a-f-]{36}\n$")
        self.alike("compact", "db")
        self.assertEqual(self.path("ours", "db").read_text().count("\n"), 4)
        self.assertEqual(self.ours("position", "db"), position)
        self.ours("compact", "db", "target")
        self.assertEqual(self.ours("position", "target"), position)
        for name in ("db", "target"):
            shutil.copy(self.path("ours", name), self.path("stock", f"from-ours-{name}"))
            for table in ("Named", "Group"):
                self.assertEqual(self.rows("stock", f"from-ours-{name}", table), self.rows("stock", "db", table))
        self.assertEqual(self.call("ours", "compact", "db", "target"),
                         ("", "ovsdb-tool: I/O error: target: create failed (File exists)", 1))
        self.alike("compact", "missing")
        self.alike("compact", "missing", "new")
        self.assertFalse(self.path("ours", "new").exists())

    def test_conversion_moves_rows_to_another_schema(self):
        self.filled()
        self.alike("convert", "db", "newer.ovsschema", "target")
        self.alike("convert", "db", "newer.ovsschema")
        for name in ("db", "target"):
            self.alike("db-version", name)
            self.alike("needs-conversion", name, "newer.ovsschema")
            self.assertEqual(self.rows("ours", name), self.rows("stock", name))
            shutil.copy(self.path("ours", name), self.path("stock", "from-ours"))
            self.assertEqual(self.rows("stock", "from-ours"), self.rows("stock", name))
        self.alike("convert", "db", "old.ovsschema", "older")
        self.alike("db-name", "older")
        self.alike("convert", "db", "misfit.ovsschema", "never")
        self.assertFalse(self.path("ours", "never").exists())
        self.alike("convert", "db", "missing.ovsschema")
        self.alike("convert", "missing", "newer.ovsschema")

    def test_what_a_server_has_open_is_not_written(self):
        self.filled()
        locks = []
        for folder in self.tools:
            lock = self.path(folder, ".db.~lock~").open("w")
            self.addCleanup(lock.close)
            fcntl.lockf(lock, fcntl.LOCK_EX)
            locks.append(lock)
        self.alike("transact", "db", '["lab"]')
        self.alike("create", "db", "schema.ovsschema")
        for words in (["compact", "db"], ["convert", "db", "newer.ovsschema"]):
            with self.subTest(words=words):  # stock leaves the error's kind out here
                self.assertEqual(self.call("ours", *words)[1].replace("I/O error: ", ""), self.call("stock", *words)[1])
                self.assertEqual(self.call("ours", *words)[2], 1)
        for words in (["query", "db", '["lab"]'], ["show-log", "db"], ["db-name", "db"], ["compact", "db", "copy"],
                      ["convert", "db", "newer.ovsschema", "converted"]):
            self.alike(*words)

    def test_bad_tails_are_told(self):
        self.filled()
        good = self.path("stock", "db").read_text()
        for name, text in (("tail", good + "xxx\n"), ("alien", good + record({"invalid": {}})), ("torn", good[:-20])):
            self.write(name, text)
            self.alike("transact", name, '["lab"]')
            self.alike("query", name, '["lab"]')
            self.alike("db-name", name)
            self.alike("compact", name)
            if name != "alien":  # stock drops what no schema knows, and converts
                self.alike("convert", name, "newer.ovsschema")
            self.alike("compact", name, "target")
            self.assertEqual(self.call("ours", "check", name)[2], 1)
            self.assertEqual(self.path("ours", name).read_text(), text)
        self.assertRegex(self.ours("check", "db"), "^db: good: database lab, 6 rows, ")

    def test_links_are_followed(self):
        for folder in self.tools:
            self.path(folder, "link").symlink_to("real")
        for words in (["create", "link", "schema.ovsschema"], ["transact", "link", '["lab"]'], ["compact", "link"],
                      ["convert", "link", "newer.ovsschema"], ["db-version", "real"]):
            self.alike(*words)
        self.assertTrue(self.path("ours", "link").is_symlink())
        self.assertFalse(self.path("ours", "real").is_symlink())


if __name__ == "__main__":
    main()
