#!/usr/bin/python3
"""What only an ex-active had is set aside, listed, and may be applied again."""

import json
import os
import pathlib
import urllib.request

from harness import environment, load
from harness.case import SystemTest, main
from harness.ports import free_port
from harness.proxy import Proxy
from harness.server import wait_until

TOOL = pathlib.Path(environment.SERVER).resolve().parent / "tandem-tool"


def by_name(name):
    return [["name", "==", name]]


class Divergences(SystemTest):
    def transact(self, server, *operations):
        with server.connect() as connection:
            return connection.transact(load.DB, *operations)

    def rows(self, server, table="Switch"):
        rows = self.transact(server, {"op": "select", "table": table, "where": []})[0]["rows"]
        return {row["name"]: row for row in rows}

    def tool(self, *arguments):
        return self.scratch.run(TOOL, "divergences", *arguments)

    def insert(self, name, **row):
        return {"op": "insert", "table": "Switch", "row": {"name": name} | row}

    def diverge(self):
        """A pair whose active wrote what the backup, now active in its place, has not."""
        for name in ("old", "new"):
            self.database(f"{name}.db", load.SCHEMA)
        self.http = free_port()
        self.old = self.server("old", ["old.db"], f"--http=127.0.0.1:{self.http}")
        self.transact(self.old, self.insert("gone"), self.insert("kept", number=1, external_ids=["map", [["k", "v"]]]))
        proxy = Proxy(self.old.socket)
        self.addCleanup(proxy.close)
        self.new = self.server("new", ["new.db"], f"--sync-from={proxy.address}")
        self.new.appctl("tandem/wait-synced")
        proxy.block()
        self.transact(self.old, {"op": "insert", "table": "Port", "uuid-name": "p", "row": {"name": "p1"}},
                      self.insert("only-old", ports=["named-uuid", "p"]),
                      {"op": "comment", "comment": "ovn-nbctl ls-add \"only-old\""})
        self.transact(self.old, {"op": "mutate", "table": "Switch", "where": by_name("kept"), "mutations": [
            ["number", "+=", 41], ["external_ids", "insert", ["map", [["x", "y"]]]]]})
        self.transact(self.old, {"op": "delete", "table": "Switch", "where": by_name("gone")})
        self.new.appctl("tandem/promote")
        self.transact(self.new, self.insert("only-new"))
        self.old.appctl("tandem/demote", self.new.socket)
        self.old.appctl("tandem/wait-synced")
        self.assertEqual(sorted(self.rows(self.old)), ["gone", "kept", "only-new"])
        (file,) = self.scratch.path.glob("old.db.diverged-*")
        return file

    def apply_again(self, transaction):
        return json.loads(self.scratch.run("ovsdb-client", "transact", self.new.socket, transaction))

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/metrics", timeout=30) as page:
            return page.read().decode()

    def test_metrics_tell_of_a_file_until_it_is_removed_also_after_a_restart(self):
        file = self.diverge()
        metric = f'tandem_divergence_files{{database="{load.DB}"}}'
        self.assertIn(f'tandem_diverged_records_total{{database="{load.DB}"}} 3\n', self.metrics())
        wait_until(lambda: f"{metric} 1\n" in self.metrics(), "the file to be seen")
        self.old.stop()
        self.old.start()
        wait_until(lambda: f"{metric} 1\n" in self.metrics(), "the file to be seen again")
        file.unlink()
        wait_until(lambda: f"{metric} 0\n" in self.metrics(), "the file to be missed")

    def test_records_of_an_ex_active_are_listed_and_applied_again(self):
        file = self.diverge()
        status = json.loads(self.old.appctl("tandem/status", "--format", "json"))["databases"][0]["follower"]
        self.assertEqual((status["divergences"], status["records_aside"]), (1, 3))
        self.assertTrue(os.path.samefile(self.scratch.path / status["divergence_file"], file))
        self.assertIn("3 records set aside", self.old.appctl("tandem/status"))
        self.assertRegex(self.tool(self.scratch.path),
                         rf"^{file}: database {load.DB}, 3 records from 20\d\d-.* UTC on, behind 0/1/[0-9a-f-]*\n$")
        transactions = self.tool(file).splitlines()
        self.assertEqual(len(transactions), 3)
        self.assertIn("ovn-nbctl ls-add", transactions[0])
        for transaction in transactions:
            self.assertEqual([r for r in self.apply_again(transaction) if "error" in r], [])
        rows = self.rows(self.new)
        self.assertEqual(sorted(rows), ["kept", "only-new", "only-old"])
        self.assertEqual(rows["kept"]["number"], 42)
        self.assertEqual(rows["kept"]["external_ids"], ["map", [["k", "v"], ["x", "y"]]])
        self.assertEqual(rows["only-old"]["ports"], self.rows(self.new, "Port")["p1"]["_uuid"])
        self.assertIn("applied again from", self.scratch.run("ovsdb-tool", "-m", "show-log", "new.db"))

    def test_a_value_that_has_changed_since_is_not_overwritten(self):
        file = self.diverge()
        self.transact(self.new, {"op": "update", "table": "Switch", "where": by_name("kept"), "row": {"number": 7}})
        outcome = self.apply_again(self.tool(file).splitlines()[1])
        self.assertEqual([r["error"] for r in outcome if r and "error" in r], ["timed out"])
        self.assertEqual(self.rows(self.new)["kept"]["number"], 7)

    def test_stock_tools_read_the_file(self):
        file = self.diverge()
        self.assertIn("set aside by", self.scratch.run("ovsdb-tool", "show-log", file))
        rows = json.loads(self.scratch.run("ovsdb-tool", "query", file, json.dumps(
            [load.DB, {"op": "select", "table": "Switch", "where": []}])))[0]["rows"]
        self.assertEqual(sorted(row["name"] for row in rows), ["kept", "only-old"])

    def test_other_files_are_refused(self):
        self.database("plain.db", load.SCHEMA)
        self.server("plain", ["plain.db"]).stop()
        self.assertEqual(self.tool(self.scratch.path), "")
        server = self.server("plain", ["plain.db"])
        self.transact(server, self.insert("a"))
        server.stop()
        done = self.scratch.run(TOOL, "divergences", "plain.db", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("not a file of records that were set aside", done.stderr)


if __name__ == "__main__":
    main()
