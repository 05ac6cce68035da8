#!/usr/bin/python3
"""Levels, patterns, facilities and files of the log (surface, section 4), and vlog commands (section 5)."""


import socket
import time

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.surface import DB, SurfaceTest, insert


class Logging(SurfaceTest):
    def test_words_of_v(self):
        """Section 4: -v words that are seen; an unknown one is fatal; as the stock server."""
        for spec in ("-vfile", "-vfile:dbg", "-vconsole:off", "-vconsole:warn", "-vsyslog:off", "-vvlog:off",
                     "-vjsonrpc:file:dbg", "-vstream_ssl:file:dbg", "-vFILE:DbG", "-vjsonrpc,file,dbg",
                     "-vreconnect:file", "-vtimeval:off", "-vovsdb_server:off", "-vraft:file",
                     "-vPATTERN:file:%m", "-vFACILITY:local7", "-vany:off", "--verbose=off"):
            self.assertEqual(self.run_server("--no-dbs", spec, "--run=true"), (0, "", ""), spec)
        for spec in ("-vfoo", "-vfile:info:dbg", "-vfile:syslog:off", "-vjsonrpc:raft", "-vPATTERN", "-vPATTERN:nil:x",
                     "-vFACILITY:nil"):
            words = ("--no-dbs", spec, "--run=true")
            self.assertEqual(self.run_server(*words), self.run_server(*words, binary=environment.STOCK_SERVER.name))
        self.assertEqual(self.run_server("--no-dbs", "-vfoo", "--run=true")[2],
                         'ovsdb-server: processing "foo": no destination, level, or module "foo"\n')

    def test_patterns_say_what_stocks_say(self):
        """Section 4: -vPATTERN:DEST:PATTERN, every conversion, widths and flags."""
        for pattern in ("%A|%m", "%c|%m", "%D{%H}", "%D{abc}%m", "%E|%m", "%N|%05N|%-5N|%5N|%m", "%n%m",
                        "%p|%-8p|%8p", "%t|%10t|%-10t|%T|%10T|", "%%", "%B", "<%B>1 %A %m", "%h", "x%q%m", "%20m|",
                        "%-90m|"):
            words = ("--no-dbs", f"-vPATTERN:console:{pattern}", "--log-file=/nonexistent/x", "--run=true")
            ours = self.run_server(*words)[2]
            stocks = self.run_server(*words, binary=environment.STOCK_SERVER)[2]
            self.assertEqual(ours.removesuffix("ovsdb-server: /nonexistent/x: No such file or directory\n"), stocks)

    def test_facilities(self):
        """Section 4: %B; the first line is INFO, and something is said at DBG on exit."""
        self.start("-vPATTERN:file:<%B>1 %A %m")
        self.assertEqual(self.refusal("vlog/set", "FACILITY:invalid"), "invalid facility")
        self.ctl("vlog/set", "FACILITY:local7")
        self.ctl("vlog/set", "ANY:file:DBG")
        self.exit()
        lines = self.log().splitlines()
        self.assertTrue(lines[0].startswith("<133>1 ovsdb-server opened log file "))
        self.assertTrue(lines[-1].startswith("<191>1 ovsdb-server "))
        self.start("-vFACILITY:daemon", "-vPATTERN:file:<%B>1 %A %m", "--log-file=second.log")
        self.assertTrue(self.log("second.log").startswith("<29>1 ovsdb-server opened log file "))

    def test_listeners_tell_their_port(self):
        """Section 4: listening at port 0; with -vPATTERN:file:%m the line is only that."""
        self.start("-vPATTERN:file:%m", "--remote=ptcp:0:127.0.0.1", "--remote=ptcp:0:[::1]")
        lines = self.log().splitlines()
        for address in ("127.0.0.1", "[::1]"):
            line = next(line for line in lines if line.startswith(f"0:{address}: listening on port "))
            self.assertEqual(self.client("list-dbs", f"tcp:{address}:{line.rpartition(' ')[2]}"), f"_Server\n{DB}\n")

    def test_messages_at_debug(self):
        """Section 14, log: a received notification's exact form; section 4: jsonrpc at DBG."""
        self.start("-vjsonrpc:file:dbg")
        peer = self.connection()
        peer.send({"method": "update3", "params": [["monid", DB], "UUID", {"t": {}}], "id": None})
        peer.result("echo")
        text = self.log()
        self.assertIn(f'received notification, method="update3", params=[["monid","{DB}"],"UUID",{{"t":{{}}}}]', text)
        self.assertIn('received request, method="echo", params=[], id=1', text)
        self.assertIn('send reply, result=[], id=1', text)

    def connection(self):
        peer = Connection(self.socket)
        self.addCleanup(peer.close)
        return peer

    def test_control_commands(self):
        """Section 5: vlog/list, list-pattern, close, reopen, rate limits; unknown words."""
        self.start()
        self.assertIn("jsonrpc            OFF       INFO       INFO\n", self.ctl("vlog/list"))
        self.ctl("vlog/set", "jsonrpc:file:dbg", "console:warn")
        self.assertIn("jsonrpc           WARN       INFO        DBG\n", self.ctl("vlog/list"))
        self.assertEqual(self.refusal("vlog/set", "nosuch"), 'no destination, level, or module "nosuch"')
        self.assertEqual(self.ctl("vlog/list-pattern").splitlines()[-1].split(None, 2),
                         ["FILE", "none", "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m"])
        (self.path / "ovsdb-server.log").rename(self.path / "old.log")
        self.ctl("vlog/reopen")
        self.assertIn("closing log file", self.log("old.log"))
        self.assertIn("opened log file", self.log())
        self.ctl("vlog/close")
        self.ctl("vlog/disable-rate-limit")
        self.ctl("vlog/enable-rate-limit", "jsonrpc")
        self.assertEqual(self.refusal("vlog/enable-rate-limit", "nil"), "unknown module")
        self.assertTrue(self.ctl("list-commands").startswith("The available commands are:\n  coverage/read-counter   COUNTER\n"))
        self.assertEqual(self.refusal("nil"), '"nil" is not a valid command '
                                              '(use "list-commands" to see a list of valid commands)')
        self.assertEqual(self.ctl("version").splitlines()[0], "ovsdb-server (Open vSwitch) 3.1.0")

    def test_messages_of_the_operator(self):
        """vlog/message, as newer servers have it: at INFO, or at the level that comes first."""
        self.start("-vPATTERN:file:%c|%p|%m")
        for words in (["an upgrade begins"], ["warn", "two", "words"], ["err"], ["off", "and on"]):
            self.assertEqual(self.ctl("vlog/message", *words), "")
        self.assertEqual([line for line in self.log().splitlines() if line.startswith("vlog|")][1:],
                         ["vlog|INFO|an upgrade begins", "vlog|WARN|two words", "vlog|INFO|err", "vlog|INFO|off and on"])
        self.assertEqual(self.refusal("vlog/message"), '"vlog/message" command requires at least 1 arguments')

    def test_answers_as_json(self):
        """Section 5: set-options, for one client; the form is that of ovs-appctl(8), --format."""
        self.start()
        with Connection(f"unix:{self.path}/ovsdb-server.{self.pid()}.ctl") as control:
            plain = control.result("ovsdb-server/list-dbs")
            self.assertEqual(control.result("set-options", "--format", "json"), {"reply": "", "reply-format": "plain"})
            self.assertEqual(control.result("ovsdb-server/list-dbs"), {"reply": plain, "reply-format": "plain"})
            self.assertIn("is not a valid command", control.call("nil")["error"])
            self.assertEqual(control.result("set-options", "--format", "text"), "")
            self.assertEqual(control.result("ovsdb-server/list-dbs"), plain)
            self.assertIn("xml", control.call("set-options", "--format", "xml")["error"])
        self.assertEqual(self.ctl("ovsdb-server/list-dbs"), plain)

    def test_a_server_without_log_file_says_so(self):
        """Section 5: vlog/reopen."""
        self.run_server("--detach", "--no-chdir", "--pidfile", "--remote=punix:db.sock", "db")
        self.addCleanup(self._end, self.pid())
        self.assertEqual(self.refusal("vlog/reopen"), "Logging to file not configured")

    def test_tables_are_logged(self):
        """Section 5: tlog-set and tlog-list; each changed row in the stock server's form."""
        self.start()
        self.assertEqual(self.ctl("ovsdb-server/tlog-set", f"{DB}:{DB}", "on"), "")
        self.assertIn("ordinals                    ON", self.ctl("ovsdb-server/tlog-list"))
        where = [["number", "==", 7]]
        row = {"number": 7, "name": "a \"b\""}
        with Connection(self.socket) as peer:
            for operation in ({"op": "insert", "row": row}, {"op": "update", "where": where, "row": {"name": "c"}},
                              {"op": "delete", "where": where}):
                peer.transact(DB, {"table": DB} | operation)
        lines = [line.partition("|transaction|INFO|")[2].split(",") for line in self.log().splitlines()
                 if "|transaction|INFO|" in line]
        self.assertEqual([line[:2] for line in lines],
                         [[f"table:{DB}", f"op:{op}"] for op in ("inserted", "updated", "deleted")])
        for line, name in zip(lines, ('"a \\"b\\""', "c", "c")):
            self.assertEqual([word for word in sorted(line[2:]) if not word.startswith("_")],
                             [f"name:{name}", "number:7"])
            self.assertEqual([word.partition(":")[0] for word in sorted(line[2:]) if word.startswith("_")],
                             ["_uuid", "_version"])

    def test_events_are_counted(self):
        """Section 5: coverage/show in the stock server's form, coverage/read-counter."""
        self.start()
        with Connection(self.socket) as peer:
            peer.transact(DB, insert(1))
            peer.transact(DB, insert(2))
        self.assertEqual(self.ctl("coverage/read-counter", "log_record"), "2\n")
        first, *lines, last = self.ctl("coverage/show").splitlines()
        self.assertRegex(first, "^Event coverage, avg rate over last: 5 seconds, last minute, last hour,  hash=[0-9a-f]{8}:$")
        self.assertRegex(last, r"^\d+ events never hit$")
        for line in lines:
            self.assertRegex(line, r"^\w+ +\d+\.\d/sec +\d+\.\d{3}/sec +\d+\.\d{4}/sec   total: \d+$")
        self.assertEqual([line.split()[-1] for line in lines if line.startswith("log_record ")], ["2"])
        self.assertEqual(self.refusal("coverage/read-counter", "nil"), "No such counter")

    def test_bad_clients_cannot_flood_the_log(self):
        """Section 5: rate limits, which commands lift; section 1: how what was dropped is told."""
        self.start()
        def nonsense(count):
            before = len(self.troubles())
            for _ in range(count):
                with socket.socket(socket.AF_UNIX) as peer:
                    peer.connect(f"{self.path}/db.sock")
                    peer.sendall(b"nonsense")
                    self.assertEqual(peer.recv(10), b"")
            return len(self.troubles()) - before
        self.assertLess(nonsense(100), 80)
        time.sleep(1.5)  # a line a second is due
        nonsense(1)
        self.assertTrue(any("Dropped 70 log messages in last" in line for line in self.troubles()))
        self.ctl("vlog/disable-rate-limit")
        self.assertGreaterEqual(nonsense(100), 200)

    def test_memory_show(self):
        """Section 5: memory/show, KEY:N pairs on one line."""
        self.start()
        pairs = dict(pair.split(":") for pair in self.ctl("memory/show").split())
        self.assertLessEqual({"atoms", "cells", "monitors", "n-weak-refs"}, pairs.keys())
        self.assertNotIn("sessions", pairs)
        peer = self.connection()
        peer.result("monitor", DB, None, {DB: {}})
        pairs = dict(pair.split(":") for pair in self.ctl("memory/show").split())
        self.assertEqual((pairs["sessions"], pairs["monitors"]), ("1", "1"))


if __name__ == "__main__":
    main()
