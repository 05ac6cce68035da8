"""A cluster that consists of files: `stub` stands for Pacemaker's tools and ovn-ctl, `server` for the database servers."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
from harness.server import wait_until  # noqa: E402,F401

AGENT = HERE.parents[1] / "ocf/ovndb-servers"
PROGRAM = pathlib.Path(os.environ.get("TANDEM_AGENT", HERE.parents[1] / "build/release/bin/tandem-agent"))
PROGRAMS = ["attrd_updater", "corosync-quorumtool", "crm_attribute", "crm_node", "crm_resource", "ovn-ctl", "ovn-nbctl",
            "ovn-sbctl"]
OK, FAILED, NOT_INSTALLED, NOT_CONFIGURED, NOT_RUNNING, PROMOTED, FAILED_PROMOTED = 0, 1, 5, 6, 7, 8, 9  # OCF's exit codes
POSITION, SCORE, COPIES = "position-ovndb_servers", "master-ovndb_servers", "copies-ovndb_servers"
BAN = "-INFINITY"
PROMOTED_MONITOR = {"role": "Promoted", "interval": "15000"}


class Node:
    """One node: its agent, and two processes that live for its servers."""

    def __init__(self, cluster, programs, name, host):
        self.cluster = cluster
        self.programs = programs
        self.name = name
        self.host = host
        self.path = cluster / ("node-" + name)
        self.path.mkdir()
        self.servers = []  # those that are this process's children

    def environment(self, meta):
        meta = {"on_node": self.name, "interval": "0", "timeout": "20000", "notify": "true"} | meta
        if self.host != self.name:
            meta |= {"physical_host": self.host, "container_attribute_target": "host"}
        return {
            "PATH": f"{self.programs}:{os.environ['PATH']}", "CLUSTER": str(self.cluster), "HERE": str(self.path),
            "OCF_ROOT": "/usr/lib/ocf", "HA_RSCTMP": str(self.path), "OVN_RUNDIR": str(self.path),
            "OCF_RESOURCE_INSTANCE": "ovndb_servers", "OCF_RESKEY_master_ip": "192.0.2.10",
            "OCF_RESKEY_tandem_dir": str(self.programs), "OCF_RESKEY_ovn_ctl": f"{self.programs}/ovn-ctl",
            **{f"OCF_RESKEY_CRM_meta_{key}": value for key, value in meta.items()}}

    def begin(self, action, parameters=None, **meta):
        """Starts an action of the agent."""
        environment = self.environment(meta)
        for key, value in (parameters or {}).items():
            environment["OCF_RESKEY_" + key] = value
        return subprocess.Popen([AGENT, action], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def end(self, action):
        self.said = action.communicate(timeout=60)[0].decode()
        return action.returncode

    def run(self, action, parameters=None, **meta):
        """Runs an action of the agent; returns its exit code."""
        return self.end(self.begin(action, parameters, **meta))

    def settle(self):
        """Waits for what an action has left to be done."""
        wait_until(lambda: subprocess.run(["flock", "-n", self.path / "ovndb-ovndb_servers.lock", "true"],
                                          check=False).returncode == 0, "the end of what goes on behind the action")

    def forget(self):
        """Ends the keeper: when no action works any more, the role is forgotten."""
        subprocess.run(["flock", "-w", "20", self.path / "ovndb-ovndb_servers.lock", "rm", "-f",
                        self.path / "ovndb-ovndb_servers.state"], check=False)

    def serve(self, nb, sb=None):
        """Both servers run, and say this of themselves: ROLE LINK EPOCH INDEX."""
        for which, word in (("nb", nb), ("sb", sb or nb)):
            self.say(which, word)
            if not self.pid(which):
                control = self.path / f"ovn{which}_db.ctl"
                server = subprocess.Popen([self.programs / "ovsdb-server", which, self.path, control, f"--unixctl={control}"],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                self.servers.append(server)
                self.pidfile(which).write_text(f"{server.pid}\n")
                wait_until(lambda: self.answers(which), "the server to listen")

    def answers(self, which):
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.path / f"ovn{which}_db.ctl")) == 0

    def tell(self, which, command):
        """Sends a server a command, as ovs-appctl does, and does not wait for the answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.path / f"ovn{which}_db.ctl"))
            client.sendall(json.dumps({"id": 0, "method": command, "params": []}).encode())
            client.recv(1)

    def serves(self, which, pid):
        """Is the process one of this node's servers?"""
        try:
            return str(self.path / f"ovn{which}_db.ctl").encode() in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return False

    def say(self, which, word):
        next_file = self.path / (which + ".new")
        next_file.write_text(word + "\n")
        next_file.rename(self.path / which)

    def said_by(self, which):
        return (self.path / which).read_text().strip()

    def asked(self, which):
        """What was asked of a server, but for its status."""
        path = self.path / f"{which}-asked"
        return path.read_text().splitlines() if path.exists() else []

    def calls(self, program=""):
        """The programs that were started, or the calls of one."""
        path = self.path / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if line.startswith(program)]

    def forget_calls(self):
        (self.path / "calls").unlink(missing_ok=True)

    def pidfile(self, which):
        return self.path / f"ovn{which}_db.pid"

    def pid(self, which):
        """The pid of a server that lives."""
        try:
            pid = int(self.pidfile(which).read_text())
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            return None if "(ovsdb-server) Z" in stat else pid
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None

    def kill(self, which):
        pid = self.pid(which)
        if pid:
            os.kill(pid, signal.SIGKILL)
            for server in self.servers:
                if server.pid == pid:
                    server.wait()
            wait_until(lambda: not self.pid(which), "the server to die")

    def leases(self):
        """How often both servers were granted a lease."""
        try:
            return min(len((self.path / f"{which}-leases").read_text().split()) for which in ("nb", "sb"))
        except FileNotFoundError:
            return 0

    def last_lease(self):
        return (self.path / "nb-leases").read_text().split()[-1]


class AgentTest(unittest.TestCase):
    node_of = staticmethod(lambda host: host)

    def setUp(self):
        self.cluster = pathlib.Path(tempfile.mkdtemp(prefix="agent-"))
        self.programs = programs = self.cluster / "programs"
        programs.mkdir()
        for name in PROGRAMS:
            (programs / name).symlink_to(HERE / "stub")
        (programs / "ovsdb-server").symlink_to(HERE / "server")
        (programs / "tandem-agent").symlink_to(PROGRAM)
        (self.cluster / "quorum").write_text("1\n")
        self.one, self.two = (Node(self.cluster, programs, self.node_of(host), host) for host in ("ctl1", "ctl10"))
        self.addCleanup(self.clean_up)

    def clean_up(self):
        (self.cluster / "hanging").unlink(missing_ok=True)
        for node in (self.one, self.two):
            if node.path.exists():
                node.forget()
        left = self.end_agents()
        for node in (self.one, self.two):
            for which in ("nb", "sb"):
                node.kill(which)
            for server in node.servers:
                server.kill()
                server.wait()
        for pid, _ in self.processes():  # servers without a pidfile
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.cluster, ignore_errors=True)
        self.assertFalse(left, "agents outlived their cluster")

    def agents(self):
        """The processes of the agent that work in this cluster, keepers too."""
        return [pid for pid, program in self.processes() if program == PROGRAM.resolve()]

    def processes(self):
        """Pid and program of all that the agent has started in this cluster, and of itself."""
        found = []
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if f"CLUSTER={self.cluster}".encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append((int(process.name), (process / "exe").resolve()))
            except OSError:
                pass
        return found

    def end_agents(self):
        """Kills those that have not ended by themselves, and returns them."""
        end = time.monotonic() + 10
        while self.agents() and time.monotonic() < end:
            time.sleep(0.05)
        left = self.agents()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left

    def set(self, name, value):
        (self.cluster / name).parent.mkdir(exist_ok=True)
        (self.cluster / name).write_text(value + "\n")

    def publish(self, node, word, nb, sb=None, *more):
        """Another instance says WORD, at (epoch, index) of nb and sb; in the first format if there is no more."""
        values = [word, *map(str, nb), *map(str, sb or nb), node.name, *more]
        self.set(f"{POSITION}/{node.host}", ",".join(values))

    def published(self, node):
        """The fields of what a node has published."""
        return (self.cluster / POSITION / node.host).read_text().strip().split(",")

    def score(self, node, value=None):
        if value is not None:
            self.set(f"{SCORE}/{node.host}", str(value))
        try:
            text = (self.cluster / SCORE / node.host).read_text().strip()
            return text if "INFINITY" in text else int(text)
        except FileNotFoundError:
            return None

    def others(self, script):
        """What other instances do when something is published: $1."""
        path = self.cluster / "others"
        path.write_text("#!/bin/sh\n" + script)
        path.chmod(0o755)

    def start(self, node, parameters=None):
        self.assertEqual(node.run("start", parameters), OK, node.said)
        node.run("notify", parameters, notify_type="post", notify_operation="start")

    def before_promotion(self, node, **meta):
        """The notification that precedes a promotion of this node after the loss of another."""
        backups = f"{self.one.name} {self.two.name}"
        return node.run("notify", notify_type="pre", notify_operation="promote",
                        **({"notify_promote_uname": node.name, "notify_slave_uname": backups} | meta))

    def promoted(self, parameters=None):
        self.one.serve("active writable 5 100")
        self.one.run("monitor")
        self.publish(self.two, "live", (5, 100))
        self.assertEqual(self.monitor(self.one, parameters, **PROMOTED_MONITOR), PROMOTED, self.one.said)

    def promote(self, node, parameters=None, **meta):
        backups = f"{self.one.name} {self.two.name}"
        return node.run("promote", parameters,
                        **({"notify_promote_uname": node.name, "notify_slave_uname": backups} | meta))

    def monitor(self, node, parameters=None, **meta):
        code = node.run("monitor", parameters, **({"interval": "10000"} | meta))
        node.settle()
        return code


def main():
    if not PROGRAM.exists():
        sys.exit("build tandem-agent first")
    unittest.main(verbosity=2)
