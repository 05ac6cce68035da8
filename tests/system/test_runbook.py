#!/usr/bin/python3
"""docs/runbook.md as an operator would follow it: two nodes, each trouble brought about, each command of the page as it stands there.

A block of the page is `sh NODE`. NODE `pacemaker` needs a cluster (tests/cluster); all others are run here, in order."""

import json
import os
import pathlib
import re
import signal
import subprocess

from harness import environment
from harness.case import SystemTest, main
from harness.jsonrpc import Connection
from harness.ports import accepts, free_port
from harness.server import wait_until

PAGE = environment.SOURCE / "docs/runbook.md"
SCHEMA = environment.OVN_SCHEMAS / "ovn-nb.ovsschema"
DB = "OVN_Northbound"
README = environment.SOURCE / "README.md"


def blocks(text):
    """(heading, node, commands) of each block, in order."""
    found = []
    heading = ""
    for match in re.finditer(r"^## ([^\n]+)$|^( *)```sh ([\w ]+)\n(.*?)^ *```$", text, re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            found.append((heading, match[3], re.sub(f"^{match[2]}", "", match[4], flags=re.M)))
    return found


class Node:
    """One of the two: its own folders in place of /run/ovn, /var/lib/ovn and /var/log/ovn, and an address of the loopback."""

    def __init__(self, test, name, number):
        self.test = test
        self.name = name
        self.number = number
        self.path = test.scratch.path / name
        self.path.mkdir()
        self.env = test.scratch.env | {"PATH": f"{test.programs}:{test.scratch.env['PATH']}"}
        for variable in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"):
            self.env[f"OVS_{variable}"] = self.env[f"OVN_{variable}"] = str(self.path)
        self.address = f"127.0.0.1{number}"
        self.socket = f"unix:{self.path}/ovnnb_db.sock"

    def here(self, commands):
        for folder in ("/run/ovn", "/var/lib/ovn", "/var/log/ovn"):
            commands = commands.replace(folder, str(self.path))
        commands = re.sub(r"/tmp/(?=lost|nb\.)", f"{self.test.scratch.path}/", commands).replace("192.0.2.", "127.0.0.1")
        return commands.replace("6641", str(self.test.port)).replace("9641", str(self.test.http))

    def run(self, commands, check=True):
        done = subprocess.run(["bash", "-ec" if check else "-c", self.here(commands)], env=self.env, cwd=self.path, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=environment.timeout_s(120), check=False)
        if check:
            self.test.assertEqual(done.returncode, 0, f"{self.name}: {commands}\n{done.stdout}{done.stderr}")
        return done.stdout + done.stderr

    def write(self, name):
        return self.run(f"ovn-nbctl --db={self.socket} --timeout=20 --no-leader-only ls-add {name}")

    def switches(self):
        with Connection(self.socket) as client:
            rows = client.transact(DB, {"op": "select", "table": "Logical_Switch", "where": [], "columns": ["name"]})[0]["rows"]
        return sorted(row["name"] for row in rows)

    def status(self):
        return json.loads(self.run("tandem-ctl -t ovnnb_db status --json"))

    def pids(self):
        """Of the server and its monitor."""
        pid = int((self.path / "ovnnb_db.pid").read_text())
        parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        return [pid] if parent in (1, os.getpid()) else [parent, pid]

    def kill(self):
        """The node's power goes."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not accepts(self.test.port, self.address), "the server to be gone")

    def stock(self, *options):
        """A stock server in the place of ours."""
        self.run(f"/usr/sbin/ovsdb-server --detach --no-chdir --pidfile=/run/ovn/ovnnb_db.pid --unixctl=/run/ovn/ovnnb_db.ctl -vconsole:off "
                 f"--log-file=/var/log/ovn/stock.log --remote=punix:/run/ovn/ovnnb_db.sock --remote=ptcp:6641:192.0.2.{self.number} "
                 f"{' '.join(options)} /var/lib/ovn/ovnnb_db.db")

    def stop(self):
        self.run("ovs-appctl -t /run/ovn/ovnnb_db.ctl exit")
        wait_until(lambda: not (self.path / "ovnnb_db.pid").exists(), "the server to end")

    def create(self):
        self.run("rm -f /var/lib/ovn/ovnnb_db.db; tandem-tool create /var/lib/ovn/ovnnb_db.db /usr/share/ovn/ovn-nb.ovsschema")


class Runbook(SystemTest):
    def setUp(self):
        super().setUp()
        self.programs = self.scratch.path / "programs"
        self.programs.mkdir()
        for name, program in (("tandem-server", environment.SERVER), ("tandem-ctl", environment.CTL), ("tandem-tool", environment.TOOL)):
            (self.programs / name).symlink_to(pathlib.Path(program).resolve())
        self.port, self.http = free_port(), free_port()
        self.one, self.two = self.nodes = [Node(self, "ovn1", 1), Node(self, "ovn2", 2)]
        self.left = {}
        for heading, node, commands in blocks(PAGE.read_text()):
            self.left.setdefault(heading, []).append((node, commands))

    def next(self, heading, count=1, check=True):
        """Runs the next blocks of a section; what they said."""
        said = ""
        while count > 0:
            node, commands = self.left[heading].pop(0)
            if node == "pacemaker":
                continue
            said += {"ovn1": self.one, "ovn2": self.two}[node.split()[0]].run(commands, check)
            count -= 1
        return said

    def skip(self, heading, node):
        self.assertEqual(self.left[heading].pop(0)[0], node)

    def start_pair(self):
        for node in self.nodes:
            node.create()
        self.next("", 1, check=False)  # nobody answers yet
        self.next("", 2)
        self.one.write("first")
        self.two.run("tandem-ctl -t ovnnb_db wait-synced")

    def in_sync(self, writer):
        other = self.two if writer is self.one else self.one
        wait_until(lambda: other.switches() == writer.switches(), "the backup to have everything")
        verdict = wait_until(lambda: "one active, 1 backup in sync" in (said := self.both()) and said, "a good verdict")
        self.assertIn("one active, 1 backup in sync\n", verdict)

    def both(self):
        return self.one.run("tandem-ctl status --cluster 192.0.2.1:9641 192.0.2.2:9641", check=False)

    def test_the_page_from_top_to_bottom(self):
        self.start_pair()
        self.in_sync(self.one)

        said = self.next("Move the role", 2)
        self.assertIn("drained", said)
        self.two.write("moved")
        self.in_sync(self.two)

        # All are backups: of each other.
        self.two.run("tandem-ctl -t ovnnb_db demote tcp:192.0.2.1:6641")
        self.assertIn("no writer", self.both())
        self.next("No writer", check=False)
        self.assertIn("not allowed", self.one.run(f"ovn-nbctl --db={self.one.socket} --timeout=2 --no-leader-only ls-add no", check=False))
        self.two.write("again")
        self.in_sync(self.two)

        # Somebody promotes the other one as well, and both are written to.
        self.one.run("tandem-ctl -t ovnnb_db promote")
        self.assertIn("TWO writers", self.both())
        self.one.write("only-one")
        self.two.write("only-two")
        self.two.run("tandem-ctl -t ovnnb_db promote --above 9")
        self.next("Two writers")
        self.in_sync(self.two)
        self.assertNotIn("only-one", self.two.switches())

        # The former active's record has been set aside.
        said = self.next("A divergence")
        self.assertIn("ovnnb_db.db.diverged-", said)
        self.next("A divergence", 2)
        self.assertIn("only-one", self.two.switches())
        self.assertEqual(list(self.one.path.glob("ovnnb_db.db.diverged-*")), [])
        self.in_sync(self.two)

        # The backup looks at the wrong server.
        self.one.run("tandem-ctl -t ovnnb_db demote tcp:192.0.2.1:1")
        wait_until(lambda: "is connecting" in self.both(), "the verdict to say so")
        self.next("A backup that does not sync")
        self.assertIn("connection: Connection refused", self.one.run("tandem-ctl -t ovnnb_db status"))
        self.one.run("tandem-ctl -t ovnnb_db demote tcp:192.0.2.2:6641")
        self.in_sync(self.two)

        self.next("Disk full or stuck")
        self.next("Disk full or stuck", 2)
        self.one.write("disk")
        self.in_sync(self.one)

        self.one.kill()
        self.next("A node lost")
        self.two.write("without-one")
        self.next("A node lost")
        self.in_sync(self.two)

        self.next("Restore from a backup")
        self.two.run(f"ovn-nbctl --db={self.two.socket} --no-leader-only ls-del first")
        self.next("Restore from a backup")
        self.assertIn("first", self.two.switches())
        self.in_sync(self.two)

        # A pair of stock servers, with the files as they are; ours take their places, and they ours.
        self.next("From stock servers, and back")
        wait_until(lambda: not (self.one.path / "ovnnb_db.pid").exists(), "the backup to end")
        self.two.stop()
        self.two.stock()
        self.one.stock("--sync-from=tcp:192.0.2.2:6641")
        wait_until(lambda: "replicating" in self.one.run("ovs-appctl -t /run/ovn/ovnnb_db.ctl ovsdb-server/sync-status"), "the stock pair")
        self.one.stop()
        self.assertIn("state: backup", self.next("From stock servers, and back"))
        wait_until(lambda: "replicating" in self.one.run("ovs-appctl -t /run/ovn/ovnnb_db.ctl ovsdb-server/sync-status"), "ours to follow")
        self.two.write("by-stock")
        wait_until(lambda: "by-stock" in self.one.switches(), "replication from the stock server")
        self.next("From stock servers, and back", 2)
        self.one.write("by-ours")
        wait_until(lambda: "by-ours" in self.two.switches(), "replication to the stock server")
        self.two.run("ovs-appctl -t /run/ovn/ovnnb_db.ctl ovsdb-server/disconnect-active-ovsdb-server")
        self.two.write("stock-again")
        self.one.stop()
        self.one.stock("--sync-from=tcp:192.0.2.2:6641")
        wait_until(lambda: "stock-again" in self.one.switches(), "the stock pair to be whole again")
        for node in self.nodes:
            node.stop()

        rest = {heading: left for heading, left in self.left.items() if [node for node, _ in left if node != "pacemaker"]}
        self.assertEqual(list(rest), ["From RAFT, and back"])

    def test_from_raft_and_back(self):
        (raft, to_standalone), (standalone, to_raft) = self.left["From RAFT, and back"]
        self.assertEqual((raft, standalone), ("raft", "standalone"))
        node = self.one
        node.run(f"ovsdb-tool create-cluster /var/lib/ovn/ovnnb_db.db {SCHEMA} tcp:127.0.0.11:{free_port()}")
        node.stock()
        wait_until(lambda: "leader" in node.run(f"ovs-appctl -t /run/ovn/ovnnb_db.ctl cluster/status {DB}", check=False), "a leader")
        node.write("of-raft")
        node.stop()
        node.run(to_standalone)
        _, active = self.left[""][1]
        node.run(active)
        self.assertEqual(node.switches(), ["of-raft"])
        node.write("of-tandem")
        node.stop()
        node.run(to_raft)
        node.stock()
        wait_until(lambda: node.switches() == ["of-raft", "of-tandem"], "the cluster to have all")
        node.stop()


class Readme(SystemTest):
    def test_the_pair_can_be_pasted(self):
        (pair,) = re.findall(r"A pair on one machine, to be pasted:\n\n((?: {4}.*\n|\n)+)", README.read_text())
        commands = re.sub("^    ", "", pair, flags=re.M)
        programs = self.scratch.path / "programs"
        programs.mkdir()
        for program in (environment.SERVER, environment.CTL, environment.TOOL):
            (programs / pathlib.Path(program).name).symlink_to(pathlib.Path(program).resolve())
        commands = commands.replace("16641", str(free_port())).replace("16642", str(free_port()))
        commands = commands.replace('"$(mktemp -d)"', str(self.scratch.path))
        done = subprocess.run(["bash", "-e"], input=commands, env=self.scratch.env | {"PATH": f"{programs}:{self.scratch.env['PATH']}"},
                              cwd=self.scratch.path, capture_output=True, text=True, timeout=environment.timeout_s(120), check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("hello", done.stdout)
        self.assertIn("drained", done.stdout)
        self.assertIn("one active, 1 backup in sync\n", done.stdout)


if __name__ == "__main__":
    main()
