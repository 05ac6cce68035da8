#!/usr/bin/python3
"""Files beside the databases whose disk hangs: keys, certificates, the configuration file. Nobody waits for them.

A lease stands in for the disk: who opens the file waits until it is given back."""

import fcntl
import json
import os
import shutil
import signal
import subprocess

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.pki import Pki
from harness.server import wait_until
from harness.surface import DB, SurfaceTest, insert


class Lease:
    """Holds up whoever opens a file."""

    def __init__(self, path):
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        self.fd = os.open(path, os.O_RDWR)
        fcntl.fcntl(self.fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)

    def give_back(self):
        if self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


class HungFiles(SurfaceTest):
    def serve(self, *words, databases=("db",)):
        process = subprocess.Popen([str(environment.SERVER), "--pidfile", "--log-file", "-vconsole:off",
                                    "--threads=1", *words, *databases], env=self.scratch.env, cwd=self.path)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")

    def hang(self, path):
        lease = Lease(path)
        self.addCleanup(lease.give_back)
        return lease

    def check_served(self, number):
        """Control commands and clients."""
        self.assertIn("Open vSwitch", self.scratch.run("ovs-appctl", "--timeout=5", "-t", "ovsdb-server", "version"))
        self.assertIn("role: active", self.ctl("tandem/status"))
        with Connection(self.socket) as client:
            client.timeout = 5
            self.assertEqual(client.result("echo", "here"), ["here"])
            client.transact(DB, insert(number))

    def test_a_configuration_file(self):
        """A reload waits for it, and nothing else does."""
        config = self.path / "config"
        config.write_text(json.dumps({"remotes": {"punix:db.sock": None}, "databases": {str(self.path / "db"): None}}))
        self.serve(f"--config-file={config}", databases=())
        lease = self.hang(config)
        reload = subprocess.Popen(["ovs-appctl", "-t", "ovsdb-server", "ovsdb-server/reload"],
                                  env=self.scratch.env, cwd=self.path)
        self.addCleanup(reload.wait)
        for number in range(3):
            self.check_served(number)
        self.assertEqual(self.refusal("ovsdb-server/reload"), "another reload is under way")
        lease.give_back()
        self.assertEqual(reload.wait(timeout=60), 0)
        self.ctl("ovsdb-server/reload")

    def test_a_certificate(self):
        """Connections begin with what was read before, until the new one can be read."""
        pki = Pki(self.path)
        pki.authority("one")
        pki.certify("one", "server")
        pki.certify("one", "client")
        pki.certify("one", "new", days=3)
        key, certificate = self.path / "key", self.path / "certificate"
        shutil.copy(pki.key("one", "server"), key)
        shutil.copy(pki.certificate("one", "server"), certificate)
        self.serve("--remote=punix:db.sock", "--remote=pssl:0:127.0.0.1", "-p", str(key), "-c", str(certificate),
                   "-C", pki.ca("one"))
        tls = ["-p", pki.key("one", "client"), "-c", pki.certificate("one", "client"), "-C", pki.ca("one"),
               "--timeout=10", "list-dbs", f"ssl:127.0.0.1:{self.port()}"]
        self.assertEqual(self.client(*tls), f"_Server\n{DB}\n")
        shutil.copy(pki.key("one", "new"), key)
        shutil.copy(pki.certificate("one", "new"), certificate)
        lease = self.hang(certificate)
        for number in range(3):
            self.assertEqual(self.client(*tls), f"_Server\n{DB}\n")
            self.check_served(number)
        self.assertNotIn("certificate", self.ctl("tandem/status"))
        lease.give_back()
        wait_until(lambda: f"health: certificate {certificate}: runs out at" in self.ctl("tandem/status"),
                   "the new certificate")
        self.assertEqual(self.client(*tls), f"_Server\n{DB}\n")


if __name__ == "__main__":
    main()
