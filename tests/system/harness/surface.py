"""What the tests of the compatibility surface share: a server as scripts start it, and what they look at."""

import os
import signal
import subprocess

from . import environment
from .case import SystemTest
from .server import create_database, wait_until

DB = "ordinals"
SCHEMA = {
    "name": DB,
    "version": "5.1.3",
    "cksum": "12345678 9",
    "tables": {DB: {"columns": {"number": {"type": "integer"}, "name": {"type": "string"}},
                    "indexes": [["number"]]}},
}


def insert(number):
    return {"op": "insert", "table": DB, "row": {"number": number, "name": f"n{number}"}}


class SurfaceTest(SystemTest):
    """A database file `db`, and a server that scripts reach by its default pidfile and control socket."""

    def setUp(self):
        super().setUp()
        create_database(self.scratch, "db", SCHEMA)
        self.path = self.scratch.path
        self.socket = f"unix:{self.path}/db.sock"

    def run_server(self, *words, binary=None, timeout=60, **options):
        """Runs a server to its end, as a shell would; status and both outputs."""
        done = subprocess.run([str(binary or environment.SERVER), *words], env=self.scratch.env, cwd=self.path,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=environment.timeout_s(timeout), **options)
        return done.returncode, done.stdout, done.stderr

    def start(self, *words, databases=("db",), binary=None, stays=True):
        """Detaches a server that logs to its default file and listens at `db.sock`; nothing may be printed.

        It leaves its folder unless it STAYS.
        """
        outcome = self.run_server("--detach", *(["--no-chdir"] if stays else []), "--pidfile", "--log-file",
                                  "-vconsole:off", "--remote=punix:db.sock", *words, *databases, binary=binary)
        self.assertEqual(outcome, (0, "", ""))
        self.addCleanup(self._end, self.pid())

    def _end(self, pid):
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            pass

    def pid(self):
        return int((self.path / "ovsdb-server.pid").read_text())

    def ctl(self, *words):
        """The result of a control command that must succeed."""
        return self.scratch.run("ovs-appctl", "-t", "ovsdb-server", *words)

    def refusal(self, *words):
        """What ovs-appctl prints of a control command that must fail."""
        done = self.scratch.run("ovs-appctl", "-t", "ovsdb-server", *words, check=False)
        self.assertEqual(done.returncode, 2)
        text, last = done.stderr.rstrip("\n").rsplit("\n", 1)
        self.assertEqual(last, "ovs-appctl: ovsdb-server: server returned an error")
        return text

    def exit(self):
        """Asks the server to exit and waits until nothing of it is left."""
        self.ctl("exit")
        self.wait_gone()

    def wait_gone(self):
        names = ("ovsdb-server.pid", "db.sock")
        wait_until(lambda: not any((self.path / name).exists() for name in names), "the server to go")

    def client(self, *words, check=True):
        return self.scratch.run("ovsdb-client", "--timeout=30", *words, check=check)

    def log(self, name="ovsdb-server.log"):
        return (self.path / name).read_text(errors="replace")

    def troubles(self, name="ovsdb-server.log"):
        """What the tests of Open vSwitch fail for: warnings and errors in a log, without their time and number."""
        lines = (line.split("|", 2) for line in self.log(name).splitlines())
        return [rest[2] for rest in lines if len(rest) == 3
                and any(f"|{level}|" in rest[2] for level in ("WARN", "ERR", "EMER"))]

    def port(self, name="ovsdb-server.log"):
        """The port that the last listener at port 0 got."""
        found = wait_until(lambda: [line for line in self.log(name).splitlines() if "listening on port" in line],
                           "a listener")
        return int(found[-1].rpartition(" ")[2])
