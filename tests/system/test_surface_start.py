#!/usr/bin/python3
"""The command line: what is printed, and how the server ends (surface, sections 1 and 2)."""

import json
import os
import signal
import socket
import subprocess
import unittest

from harness import environment
from harness.case import main
from harness.surface import DB, SCHEMA, SurfaceTest
from harness.server import create_database, wait_until

FAILED = "ovsdb-server: server configuration failed\n"
NO_FILE = "I/O error: {0}: open failed (No such file or directory)"


class CommandLine(SurfaceTest):
    def words(self, *words):
        """Status and console lines, without their time and number."""
        status, out, err = self.run_server("-vPATTERN:console:%p|%m", *words)
        return status, out + err

    def test_a_run_that_goes_well_prints_nothing(self):
        """Section 1: with --run nothing of the server's own is on stderr; section 2: --run's streams."""
        self.assertEqual(self.run_server("db", "--remote=punix:db.sock", "--run=true"), (0, "", ""))
        self.assertEqual(self.run_server("db", "--run=echo a; echo b >&2"), (0, "a\n", "b\n"))

    def test_a_damaged_end_of_a_file_prints_one_line(self):
        """Section 10: the warning of the start; that the rest is cut off before the first write is no news."""
        with (self.path / "db").open("a") as file:
            file.write("xxx\n")
        insert = json.dumps([DB, {"op": "insert", "table": DB, "row": {"number": 7}}])
        status, text = self.words("db", "--remote=punix:db.sock",
                                  f"--run=ovsdb-client transact {self.socket} '{insert}' >/dev/null")
        self.assertEqual((status, text.count("\n")), (0, 1), text)
        self.assertIn("WARN|syntax error: db: parse error", text)

    def test_a_start_without_standard_descriptors(self):
        """Section 2, --detach: the parent ends, whatever it was given."""
        words = f"{environment.SERVER} --detach --no-chdir --pidfile --unixctl=x.ctl db <&- >&- 2>&-"
        done = subprocess.run(["/bin/sh", "-c", words], env=self.scratch.env, cwd=self.path, check=False,
                              timeout=environment.timeout_s(30))
        self.assertEqual(done.returncode, 0)
        self.addCleanup(self._end, self.pid())

    def test_sockets_have_the_modes_of_the_stock_servers(self):
        """By the umask: of control sockets and of clients'."""
        for mask in (0o000, 0o002, 0o007, 0o022, 0o027, 0o077):
            words = ("--unixctl=c", "--remote=punix:db.sock", "-vconsole:off", "--run=stat -c %a c db.sock", "db")
            ours, stocks = (self.run_server(*words, binary=binary, umask=mask)
                            for binary in (environment.SERVER, environment.STOCK_SERVER))
            self.assertEqual(ours, stocks)
            self.assertEqual(ours[1], f"{0o770 & ~mask:o}\n" * 2)

    def test_names_that_are_empty(self):
        self.assertIn("I/O error: : open failed", self.words("", "--run=true")[1])
        self.assertIn("punix:: no name", self.words("db", "--remote=punix:", "--run=true")[1])

    def test_the_end_of_run_is_the_end_of_the_server(self):
        """Section 2: --run, exit status and message."""
        self.assertEqual(self.run_server("db", "--run=exit 3"),
                         (1, "", "ovsdb-server: exit 3: child exited, exit status 3\n"))
        self.assertEqual(self.run_server("db", "--run=kill -9 $$"),
                         (1, "", "ovsdb-server: kill -9 $$: child exited, killed (Killed)\n"))

    def test_detaching_prints_only_the_log_file(self):
        """Section 1: --detach --log-file, the lines on stderr; section 4: first line and banner."""
        status, out, err = self.run_server("--detach", "--no-chdir", "--pidfile", "--log-file",
                                           "--remote=punix:db.sock", "db")
        self.assertEqual((status, out), (0, ""))
        self.addCleanup(self._end, self.pid())
        self.assertRegex(err, r"\A\S+\|00001\|vlog\|INFO\|opened log file \S+/ovsdb-server.log\n\Z")
        self.assertEqual(self.client("list-dbs", self.socket), f"_Server\n{DB}\n")
        self.exit()
        lines = [line.split("|", 2)[2] for line in self.log().splitlines()]
        self.assertEqual(lines[0], f"vlog|INFO|opened log file {self.path}/ovsdb-server.log")
        self.assertTrue(lines[1].startswith("ovsdb_server|INFO|ovsdb-server (Open vSwitch) "))
        self.assertEqual(self.troubles(), [])

    def test_options_as_getopt_long_has_them(self):
        """Section 2: options after files, prefixes, separate arguments, clusters."""
        self.assertEqual(self.run_server("db", "--run", "true"), (0, "", ""))
        self.assertEqual(self.run_server("--no-db", "--run=true"), (0, "", ""))
        self.assertEqual(self.run_server("--run=true", "--", "db"), (0, "", ""))
        # A prefix that newer servers call ambiguous is as good as before.
        self.assertEqual(self.run_server("--disable-file", "db", "--run=true"), (0, "", ""))
        self.assertEqual(self.run_server("--disable-file-no-data-conversion", "db", "--run=true"), (0, "", ""))
        for words in (["--nosuch"], ["--re"], ["--remote"], ["-Z"], ["-p"], ["--no-dbs=x"]):
            self.assertEqual(self.run_server(*words), self.run_server(*words, binary=environment.STOCK_SERVER.name))
        self.assertEqual(self.run_server("-V")[1].splitlines()[0], "ovsdb-server (Open vSwitch) 3.1.0")
        self.assertIn("--sync-from", self.run_server("-h")[1])

    def test_files_that_cannot_be_served(self):
        """Section 2: WARNs, then the fatal message; the default is conf.db in OVS_DBDIR."""
        def refused(name, why):
            return 1, f"WARN|failed to open database '{name}': {why}\nWARN|failed to configure databases\n{FAILED}"
        self.assertEqual(self.words("nil", "--run=true"), refused("nil", NO_FILE.format("nil")))
        default = f"{self.path}/conf.db"
        self.assertEqual(self.words("--run=true"), refused(default, NO_FILE.format(default)))
        create_database(self.scratch, "db2", SCHEMA)
        self.assertEqual(self.words("db", "db2", "--run=true"),
                         refused("db2", f"ovsdb error: {DB}: duplicate database name"))
        self.assertEqual(self.words("db", "./db", "--run=true"), refused("./db", "ovsdb error: ./db: already open"))
        self.assertEqual(self.words("db", "db", "--run=true"), (0, ""))

    def test_remotes_that_cannot_be_configured(self):
        """Section 11: the start with a db: remote that names nothing is fatal."""
        for remote, why in (("db:x,y,z", '"db:x,y,z": no database named x'),
                            (f"db:{DB},y,z", f'"db:{DB},y,z": no table named y'),
                            (f"db:{DB},{DB},z", f'"db:{DB},{DB},z": table "{DB}" has no column "z"'),
                            (f"db:{DB},{DB}", f'"db:{DB},{DB}": invalid syntax')):
            self.assertEqual(self.words("db", f"--remote={remote}", "--run=true"),
                             (1, f"WARN|failed to configure remotes: {why}\n{FAILED}"))

    def test_keys_that_cannot_be_in_the_database(self):
        """Section 2: -p and the like with db:DB,TABLE,COLUMN that names nothing."""
        for setting, why in (("db:foo", '"db:foo": invalid syntax'),
                             ("db:x,y,z", '"db:x,y,z": no database named x')):
            status, text = self.words("db", f"--private-key={setting}", "--run=true")
            self.assertEqual((status, text.splitlines()[-1]), (1, f"ovsdb-server: {why}"))

    def test_inherited_sockets(self):
        """Section 11: pfd:FD listens, or says why not, and survives --detach."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        fd = listener.fileno()
        outcome = self.run_server("--detach", "--no-chdir", "--pidfile", "--log-file", "-vconsole:off", "db",
                                  f"--remote=pfd:{fd}", pass_fds=[fd])
        self.assertEqual(outcome, (0, "", ""))
        self.addCleanup(self._end, self.pid())
        address = f"tcp:127.0.0.1:{listener.getsockname()[1]}"
        self.assertEqual(self.client("list-dbs", address), f"_Server\n{DB}\n")
        self.assertEqual(self.ctl("ovsdb-server/list-remotes"), f"pfd:{fd}\n")
        self.assertEqual(self.refusal("ovsdb-server/add-remote", "pfd:9"),
                         "pfd: remotes can only be specified on the command line")
        self.exit()
        self.assertEqual(self.troubles(), [])
        self.assertIn("pfd:77: not a socket", self.words("db", "--remote=pfd:77", "--run=true")[1])
        with socket.socket() as idle:
            fd = idle.fileno()
            status, _, err = self.run_server("db", f"--remote=pfd:{fd}", "--run=true", pass_fds=[fd])
            self.assertEqual(status, 0)
            self.assertIn(f"pfd:{fd}: not a listening socket", err)

    def test_a_log_that_cannot_be_made_is_tried_again(self):
        """Section 2: --log-file in a folder that is not there yet; the database is served."""
        log = self.path / "later" / "log"
        warning = f"WARN|failed to open {log} for logging: No such file or directory\n"
        self.assertEqual(self.words("db", f"--log-file={log}", "--run=true"), (0, warning))
        self.start(f"--log-file={log}")
        self.assertEqual(self.client("list-dbs", self.socket), f"_Server\n{DB}\n")
        self.assertEqual(self.refusal("vlog/reopen"), "No such file or directory")
        log.parent.mkdir()
        self.ctl("vlog/reopen")
        self.assertIn(f"opened log file {log}", log.read_text())

    def test_a_status_page_without_a_port_is_refused_before_anything_is_touched(self):
        """With --http: a slip of the pen, while a server runs that must not notice."""
        before = sorted(os.listdir(self.path))
        for address in ("127.0.0.1", "example:80", ":99999"):
            self.assertEqual(self.run_server("--detach", "--pidfile", "--log-file", "--remote=punix:db.sock",
                                             f"--http={address}", "db"),
                             (1, "", f'ovsdb-server: --http: "{address}" is not of the form ADDRESS:PORT\n'))
        self.assertEqual(sorted(os.listdir(self.path)), before)

    def test_a_status_page_whose_port_is_taken_is_tried_again(self):
        """With --http: the start goes well, and the page is there when the port is free."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            self.start(f"--http=127.0.0.1:{port}")
        self.assertEqual(self.troubles(), [f"ovsdb_server|WARN|--http=127.0.0.1:{port}: listen failed: "
                                           "Address already in use"])
        wait_until(lambda: f"--http=127.0.0.1:{port}: listening" in self.log(), "the page")
        with socket.create_connection(("127.0.0.1", port)) as peer:
            peer.sendall(b"GET /active HTTP/1.1\r\n\r\n")
            self.assertTrue(peer.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_a_silent_start_that_fails_says_why(self):
        """Section 1: what -vconsole:off leaves of a failure, also from behind --detach and --monitor."""
        (self.path / "bad").write_text('{"remotes": 3}')
        for daemon in ([], ["--detach"], ["--monitor"], ["--detach", "--monitor"]):
            for words, why in ((["nil"], f"failed to open database 'nil': {NO_FILE.format('nil')}\n"
                                         "ovsdb-server: failed to configure databases"),
                               (["--no-dbs", "--remote=db:x,y,z"],
                                'failed to configure remotes: "db:x,y,z": no database named x'),
                               (["--config-file=bad"],
                                'config: syntax "{"remotes":3}": syntax error: Parsing config failed: '
                                "Type mismatch for member 'remotes'.\n"
                                f"ovsdb-server: failed to load configuration from {self.path}/bad")):
                self.assertEqual(self.run_server(*daemon, "-vconsole:off", "--run=true", *words),
                                 (1, "", f"ovsdb-server: {why}\n{FAILED}"))

    def test_each_file_has_its_folder(self):
        """Section 2: relative --pidfile and --unixctl in OVS_RUNDIR, --log-file in OVS_LOGDIR."""
        for name in ("RUNDIR", "LOGDIR"):
            (self.path / name).mkdir()
            self.scratch.env[f"OVS_{name}"] = str(self.path / name)
        outcome = self.run_server("--detach", "--pidfile=p", "--log-file=l", "--unixctl=c", "--remote=punix:s",
                                  "-vconsole:off", "db")
        self.assertEqual(outcome, (0, "", ""))
        pid = int((self.path / "RUNDIR" / "p").read_text())
        self.addCleanup(self._end, pid)
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        self.assertEqual(sorted(os.listdir(self.path / "RUNDIR")), ["c", "p", "s"])
        self.assertEqual(os.listdir(self.path / "LOGDIR"), ["l"])
        self.assertEqual(self.client("list-dbs", f"unix:{self.path}/RUNDIR/s"), f"_Server\n{DB}\n")
        # In / the file is found, too.
        self.scratch.run("ovs-appctl", "-t", self.path / "RUNDIR" / "c", "ovsdb-server/compact")

    def test_the_control_socket_is_needed(self):
        """Section 3: --unixctl in a directory that does not exist; with --monitor too."""
        for monitor in ([], ["--monitor"]):
            status, _, err = self.run_server("--detach", "--no-chdir", "--pidfile", "--unixctl=nil/x",
                                             *monitor, "db")
            self.assertEqual(status, 1)
            self.assertIn("could not initialize control socket", err)
            self.assertFalse((self.path / "ovsdb-server.pid").exists())

    def test_a_second_server_is_refused(self):
        """Section 2: --pidfile is locked."""
        self.start()
        self.assertEqual(self.run_server("--pidfile", "--no-dbs", "--run=true"),
                         (1, "", f"ovsdb-server: {self.path}/ovsdb-server.pid: already running as pid {self.pid()}, "
                                 "aborting\n"))

    def test_a_second_server_takes_no_sockets(self):
        """A start that fails, or is one server too many, leaves those of the first alone."""
        self.start("--unixctl=c")
        create_database(self.scratch, "other", SCHEMA | {"name": "other"})
        status, _, err = self.run_server("--unixctl=c", "--remote=punix:db.sock", "-vconsole:warn", "db")
        self.assertEqual(status, 1)
        self.assertIn("failed to open database 'db'", err)
        status, _, err = self.run_server("--unixctl=c", "-vconsole:off", "other")
        self.assertEqual((status, err), (1, f"ovsdb-server: {self.path}/c: could not initialize control socket "
                                            "(Address already in use)\n"))
        status, _, err = self.run_server("--unixctl=none", "--remote=punix:db.sock", "--run=true", "-vconsole:warn",
                                         "other")
        self.assertEqual(status, 0)
        self.assertIn("db.sock: listen failed: Address already in use", err)
        self.assertEqual(self.client("list-dbs", self.socket), f"_Server\n{DB}\n")
        self.assertIn("Open vSwitch", self.scratch.run("ovs-appctl", "-t", self.path / "c", "version"))

    def test_a_start_that_fails_leaves_the_running_server_all_it_has(self):
        """Its sockets, its pidfile, even with --overwrite-pidfile, and its log; --detach tells the shell."""
        self.start("--unixctl=c")
        create_database(self.scratch, "other", SCHEMA | {"name": "other"})
        def own():
            return [(self.path / name).stat()[:6] for name in ("c", "db.sock", "ovsdb-server.pid", "ovsdb-server.log")]
        before, pid, log = own(), self.pid(), self.log()
        words = ["--unixctl=c", "--pidfile", "--overwrite-pidfile", "--log-file", "--remote=punix:db.sock"]
        for daemon in ([], ["--detach"], ["--detach", "--monitor"]):
            for database, why in (("db", "failed to lock lockfile"), ("other", "could not initialize control socket")):
                status, _, err = self.run_server(*daemon, "-vconsole:off", *words, database)
                self.assertEqual(status, 1)
                self.assertIn(why, err)
                self.assertEqual((own(), self.pid()), (before, pid))
                self.assertTrue(self.log().startswith(log))
        self.assertEqual(self.client("list-dbs", self.socket), f"_Server\n{DB}\n")

    def test_signals_that_are_ignored_stay_so(self):
        """As nohup has it; under the monitor, too."""
        for words in ([], ["--monitor"]):
            process = subprocess.Popen(
                [str(environment.SERVER), *words, "--pidfile", "--remote=punix:db.sock", "-vconsole:off", "db"],
                env=self.scratch.env, cwd=self.path, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
            wait_until(lambda: (self.path / "db.sock").exists(), "the server")
            for pid in (process.pid, self.pid()):
                with open(f"/proc/{pid}/status", encoding="ascii") as status:
                    ignored = next(int(line.split()[1], 16) for line in status if line.startswith("SigIgn"))
                self.assertTrue(ignored & 1 << (signal.SIGHUP - 1))
                os.kill(pid, signal.SIGHUP)
            self.assertEqual(self.client("list-dbs", self.socket), f"_Server\n{DB}\n")
            process.terminate()
            process.wait(timeout=environment.timeout_s(20))
            wait_until(lambda: not (self.path / "db.sock").exists(), "the server to go")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_a_link_as_log_is_not_followed_for_another_user(self):
        """Its target would be given to whoever owns the folder; without --user it is followed."""
        target = self.path / "target"
        target.write_text("root's\n")
        (self.path / "ovsdb-server.log").symlink_to(target)
        for file in (self.path, self.path / "db", self.path / ".db.~lock~"):
            os.chown(file, 65534, 65534)
        status, _, err = self.run_server("--user=nobody", "--log-file", "--run=true", "-vconsole:off", "db")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual((target.stat().st_uid, target.read_text()), (0, "root's\n"))
        self.assertEqual(self.run_server("--log-file", "--run=true", "-vconsole:off", "db")[0], 0)
        self.assertIn("opened log file", target.read_text())

    def test_a_socket_far_down(self):
        """Section 11: paths longer than sun_path."""
        deep = self.path / ("d" * 100) / ("e" * 100)
        deep.mkdir(parents=True)
        self.scratch.env["OVS_RUNDIR"] = str(deep)
        command = f"ovsdb-client list-dbs unix:{deep}/s.sock"
        self.assertEqual(self.run_server("db", "--remote=punix:s.sock", f"--run={command}"),
                         (0, f"_Server\n{DB}\n", ""))
        self.assertEqual(os.listdir(deep), [])

    def test_data_outlive_the_server(self):
        """Section 10: what one server wrote the next one serves."""
        self.start()
        with_result = self.client("transact", self.socket, f'["{DB}",{{"op":"insert","table":"{DB}","row":{{}}}}]')
        self.assertIn("uuid", with_result)
        self.exit()
        self.assertEqual(self.run_server("db", "--remote=punix:db.sock",
                                         f"--run=ovsdb-client -f csv --no-headings dump {self.socket} {DB} {DB} number"),
                         (0, f"{DB} table\n0\n", ""))


if __name__ == "__main__":
    main()
