"""Machines of the bench: a fabric (one Ethernet without an uplink) and the nodes that hang on it.

Everything lives in namespaces that die with this process: each node is started with a parent-death signal, so
that neither a crash nor SIGKILL of the bench leaves anything behind.
"""
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SUBNET = "10.90.0."
SUBNET6 = "fd90::"
VIP = SUBNET + "100"
VIP6 = SUBNET6 + "100"
OUTSIDE = SUBNET + "254"
OUTSIDE6 = SUBNET6 + "fe"
NOWHERE = SUBNET + "250"
NOWHERE6 = SUBNET6 + "fa"
NOBODY_MAC = "02:00:00:00:00:fa"  # frames to it vanish on the bridge
PR_SET_PDEATHSIG = 1


class CommandFailed(Exception):
    pass


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def child_of(pid, timeout_s=5.0):
    """The pid of the only child of `pid`."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            words = children.read().split()
        if words:
            return int(words[0])
        time.sleep(0.01)
    raise CommandFailed(f"process {pid} started no child")


def run(command, check=True, timeout_s=30, input_text=None, **kwargs):
    """Runs a command and returns its output (stdout) as text. On failure raises, unless check is false."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout_s,
                          input=input_text, **({} if input_text else {"stdin": subprocess.DEVNULL}), **kwargs)
    if check and done.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: exit {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout if check else done


def read_text(path):
    with open(path, errors="replace") as file:
        return file.read()


class Host:
    """Something with an own network namespace. `pid` is a process in it, as the bench sees it."""

    enter_flags = ["-n"]

    def __init__(self, name):
        self.name = name
        self.pid = None
        self._unshare = None

    def enter(self, command):
        return ["nsenter", "-t", str(self.pid)] + self.enter_flags + ["--"] + list(command)

    def run(self, *command, **kwargs):
        return run(self.enter(command), **kwargs)

    def spawn(self, *command, **kwargs):
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.enter(command), preexec_fn=die_with_parent, **kwargs)

    def spawn_on_network(self, *command, **kwargs):
        """As spawn, but the process shares only the network with the host and sees this machine's files."""
        return subprocess.Popen(["nsenter", "-t", str(self.pid), "-n", "--"] + list(command),
                                stdin=subprocess.DEVNULL, preexec_fn=die_with_parent, **kwargs)

    def _start(self, flags, command):
        self._unshare = subprocess.Popen(["unshare"] + flags + ["--fork", "--kill-child=KILL"] + command,
                                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         preexec_fn=die_with_parent)
        self.pid = child_of(self._unshare.pid)
        ready = self._unshare.stdout.readline()
        if ready != b"ready\n":
            raise CommandFailed(f"{self.name} did not come up: {ready!r}")

    def _end(self):
        if self._unshare:
            self._unshare.kill()
            self._unshare.wait()
            self._unshare = None
            self.pid = None


class Fabric(Host):
    """The Ethernet: a bridge in a namespace of its own, where the outside clients run too."""

    def __init__(self):
        super().__init__("fabric")

    def boot(self):
        self._start(["--net"], ["sh", "-c", "echo ready; exec sleep infinity"])
        self.run("ip", "link", "set", "lo", "up")
        # Without an address of its own a bridge takes the least of its ports', another one whenever a node comes or goes,
        # and all others send to the former for three seconds.
        self.run("ip", "link", "add", "br0", "address", "02:00:00:00:00:fe", "type", "bridge", "forward_delay", "0")
        self.run("ip", "link", "set", "br0", "up")
        self.run("ip", "address", "add", OUTSIDE + "/24", "dev", "br0")
        self.run("ip", "address", "add", OUTSIDE6 + "/64", "dev", "br0", "nodad")

    def plug(self, host, port):
        """Gives `host` the interface eth0, the other end of which is `port` here."""
        self.run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", str(host.pid))
        self.run("ip", "link", "set", port, "master", "br0", "up")

    def unplug(self, port):
        # The kernel removes the pair by itself, but some time after the other end's namespace has died.
        self.run("ip", "link", "del", port, check=False)

    def set_port(self, port, state):
        self.run("ip", "link", "set", port, state)

    def close(self):
        self._end()


class Node(Host):
    """A machine with private files that survive power_off, on the fabric."""

    enter_flags = ["-n", "-m", "-p", "-i", "-u"]

    def __init__(self, fabric, name, number, folder, install=None, programs=None, host_name=None):
        super().__init__(name)
        self.host_name = host_name or name
        self.fabric = fabric
        self.number = number
        self.folder = os.path.join(folder, name)
        self.address = SUBNET + str(number)
        self.address6 = SUBNET6 + str(number)
        self.port = f"port{number}"
        self.install = install or {}  # file on this machine -> path in the node, put there at each boot
        self.programs = programs  # folder on this machine that the node sees, too
        self._daemons = []

    @property
    def up(self):
        return self.pid is not None

    def boot(self):
        spec = {"name": self.host_name, "folder": self.folder, "install": self.install, "programs": self.programs}
        self._start(["--mount", "--pid", "--net", "--ipc", "--uts"],
                    [sys.executable, os.path.join(HERE, "init.py"), json.dumps(spec)])
        self.fabric.plug(self, self.port)
        self.run("ip", "link", "set", "eth0", "address", f"02:00:00:00:01:{self.number:02x}", "up")
        self.run("ip", "address", "add", self.address + "/24", "dev", "eth0")
        self.run("ip", "address", "add", self.address6 + "/64", "dev", "eth0", "nodad")
        for family, gateway in (("-4", NOWHERE), ("-6", NOWHERE6)):
            self.run("ip", family, "neighbour", "add", gateway, "lladdr", NOBODY_MAC, "dev", "eth0", "nud", "permanent")
            self.run("ip", family, "route", "add", "default", "via", gateway)

    def path(self, inner):
        """Where a persistent file of the node is on this machine."""
        return self.folder + inner

    def power_off(self):
        """The link goes first, so that no dying process says goodbye."""
        if self.up:
            self.cut()
            self._end()
            self.fabric.unplug(self.port)
            for daemon in self._daemons:
                daemon.wait()
            self._daemons = []

    def close(self):
        self._end()

    def cut(self):
        self.fabric.set_port(self.port, "down")

    def heal(self):
        self.fabric.set_port(self.port, "up")

    def lose_sight_of(self, address):
        """From now on what this node sends to `address` vanishes; the other way still works."""
        self.run("ip", "neighbour", "replace", address, "lladdr", NOBODY_MAC, "dev", "eth0", "nud", "permanent")

    def see_again(self, address):
        self.run("ip", "neighbour", "del", address, "dev", "eth0")

    def daemon(self, *command):
        """Starts a foreground daemon that lives until the node dies."""
        log = open(self.path("/var/log/" + os.path.basename(command[0]) + ".out"), "ab")
        daemon = self.spawn(*command, stdout=log, stderr=log)
        log.close()
        self._daemons.append(daemon)
        return daemon

    def processes(self):
        """The node's processes as (pid as this machine sees it, pid in the node, name, command line)."""
        space = os.readlink(f"/proc/{self.pid}/ns/pid")
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink(f"/proc/{entry}/ns/pid") != space:
                    continue
                status = read_text(f"/proc/{entry}/status")
                inner = int(re.search(r"^NSpid:.*?(\d+)$", status, re.M).group(1))
                name = re.search(r"^Name:\t(.*)$", status, re.M).group(1)
                yield int(entry), inner, name, read_text(f"/proc/{entry}/cmdline").replace("\0", " ")
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue

    def pids_of(self, name):
        return [pid for pid, _, process, _ in self.processes() if process == name[:15]]

    def pid_in(self, pidfile):
        """The pid, as this machine sees it, of the process whose pidfile in the node this is; None if it is gone."""
        done = self.run("cat", pidfile, check=False)
        wanted = done.stdout.strip()
        for pid, inner, _, _ in self.processes():
            if str(inner) == wanted:
                return pid
        return None

    def remove_folder(self):
        shutil.rmtree(self.folder, ignore_errors=True)
