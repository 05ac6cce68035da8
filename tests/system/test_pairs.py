#!/usr/bin/python3
"""Active and backup of every pairing end with equal contents, whatever happens on the way."""

import random
import shutil
import time

from harness import environment, load
from harness.case import SystemTest, main
from harness.proxy import Proxy
from harness.server import wait_until


class Pair(SystemTest):
    """An active and a backup that reaches it through a proxy, under random load."""

    def start(self, active, backup):
        self.database("active.db", load.SCHEMA)
        shutil.copy(self.scratch.path / "active.db", self.scratch.path / "backup.db")
        self.active = self.server("active", ["active.db"], binary=active)
        self.proxy = Proxy(self.active.socket)
        self.addCleanup(self.proxy.close)
        self.backup = self.server("backup", ["backup.db"], f"--sync-from={self.proxy.address}", binary=backup)
        self.writer = load.Writer(self.active, random.Random(self.random.random()))
        self.addCleanup(self.writer.finish)
        self.assert_equal()

    def let_run(self, transactions=60):
        """Lets the load run for so many more transactions."""
        target = self.writer.committed + transactions
        wait_until(lambda: self.writer.failure or self.writer.committed >= target, "the load to go on")

    def assert_equal(self):
        """Pauses the load and waits until both have the same contents; the backup must still be one."""
        self.writer.finish()
        expected = self.active.dump(load.DB)
        wait_until(lambda: self.backup.dump(load.DB) == expected, "active and backup to be equal")
        self.assertIn("state: backup", self.backup.appctl("ovsdb-server/sync-status"))
        self.writer = load.Writer(self.active, random.Random(self.random.random()))

    def follows_through_everything(self, active, backup):
        self.start(active, backup)
        self.let_run()
        self.assert_equal()
        for _ in range(5):
            self.let_run(self.random.randrange(40))
            self.proxy.cut()
        self.let_run()
        self.assert_equal()
        self.proxy.block()
        self.let_run(100)
        self.proxy.unblock()
        self.assert_equal()
        self.backup.stop()
        self.let_run()
        self.backup.start()
        self.let_run()
        self.assert_equal()
        self.active.stop()
        time.sleep(0.2)
        self.active.start()
        self.let_run()
        self.assert_equal()
        self.backup.kill()
        self.let_run()
        self.backup.start()
        self.assert_equal()
        self.writer.finish()
        self.fails_over()

    def fails_over(self):
        """The backup, promoted, has everything and takes writes; the old active then follows it."""
        before = self.active.dump(load.DB)
        self.backup.appctl("ovsdb-server/disconnect-active-ovsdb-server")
        self.assertIn("state: active", self.backup.appctl("ovsdb-server/sync-status"))
        self.assertEqual(self.backup.dump(load.DB), before)
        self.active.appctl("ovsdb-server/set-active-ovsdb-server", self.backup.socket)
        self.active.appctl("ovsdb-server/connect-active-ovsdb-server")
        self.active, self.backup = self.backup, self.active
        self.writer = load.Writer(self.active, random.Random(self.random.random()))
        self.let_run()
        self.assert_equal()

    def test_ours_follows_ours(self):
        self.follows_through_everything(environment.SERVER, environment.SERVER)

    def test_ours_follows_stock(self):
        self.follows_through_everything(environment.STOCK_SERVER, environment.SERVER)

    def test_stock_follows_ours(self):
        self.follows_through_everything(environment.SERVER, environment.STOCK_SERVER)

    def test_a_backup_refuses_writes_and_is_read(self):
        self.start(environment.SERVER, environment.SERVER)
        self.writer.finish()
        with self.backup.connect() as connection:
            insert = {"op": "insert", "table": "Switch", "row": {"name": "refused"}}
            outcome = connection.result("transact", load.DB, insert)
            self.assertEqual(outcome[0]["error"], "not allowed")
            count = {"op": "select", "table": "Switch", "where": [], "columns": ["_uuid", "name"]}
            rows = connection.transact(load.DB, count)[0]["rows"]
        with self.active.connect() as connection:
            self.assertEqual(len(connection.transact(load.DB, count)[0]["rows"]), len(rows))


if __name__ == "__main__":
    main()
