#!/usr/bin/python3
"""The log tells an operator what happened: a line at the start that says all, and one for each change."""

import re
import signal

from harness import load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.ports import free_port
from harness.server import wait_until


class Log(SystemTest):
    def pair(self, *options):
        port = free_port()
        active = self.server("active", [self.database("active.db", load.SCHEMA)], f"--remote=ptcp:{port}:127.0.0.1", "--node-name=ovn1", *options)
        backup = self.server("backup", [self.database("backup.db", load.SCHEMA)], f"--sync-from=tcp:127.0.0.1:{port}", "--node-name=ovn2", *options)
        backup.appctl("tandem/wait-synced")
        return active, backup

    def wait_for(self, server, pattern):
        """A line that has it; the lines of the module that ours are in."""
        wait_until(lambda: re.search(pattern, server.log()), f"{server.name} to log: {pattern}")

    def write(self, server, name="a"):
        with server.connect() as client:
            return client.call("transact", load.DB, {"op": "insert", "table": "Switch", "row": {"name": name}})

    def test_the_first_line_says_all(self):
        active, backup = self.pair("--sync-replicas=1")
        (line,) = [line for line in active.log().splitlines() if "(Tandem" in line]
        self.assertRegex(line, rf"\|ovsdb_server\|INFO\|ovsdb-server \(Open vSwitch\) \S+ \(Tandem \S+\): active; {load.DB} at 0:0 "
                         r"\(\d+ bytes in active.db\); remotes: ptcp:\d+:127.0.0.1, punix:\S+; commits wait for 1 backup, 1000 ms, then go "
                         r"on; node ovn1$")
        self.assertRegex(backup.log(), rf"\(Tandem \S+\): backup; {load.DB} at 0:0 \(\d+ bytes in backup.db\), of tcp:127.0.0.1:\d+; remotes: ")

    def test_backups_that_come_and_go_are_told_of_by_name(self):
        active, backup = self.pair()
        self.wait_for(active, rf"INFO\|{load.DB}: backup ovn2 \(tcp:127.0.0.1:\d+\) joined, in sync")
        backup.stop()
        self.wait_for(active, rf"INFO\|{load.DB}: backup ovn2 \(tcp:127.0.0.1:\d+\) left")
        self.assertNotRegex(active.log(), r"\|(WARN|ERR)\|")  # it was not waited for

    def test_commits_that_no_backup_has_are_a_warning(self):
        active, backup = self.pair("--sync-replicas=1", "--sync-timeout=300")
        self.wait_for(active, "joined, in sync")
        backup.suspend()
        self.addCleanup(backup.process.send_signal, signal.SIGCONT)
        self.write(active)
        self.wait_for(active, rf"WARN\|{load.DB}: 1 commit was acknowledged that fewer than 1 backups have")
        self.wait_for(active, rf"INFO\|{load.DB}: backup ovn2 .* fell behind, by 1 record")
        self.wait_for(active, rf"WARN\|{load.DB}: 0 of 1 backups in sync, so commits are acknowledged without them \(1 until now\) - bring")
        backup.process.send_signal(signal.SIGCONT)
        self.wait_for(active, rf"INFO\|{load.DB}: backup ovn2 .* (is in sync|came back, in sync)")
        self.wait_for(active, rf"INFO\|{load.DB}: is short of backups no longer")

    def test_an_active_that_is_not_found_is_no_warning(self):
        """Scripts that follow replication take one for a fault."""
        active, backup = self.pair()
        self.write(active)
        backup.appctl("tandem/wait-synced")
        active.stop()
        self.wait_for(backup, rf"INFO\|{load.DB}: no active server is heard at tcp:127.0.0.1:\d+ \(Connection refused\) - look which copies")
        self.assertNotRegex(backup.log(), r"\|(WARN|ERR)\|")
        backup.appctl("tandem/promote")
        self.wait_for(backup, rf"INFO\|{load.DB}: promoted at 1/")
        self.wait_for(backup, r"INFO\|role: active")
        self.wait_for(backup, rf"INFO\|{load.DB}: has an active server again")

    def test_a_change_of_roles_in_good_order(self):
        active, backup = self.pair()
        self.wait_for(active, "joined, in sync")
        active.appctl("tandem/demote", backup.socket)
        backup.appctl("tandem/promote")
        for words in ("becoming a backup of", "demoted: the backups that keep up have everything", "role: backup", "following the active server"):
            self.wait_for(active, rf"INFO\|.*{words}")

    def test_a_lease(self):
        active, _ = self.pair()
        active.appctl("tandem/lease", "0.5")
        for words in (r"INFO\|role lease: this server may write for 0.5 s at a time, from now on",
                      r"WARN\|role lease of 0.5 s has run out: read-only until it is renewed"):
            self.wait_for(active, words)
        active.appctl("tandem/lease", "60")
        self.wait_for(active, r"INFO\|role lease is renewed: writable again")
        active.appctl("tandem/lease", "off")
        self.wait_for(active, r"INFO\|role lease: none any more, the role alone decides")

    def test_settings_that_commands_change(self):
        active, _ = self.pair()
        active.appctl("tandem/sync-replicas", "1", "500", "block")
        active.appctl("tandem/sync-peers", "ovn2")
        active.appctl("tandem/advertise-role", "leader")
        for words in ("commits wait for 1 backups, 500 ms, then block", "clients that may be backups: ovn2", "role advertised to clients: leader"):
            self.wait_for(active, rf"INFO\|{words}")

    def test_a_limit_that_a_client_meets(self):
        server = self.server("one", [self.database("one.db", load.SCHEMA)], "--max-monitors=1")
        with server.connect() as client:
            for name in ("a", "b"):
                client.call("monitor", load.DB, name, {"Switch": {}})
        self.wait_for(server, r"INFO\|unix#\d+: .*--max-monitors")

    def test_a_port_that_is_taken_and_is_free_again(self):
        port = free_port()
        first = self.server("first", [self.database("first.db", load.SCHEMA)], f"--remote=ptcp:{port}:127.0.0.1")
        second = self.server("second", [self.database("second.db", load.SCHEMA)], f"--remote=ptcp:{port}:127.0.0.1")
        self.wait_for(second, rf"WARN\|ptcp:{port}:127.0.0.1: listen failed: Address already in use")
        first.stop()
        self.wait_for(second, rf"INFO\|ptcp:{port}:127.0.0.1: listening")

    def test_strangers_who_come_and_go_fill_no_log(self):
        """Each says that it is a backup, and goes."""
        active, _ = self.pair()
        begin = len(active.log())
        for number in range(100):
            with active.connect() as client:
                try:
                    client.call("tandem_follow", load.DB, {"position": {"epoch": 0, "index": 0, "digest": "00000000-0000-0000-0000-000000000000"},
                                                           "server_id": f"00000000-0000-4000-8000-{number:012d}", "name": "x" * 10_000})
                except Closed:
                    pass
        self.assertLess(len(active.log()) - begin, 10_000)


if __name__ == "__main__":
    main()
