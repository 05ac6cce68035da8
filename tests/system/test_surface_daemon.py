#!/usr/bin/python3
"""The life of the daemon: signals, crashes, the monitor process, and what a new server takes over (surface, section 3)."""

import grp
import json
import os
import pwd
import re
import signal
import subprocess
import unittest

from harness import environment
from harness.case import main
from harness.surface import DB, SCHEMA, SurfaceTest, insert
from harness.server import create_database, wait_until


class Life(SurfaceTest):
    def setUp(self):
        super().setUp()
        self.scratch.env["ASAN_OPTIONS"] = "handle_segv=0"  # sanitizers have a report of their own

    def comm(self, pid):
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip()

    def parent(self, pid):
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return int(file.read().rpartition(")")[2].split()[1])

    def alive(self, pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                return file.read().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    def crash(self, how=signal.SIGSEGV):
        """Kills the server and waits for the next one; its pid."""
        before = self.pid()
        os.kill(before, how)
        def renewed():
            try:
                return self.pid() != before and (self.path / "db.sock").exists() and self.ctl("version")
            except (OSError, ValueError, AssertionError):
                return False
        wait_until(renewed, "a new server")
        return self.pid()

    def test_a_relative_file_stays_where_it_was(self):
        """Section 2, DATABASE: relative to the working directory; the daemon then leaves it for /."""
        self.start("--monitor", stays=False)
        self.client("transact", self.socket, json.dumps([DB, insert(1)]))
        self.ctl("ovsdb-server/compact")
        self.client("transact", self.socket, json.dumps([DB, insert(2)]))
        if not environment.is_stock(environment.SERVER):
            self.crash(signal.SIGKILL)
        self.ctl("exit")
        self.wait_gone()
        text = (self.path / "db").read_text()
        self.assertIn('"n1"', text)
        self.assertIn('"n2"', text)

    def test_signals_end_it_orderly(self):
        """Section 2, --pidfile: removed on SIGTERM, SIGINT, SIGHUP, SIGALRM; section 3: process name."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
            self.start()
            pid = self.pid()
            self.assertEqual(self.comm(pid), "ovsdb-server")
            self.assertTrue((self.path / f"ovsdb-server.{pid}.ctl").exists())
            os.kill(pid, number)
            self.wait_gone()
            wait_until(lambda: not self.alive(pid), "the process to end")
            self.assertFalse((self.path / f"ovsdb-server.{pid}.ctl").exists())
        self.assertEqual(self.troubles(), [])

    def test_in_the_foreground_the_pid_is_the_shells(self):
        """Section 3: foreground with --pidfile, no --detach."""
        process = subprocess.Popen([str(environment.SERVER), "--pidfile", "--remote=punix:db.sock", "-vconsole:off",
                                    "db"], env=self.scratch.env, cwd=self.path)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")
        self.assertEqual(self.pid(), process.pid)
        process.terminate()
        self.assertEqual(process.wait(), -signal.SIGTERM)
        self.wait_gone()

    def test_the_monitor_in_the_foreground(self):
        """Section 3: the process started is the monitor, the server its child; SIGTERM ends both."""
        process = subprocess.Popen([str(environment.SERVER), "--monitor", "--pidfile", "--remote=punix:db.sock",
                                    "-vconsole:off", "db"], env=self.scratch.env, cwd=self.path)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")
        self.assertEqual(self.parent(self.pid()), process.pid)
        os.kill(self.pid(), signal.SIGTERM)
        self.assertEqual(process.wait(), 0)
        self.wait_gone()

    def test_a_crash_is_in_the_log(self):
        """Section 3: crash by SIGSEGV, no monitor: a raw line in the log file."""
        self.start()
        os.kill(self.pid(), signal.SIGSEGV)
        wait_until(lambda: re.search(r"^SIGSEGV detected, backtrace:", self.log(), re.M), "the report")

    def test_the_monitor_restarts_it_with_all_that_was_changed(self):
        """Section 3: SIGSEGV under the monitor; databases and remotes of run time are handed over."""
        create_database(self.scratch, "two", SCHEMA | {"name": "two"})
        self.start("--monitor", "--remote=punix:first.sock")
        first = self.pid()
        monitor = self.parent(first)
        self.assertEqual(self.comm(first), "ovsdb-server")
        self.assertNotEqual(self.parent(monitor), os.getppid())
        with open(f"/proc/{monitor}/cmdline", "rb") as file:
            self.assertEqual(file.read().rstrip(b"\0").decode(), f"ovsdb-server: monitoring pid {first} (healthy)")
        self.assertEqual(self.ctl("ovsdb-server/add-db", "two"), "")
        self.assertEqual(self.ctl("ovsdb-server/add-remote", "punix:second.sock"), "")
        self.assertEqual(self.ctl("ovsdb-server/remove-remote", "punix:first.sock"), "")

        second = self.crash()
        self.assertEqual((self.parent(second), self.comm(second)), (monitor, "ovsdb-server"))
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), f"_Server\n{DB}\ntwo\n")
        self.assertEqual(self.ctl("ovsdb-server/list-remotes"), "punix:db.sock\npunix:second.sock\n")
        self.assertEqual(self.client("list-dbs", f"unix:{self.path}/second.sock"), f"_Server\n{DB}\ntwo\n")
        self.assertFalse((self.path / "first.sock").exists())
        troubles = self.troubles()
        self.assertEqual(troubles[0], "backtrace(monitor)|WARN|SIGSEGV detected, backtrace:")
        self.assertRegex(troubles[-1], r"\Adaemon_unix\(monitor\)\|ERR\|1 crashes: pid \d+ died, "
                                       r"killed \(Segmentation fault\)(, core dumped)?, restarting\Z")
        self.assertEqual([line for line in troubles if "backtrace" not in line and "killed" not in line], [])

        self.assertEqual(self.ctl("ovsdb-server/remove-db", "two"), "")
        self.crash(signal.SIGKILL)
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), f"_Server\n{DB}\n")
        os.kill(self.pid(), signal.SIGTERM)
        self.wait_gone()
        wait_until(lambda: not self.alive(monitor), "the monitor to go")

    def test_exit_ends_the_monitor_too(self):
        """Section 3: SIGTERM or exit under the monitor; a monitor that is told to end takes the server along."""
        self.start("--monitor")
        monitor = self.parent(self.pid())
        self.exit()
        wait_until(lambda: not self.alive(monitor), "the monitor to go")
        self.start("--monitor")
        monitor = self.parent(self.pid())
        os.kill(monitor, signal.SIGTERM)
        self.wait_gone()
        wait_until(lambda: not self.alive(monitor), "the monitor to go")
        self.assertEqual(self.troubles(), [])

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_another_user(self):
        """Section 2 and ovsdb-server(1), Daemon Options: --user, with the monitor too; its files are the user's."""
        nobody = pwd.getpwnam("nobody")
        for file in (self.path, *self.path.iterdir()):
            os.chown(file, nobody.pw_uid, nobody.pw_gid)
        group = grp.getgrgid(nobody.pw_gid).gr_name
        for words in (["--user=nobody"], [f"--user=nobody:{group}", "--monitor"]):
            self.start(*words)
            status = dict(line.split(":\t", 1) for line in open(f"/proc/{self.pid()}/status", encoding="ascii"))
            self.assertEqual({status["Uid"].split()[0], status["Uid"].split()[1]}, {str(nobody.pw_uid)})
            self.assertEqual((self.path / "db.sock").stat().st_uid, nobody.pw_uid)
            self.assertEqual((self.path / "ovsdb-server.log").stat().st_uid, nobody.pw_uid)
            self.ctl("ovsdb-server/compact")
            self.exit()
        for spec, why in (("nobody:daemon", "Invalid --user option nobody:daemon (user nobody is not in group daemon)"),
                          ("nosuchuser", "user nosuchuser not found"),
                          ("nobody:nosuchgroup", "group nosuchgroup not found")):
            self.assertEqual(self.run_server("--no-dbs", f"--user={spec}", "--run=true"),
                             (1, "", f"ovsdb-server: {why}, aborting.\n"))

    def test_databases_and_remotes_at_run_time(self):
        """Section 5: add-db, remove-db, add-remote, remove-remote, list-dbs, list-remotes, compact and their texts."""
        create_database(self.scratch, "two", SCHEMA | {"name": "two"})
        create_database(self.scratch, "same", SCHEMA)
        self.start()
        self.assertEqual(self.ctl("ovsdb-server/add-db", "two"), "")
        for name in ("two", "./two", f"{self.path}/two"):
            self.assertEqual(self.refusal("ovsdb-server/add-db", name), f"ovsdb error: {name}: already open")
        self.assertEqual(self.refusal("ovsdb-server/add-db", "nil"),
                         "I/O error: nil: open failed (No such file or directory)")
        self.assertEqual(self.refusal("ovsdb-server/add-db", "same"), f"ovsdb error: {DB}: duplicate database name")
        self.assertEqual(self.refusal("ovsdb-server/add-db"),
                         '"ovsdb-server/add-db" command requires at least 1 arguments')
        self.assertEqual(self.refusal("ovsdb-server/remove-db", "nil"), "Failed to find the database.")
        self.assertEqual(self.refusal("ovsdb-server/remove-db", "_Server"), "Cannot remove reserved database.")
        self.assertEqual(self.refusal("ovsdb-server/compact", "_Server"), "cannot compact built-in databases")
        self.assertEqual(self.refusal("ovsdb-server/compact", "nil"), "no database by that name")
        self.assertEqual(self.refusal("ovsdb-server/reload"), "Configuration file was not specified on command line")
        for remote, why in (("db:x,y,z", "no database named x"), (f"db:{DB},y,z", "no table named y"),
                            (f"db:{DB},{DB},z", f'table "{DB}" has no column "z"'),
                            (f"db:{DB},{DB}", "invalid syntax")):
            self.assertEqual(self.refusal("ovsdb-server/add-remote", remote), f'"{remote}": {why}')
        self.assertEqual(self.ctl("ovsdb-server/add-remote", f"db:{DB},{DB},name"), "")
        self.assertEqual(self.ctl("ovsdb-server/list-remotes"), f"db:{DB},{DB},name\npunix:db.sock\n")
        for name in (DB, "two"):
            self.assertEqual(self.ctl("ovsdb-server/remove-db", name), "")
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), "_Server\n")
        self.assertEqual(self.ctl("ovsdb-server/list-remotes"), f"db:{DB},{DB},name\npunix:db.sock\n")
        self.assertEqual(self.refusal("ovsdb-server/compact"), "no database by that name")
        self.assertEqual(self.ctl("ovsdb-server/remove-remote", "punix:db.sock"), "")
        wait_until(lambda: not (self.path / "db.sock").exists(), "the socket to go")
        self.assertEqual(self.refusal("ovsdb-server/remove-remote", "punix:db.sock"), "no such remote")
        self.exit()
        self.assertEqual({line.partition("WARN|")[2] for line in self.troubles()},
                         {f'"db:{DB},{DB},name": no database named {DB}'})


if __name__ == "__main__":
    main()
