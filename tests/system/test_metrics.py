#!/usr/bin/python3
"""/metrics of a pair: what Prometheus' own checker says of it, and that labels are the same whatever connects."""

import re
import subprocess
import urllib.request

from harness import load
from harness.case import SystemTest, main
from harness.ports import free_port
from harness.server import wait_until


def series_of(page):
    return {line.rpartition(" ")[0] for line in page.splitlines() if not line.startswith("#")}


class Metrics(SystemTest):
    def setUp(self):
        super().setUp()
        self.ports = {name: free_port() for name in ("active", "backup")}
        self.active = self.start("active", "--sync-replicas=1")
        self.backup = self.start("backup", f"--sync-from={self.active.socket}", "--node-name=node2")
        self.wait_in_sync()

    def start(self, name, *options):
        return self.server(name, [self.database(f"{name}.db", load.SCHEMA)], f"--http=127.0.0.1:{self.ports[name]}", *options)

    def wait_in_sync(self):
        wait_until(lambda: self.value("active", "tandem_followers_in_sync") == 1, "a backup in sync")

    def page(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/metrics", timeout=30) as page:
            self.assertTrue(page.headers["Content-Type"].startswith("text/plain; version=0.0.4"))
            return page.read().decode()

    def value(self, name, metric, labels=f'database="{load.DB}"'):
        for line in self.page(name).splitlines():
            series, _, value = line.rpartition(" ")
            if series == (f"{metric}{{{labels}}}" if labels else metric):
                return float(value)
        return None

    def transact(self, *operations):
        with self.active.connect() as client:
            return client.call("transact", load.DB, *operations)

    def test_the_pages_are_what_prometheus_expects(self):
        for name in self.ports:
            done = subprocess.run(("promtool", "check", "metrics"), input=self.page(name), capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), name)
            self.assertEqual(len(series_of(self.page(name))), len(re.findall("^[^#]", self.page(name), re.M)), name)

    def test_work_is_counted_where_it_is_done(self):
        switch = {"op": "insert", "table": "Switch", "row": {"name": "one"}}
        self.transact(switch)
        self.transact(switch)  # the name is taken
        self.transact({"op": "insert", "table": "Switch", "row": {"name": "two"}}, {"op": "commit", "durable": True})
        for metric, expected in (("tandem_transactions_total", 3), ("tandem_transaction_errors_total", 1), ("tandem_commits_total", 2),
                                 ("tandem_commit_duration_seconds_count", 2), ("tandem_fsync_duration_seconds_count", 1),
                                 ("tandem_write_duration_seconds_count", 2), ("tandem_delivery_duration_seconds_count", 2),
                                 ("tandem_active", 1), ("tandem_writable", 1), ("tandem_gate_degraded", 0)):
            self.assertEqual(self.value("active", metric), expected, metric)
        self.assertGreater(self.value("active", "tandem_file_bytes"), 100)
        self.assertLess(self.value("active", "tandem_commit_duration_seconds_sum"), 60)
        wait_until(lambda: self.value("backup", "tandem_replicated_commits_total") == 2, "the backup to tell of what it has")
        for metric, expected in (("tandem_replicating", 1), ("tandem_lag_records", 0), ("tandem_lag_seconds", 0),
                                 ("tandem_active", 0), ("tandem_writable", 0)):
            self.assertEqual(self.value("backup", metric), expected, metric)
        self.active.appctl("ovsdb-server/compact")
        self.assertEqual(self.value("active", "tandem_compactions_total"), 1)
        self.assertEqual(self.value("active", "tandem_clients", ""), 1)  # the backup
        self.assertEqual(self.value("active", "tandem_remote_up", f'remote="p{self.active.socket}"'), 1)
        self.active.appctl("tandem/demote", self.backup.socket)
        self.backup.appctl("tandem/promote")
        self.assertEqual(self.value("backup", "tandem_promotions_total"), 1)
        self.assertEqual(self.value("active", "tandem_writable"), 0)

    def test_labels_stay_when_connections_come_and_go(self):
        before = series_of(self.page("active"))
        self.assertIn(f'tandem_follower_lag_records{{database="{load.DB}",node="node2"}}', before)
        self.backup.stop()
        self.backup.start()
        self.wait_in_sync()
        with self.active.connect(), self.active.connect():
            self.assertEqual(series_of(self.page("active")), before)

    def test_a_remote_that_cannot_listen_is_down(self):
        taken = f"ptcp:{self.ports['backup']}:127.0.0.1"
        self.active.appctl("ovsdb-server/add-remote", taken, check=False)
        self.assertEqual(self.value("active", "tandem_remote_up", f'remote="{taken}"'), 0)


if __name__ == "__main__":
    main()
