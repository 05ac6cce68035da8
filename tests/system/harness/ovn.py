"""OVN as Debian ships it, started by stock ovn-ctl with the server under test first on PATH."""

import os
import pathlib
import shutil

from . import environment
from .server import wait_until


class Ovn:
    """The control plane of one scratch folder: ovn-ctl's databases, ovn-northd and ovn-nbctl."""

    def __init__(self, scratch, binary=None):
        self.scratch = scratch
        self.programs = scratch.path / "programs"
        self.programs.mkdir()
        binary = pathlib.Path(binary or environment.SERVER).resolve()
        if environment.is_stock(binary):
            shutil.copy(binary, self.programs / "ovsdb-server")
            self.binary = self.programs / "ovsdb-server"
        else:
            (self.programs / "ovsdb-server").symlink_to(binary)
            self.binary = binary
        self.env = scratch.env | {"PATH": f"{self.programs}:{scratch.env['PATH']}"}
        self.nb = f"unix:{scratch.path}/ovnnb_db.sock"
        self.sb = f"unix:{scratch.path}/ovnsb_db.sock"

    def ctl(self, *words, check=True):
        return self.scratch.run(environment.OVN_CTL, *words, env=self.env, check=check)

    def nbctl(self, *words):
        return self.scratch.run("ovn-nbctl", f"--db={self.nb}", "--timeout=30", *words)

    def sbctl(self, *words):
        return self.scratch.run("ovn-sbctl", f"--db={self.sb}", "--timeout=30", *words)

    def server_pid(self, db):
        """The pid of the `nb` or `sb` server, as its pidfile has it."""
        return int((self.scratch.path / f"ovn{db}_db.pid").read_text())

    def runs_server_under_test(self, db):
        return os.path.realpath(f"/proc/{self.server_pid(db)}/exe") == str(self.binary)

    def build_topology(self, switches=2, ports=2):
        """Switches, a router between them, load balancers and ACLs; waits until northd has done them."""
        words = ["lr-add", "lr0"]
        for s in range(switches):
            words += ["--", "ls-add", f"ls{s}",
                      "--", "lrp-add", "lr0", f"lr0-ls{s}", f"02:00:00:00:{s:02x}:fe", f"10.0.{s}.1/24",
                      "--", "lsp-add", f"ls{s}", f"ls{s}-lr0",
                      "--", "lsp-set-type", f"ls{s}-lr0", "router",
                      "--", "lsp-set-addresses", f"ls{s}-lr0", "router",
                      "--", "lsp-set-options", f"ls{s}-lr0", f"router-port=lr0-ls{s}",
                      "--", "acl-add", f"ls{s}", "to-lport", "1000", "tcp.dst == 23", "drop"]
            for p in range(ports):
                words += ["--", "lsp-add", f"ls{s}", f"vm{s}-{p}",
                          "--", "lsp-set-addresses", f"vm{s}-{p}",
                          f"02:00:00:00:{s:02x}:{p:02x} 10.0.{s}.{p + 10}"]
        self.nbctl(*words)
        self.nbctl("lb-add", "lb0", "10.0.0.100:80", "10.0.0.10:80,10.0.1.10:80")
        self.nbctl("ls-lb-add", "ls0", "lb0")
        self.nbctl("lr-lb-add", "lr0", "lb0")
        self.nbctl("--wait=sb", "sync")


def make_pair_files(scratch, folder):
    """Makes an NB and an SB file with stock programs: {"nb": path, "sb": path}."""
    ovn = Ovn(scratch, environment.STOCK_SERVER)
    ovn.ctl("start_northd")
    ovn.build_topology(switches=8, ports=8)
    ovn.ctl("stop_northd")
    wait_until(lambda: not scratch.processes(), "OVN to stop")
    files = {}
    for db in ("nb", "sb"):
        files[db] = folder / f"made-{db}.db"
        shutil.move(scratch.path / f"ovn{db}_db.db", files[db])
    shutil.rmtree(ovn.programs)
    return files


def start_chassis(scratch, switch, name, sb):
    """A node of the data plane, with the dummy datapath, whose ovn-controller knows the Southbound servers SB.

    SWITCH is the server of its Open_vSwitch database. Returns a function that runs ovs-vsctl on that.
    """
    def vsctl(*words):
        return scratch.run("ovs-vsctl", f"--db={switch.socket}", "--timeout=20", *words)

    vsctl("--no-wait", "init", "--", "set", "Open_vSwitch", ".",
          f"external_ids:system-id={name}", f'external_ids:ovn-remote="{sb}"',
          "external_ids:ovn-encap-type=geneve", "external_ids:ovn-encap-ip=127.0.0.1")
    scratch.run("ovs-vswitchd", "--detach", "--pidfile=vswitchd.pid", "--log-file=vswitchd.log",
                "--enable-dummy=override", "--disable-system", "--disable-system-route",
                "--unixctl=vswitchd.ctl", "-vconsole:off", switch.socket)
    scratch.run("ovn-controller", "--detach", "--pidfile=controller.pid", "-vconsole:off",
                "--log-file=controller.log", switch.socket)
    return vsctl
