#!/usr/bin/python3
"""tandem-ctl: the servers of a host, and one verdict on all copies of a database."""

import json
import re
import signal
import subprocess
import time

from harness import environment, load
from harness.case import SystemTest, main
from harness.ports import free_port
from harness.server import wait_until


class Ctl(SystemTest):
    def run_ctl(self, *words):
        return self.scratch.run(environment.CTL, *words, check=False)

    def output(self, *words):
        return self.scratch.run(environment.CTL, *words)

    def pair(self):
        """An active and a backup in sync, with status pages."""
        self.pages = {name: f"127.0.0.1:{free_port()}" for name in ("one", "two")}
        one = self.server("one", [self.database("one.db", load.SCHEMA)], f"--http={self.pages['one']}")
        two = self.server("two", [self.database("two.db", load.SCHEMA)], f"--http={self.pages['two']}",
                          f"--sync-from={one.socket}")
        wait_until(lambda: "replicating" in two.appctl("ovsdb-server/sync-status"), "replication")
        return one, two

    def cluster(self, *words):
        """The exit status, the verdict, and the lines of the table."""
        done = self.run_ctl("status", "--cluster", *words)
        lines = done.stdout.splitlines()
        return done.returncode, lines[0] if lines else done.stderr, lines[1:]


class ThisHost(Ctl):
    def test_all_tandem_servers_answer_and_no_other(self):
        self.server("stock", [self.database("stock.db", load.SCHEMA)], binary=environment.STOCK_SERVER)
        none = self.run_ctl("status")
        self.assertEqual((none.returncode, none.stdout), (1, ""))
        self.assertIn("no Tandem server found", none.stderr)
        self.assertIn("own database server is stock", none.stderr)
        one = self.server("one", [self.database("one.db", load.SCHEMA)])
        self.assertTrue(self.output("status").startswith("role: active\n"))
        self.assertEqual(self.output("lease"), "off\n")
        self.server("two", [self.database("two.db", load.SCHEMA)], f"--sync-from={one.socket}")
        self.assertEqual(re.findall("^== (\\w+) \\(", self.output("status"), re.M), ["one", "two"])
        answers = json.loads(self.output("status", "--json"))["servers"]
        self.assertEqual([(answer["target"], answer["status"]["role"]) for answer in answers],
                         [("one", "active"), ("two", "backup")])
        refused = self.run_ctl("promote")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("several Tandem servers run here: say -t with one of one, two", refused.stderr)
        self.assertEqual(self.output("-t", "./two.ctl", "status", "--format=short").split()[1], "backup")

    def test_all_commands_of_ours_have_a_short_name(self):
        one = self.server("one", [self.database("one.db", load.SCHEMA)])
        names = re.findall(r"^  tandem/([\w-]+)", one.appctl("list-commands"), re.M)
        self.assertIn("advertise-role", names)
        for name in names:
            self.assertRegex(self.output("--help"), f"\n  {name}[ \n]")
            self.assertIn(f'"tandem/{name}" command takes', self.run_ctl(name, *["x"] * 9).stderr)

    def test_a_server_that_hangs_is_told_of(self):
        self.server("one", [self.database("one.db", load.SCHEMA)])
        two = self.server("two", [self.database("two.db", load.SCHEMA)])
        two.suspend()
        self.addCleanup(two.process.send_signal, signal.SIGCONT)
        done = self.run_ctl("-T", "1", "status", "--format=short")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, rf"^{load.DB} active writable 0 0\n$")
        self.assertRegex(done.stderr, r"^tandem-ctl: .*/two.ctl: no answer in time\n$")

    def test_a_status_is_watched(self):
        self.server("one", [self.database("one.db", load.SCHEMA)])
        watching = subprocess.Popen([str(environment.CTL), "status", "--format=short", "--watch=0.1"],
                                    env=self.scratch.env, cwd=self.scratch.path, stdout=subprocess.PIPE, text=True)
        self.addCleanup(watching.stdout.close)
        self.addCleanup(watching.wait)
        self.addCleanup(watching.kill)
        for _ in range(3):
            self.assertRegex(watching.stdout.readline(), r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+\n$")
            self.assertEqual(watching.stdout.readline(), f"{load.DB} active writable 0 0\n")
            self.assertEqual(watching.stdout.readline(), "\n")

    def test_a_status_says_who_the_server_is_and_who_reaches_it(self):
        taken = self.server("taken", [self.database("taken.db", load.SCHEMA)])
        port = free_port()
        taken.appctl("ovsdb-server/add-remote", f"ptcp:{port}:127.0.0.1")
        one = self.server("one", [self.database("one.db", load.SCHEMA)], f"--remote=ptcp:{port}:127.0.0.1",
                          "--active-remote=punix:only-active.sock", f"--sync-from={taken.socket}")

        def status():
            return json.loads(self.output("-t", "one", "status", "--json"))

        wait_until(lambda: status()["databases"][0]["follower"]["state"] == "replicating", "replication")
        self.assertEqual(status()["pid"], one.process.pid)
        self.assertEqual([change["role"] for change in status()["role_changes"]], ["backup"])
        remotes = {remote["target"]: remote for remote in status()["remotes"]}
        self.assertEqual(remotes[f"ptcp:{port}:127.0.0.1"]["state"], "not listening")
        self.assertEqual(remotes[f"ptcp:{port}:127.0.0.1"]["problem"], "Address already in use")
        self.assertEqual(remotes["punix:only-active.sock"]["state"], "closed")
        self.output("-t", "one", "promote")
        with one.connect() as client:
            client.transact(load.DB, {"op": "insert", "table": "Switch", "row": {}})
            now = status()
        self.assertEqual([change["role"] for change in now["role_changes"]], ["active", "backup"])
        remotes = {remote["target"]: remote for remote in now["remotes"]}
        self.assertEqual(remotes["punix:only-active.sock"]["state"], "listening")
        self.assertEqual((now["clients"], remotes[f"p{one.socket}"]["clients"]), (1, 1))
        database = now["databases"][0]
        self.assertEqual(database["file_bytes"], (self.scratch.path / "one.db").stat().st_size)


    def test_clients_are_told_of_with_their_locks(self):
        one = self.server("one", [self.database("one.db", load.SCHEMA)])
        self.server("two", [self.database("two.db", load.SCHEMA)], f"--sync-from={one.socket}")
        with one.connect() as first, one.connect() as second:
            for client in (first, second):
                client.call("lock", "ovn_northd")
            first.call("monitor", load.DB, 7, {"Switch": {}})

            def sessions():
                return json.loads(self.output("-t", "one", "sessions", "--json"))["sessions"]

            wait_until(lambda: [session["backup"] for session in sessions()].count(True) == 1, "the backup")
            clients = [session for session in sessions() if not session["backup"]]
            self.assertEqual(sorted((session["requests"], session["monitors"], session["locks"],
                                     session["awaited_locks"], session["remote"]) for session in clients),
                             [(1, 0, [], ["ovn_northd"], f"p{one.socket}"),
                              (2, 1, ["ovn_northd"], [], f"p{one.socket}")])
            self.assertIn(" waits for ovn_northd\n", self.output("-t", "one", "sessions"))
        wait_until(lambda: len(sessions()) == 1, "the clients to go")

    def test_who_sends_most_is_seen(self):
        """A look at the sessions again and again tells how many requests a second each makes."""
        one = self.server("one", [self.database("one.db", load.SCHEMA)])
        with one.connect() as busy, one.connect() as idle:
            idle.call("list_dbs")
            watching = subprocess.Popen([str(environment.CTL), "-t", "one", "sessions", "--watch=0.2"], env=self.scratch.env,
                                        cwd=self.scratch.path, stdout=subprocess.PIPE, text=True)
            self.addCleanup(watching.stdout.close)
            self.addCleanup(watching.wait)
            self.addCleanup(watching.kill)

            def look():
                """The rates of the next table, in its order; nothing of clients that have just come."""
                while (line := watching.stdout.readline()) and not line.startswith("CLIENT"):
                    pass
                self.assertEqual(line.split(), ["CLIENT", "REMOTE", "ROLE", "REQ/S", "REQUESTS", "OPEN", "UNSENT", "MONITORS", "LOCKS"])
                return [watching.stdout.readline().split()[3] for _ in range(2)]
            self.assertEqual(look(), ["-", "-"])
            for _ in range(50):
                busy.call("list_dbs")

            def told():
                rates = look()
                return float(rates[0]) > 0 and rates[1] == "0.0"
            wait_until(told, "the rate of the one that sends")


class Cluster(Ctl):
    def test_a_promotion_beside_an_active_is_warned_of(self):
        """If the former active is of this host, or has pages where the promoted one has them; not if it was demoted first."""
        port = free_port()
        (self.scratch.path / "elsewhere").mkdir()
        one = self.server("elsewhere/one", [self.database("one.db", load.SCHEMA)], f"--remote=ptcp:{port}:127.0.0.2", f"--http=127.0.0.2:{(http := free_port())}")
        two = self.server("two", [self.database("two.db", load.SCHEMA)], f"--http=127.0.0.1:{http}", f"--sync-from=tcp:127.0.0.2:{port}")
        wait_until(lambda: "replicating" in two.appctl("ovsdb-server/sync-status"), "replication")
        done = self.run_ctl("-t", "two", "promote")
        self.assertEqual((done.returncode, done.stderr), (0, f"warning: TWO writers: two and 127.0.0.2:{http}: demote all but one\n"))
        self.run_ctl("-t", "two", "demote")
        wait_until(lambda: "replicating" in two.appctl("ovsdb-server/sync-status"), "replication")
        one.appctl("tandem/demote", two.socket)
        done = self.run_ctl("-t", "two", "promote")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        three = self.server("three", [self.database("three.db", load.SCHEMA)], f"--sync-from={two.socket}")
        wait_until(lambda: "replicating" in three.appctl("ovsdb-server/sync-status"), "replication")
        self.assertIn("warning: TWO writers: three and ", self.run_ctl("-t", "three", "promote").stderr)

    def test_on_a_node_of_a_cluster_the_others_are_found(self):
        """By Pacemaker's list of nodes, at the port that the servers here have."""
        port = free_port()
        one = self.server("one", [self.database("one.db", load.SCHEMA)], f"--http=127.0.0.1:{port}", "--node-name=ovn1")
        elsewhere = self.scratch.path / "elsewhere"
        elsewhere.mkdir()
        two = self.server("elsewhere/two", [self.database("two.db", load.SCHEMA)], f"--http=127.0.0.2:{port}", "--node-name=127.0.0.2",
                          f"--sync-from={one.socket}")
        crm_node = self.scratch.path / "crm_node"
        crm_node.write_text("#!/bin/sh\n[ \"$*\" = -l ] && printf '1 ovn1 member\\n2 127.0.0.2 member\\n3 127.0.0.3 lost\\n'\n")
        crm_node.chmod(0o755)
        self.scratch.env["PATH"] = f"{self.scratch.path}:{self.scratch.env['PATH']}"
        wait_until(lambda: "replicating" in two.appctl("ovsdb-server/sync-status"), "replication")
        status, verdict, table = self.cluster()
        self.assertEqual((status, verdict), (1, f"one active, 1 backup in sync; no answer from 127.0.0.3:{port}"))
        self.assertEqual([line.split()[0] for line in table], ["SERVER", "one", f"127.0.0.2:{port}", f"127.0.0.3:{port}"])
        crm_node.write_text("#!/bin/sh\nexec sleep 60\n")
        begun = time.monotonic()
        self.assertEqual(self.run_ctl("-T", "1", "status", "--cluster").returncode, 0)
        self.assertLess(time.monotonic() - begun, environment.timeout_s(20))

    def test_one_verdict_on_all_copies(self):
        one, two = self.pair()
        asked = list(self.pages.values())
        good = (0, "one active, 1 backup in sync")
        self.assertEqual(self.cluster(*asked)[:2], good)
        self.assertEqual(self.cluster("one", "two")[:2], good)
        # The active tells of its backup.
        self.assertEqual(self.cluster("one")[:2], good)
        table = self.cluster()
        self.assertEqual(table[:2], good)
        self.assertEqual([line.split()[:1] + line.split()[2:5] for line in table[2]],
                         [["SERVER", "DATABASE", "ROLE", "STATE"], ["one", load.DB, "active", "writable"],
                          ["two", load.DB, "backup", "replicating"]])
        answer = json.loads(self.output("status", "--cluster", "--json", *asked))
        self.assertEqual((answer["level"], answer["verdict"]), ("good", good[1]))
        self.assertEqual([copy["server"] for copy in answer["copies"]], asked)

        self.assertEqual(self.cluster("two")[:2], (2, f"no writer (two follows {one.socket})"))
        two.stop()
        self.assertEqual(self.cluster(*asked)[:2], (1, f"one active, no backup; no answer from {asked[1]}"))
        two.start()
        wait_until(lambda: self.cluster(*asked)[:2] == good, "the backup")

        two.appctl("tandem/promote")
        self.assertEqual(self.cluster(*asked)[:2], (2, f"TWO writers: {asked[0]} and {asked[1]}"))
        one.kill()
        self.assertEqual(self.cluster(*asked)[:2], (1, f"one active, no backup; no answer from {asked[0]}"))

    def test_a_host_that_does_not_answer_holds_the_others_up_until_the_timeout_only(self):
        one, two = self.pair()
        two.suspend()
        self.addCleanup(two.process.send_signal, signal.SIGCONT)
        began = time.monotonic()
        done = self.run_ctl("-T", "1", "status", "--cluster", *self.pages.values())
        self.assertLess(time.monotonic() - began, environment.timeout_s(5))
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"; no answer from {self.pages['two']}\n", done.stdout)
        self.assertIn("no answer in time\n", done.stdout)

    def test_stock_servers_tell_what_they_can(self):
        stock = self.server("stock", [self.database("stock.db", load.SCHEMA)], binary=environment.STOCK_SERVER)
        backup = self.server("backup", [self.database("backup.db", load.SCHEMA)], f"--sync-from={stock.socket}",
                             binary=environment.STOCK_SERVER)
        ours = self.server("ours", [self.database("ours.db", load.SCHEMA)], f"--sync-from={stock.socket}")
        for server in (backup, ours):
            wait_until(lambda: "replicating" in server.appctl("ovsdb-server/sync-status"), "replication")
        self.assertRegex(self.output("-t", "stock", "status"),
                         rf"^server: ovsdb-server .*, not Tandem\ndatabase: {load.DB}\n  role: active\n$")
        self.assertRegex(self.output("-t", "backup", "status"), f"  source: {stock.socket}\n  follows: replicating\n$")
        self.assertEqual(self.cluster("stock", "backup", "ours")[:2], (0, "one active, 2 backups in sync"))
        self.assertEqual(self.cluster("backup", "ours")[0], 2)
        refused = self.run_ctl("-t", "backup", "promote")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("use ovsdb-server/disconnect-active-ovsdb-server", refused.stderr)

    def test_a_mistake_is_no_verdict_that_is_only_degraded(self):
        self.assertEqual(self.cluster("--nonsense")[0], 2)
        self.assertEqual(self.cluster()[:2], (2, self.cluster()[1]))
        self.assertIn("no Tandem server found", self.cluster()[1])


if __name__ == "__main__":
    main()
