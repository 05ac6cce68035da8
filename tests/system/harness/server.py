"""One running database server, stock or ours, in a scratch folder."""

import json
import os
import pathlib
import signal
import subprocess
import time

from . import environment
from .jsonrpc import Connection

_SANITIZER_REPORTS = ("ERROR: AddressSanitizer", "runtime error:", "ERROR: LeakSanitizer",
                      "WARNING: ThreadSanitizer")


def create_database(scratch, file, schema):
    """Creates FILE from SCHEMA, a schema file or the schema as a value."""
    if isinstance(schema, dict):
        path = scratch.path / (file + ".ovsschema")
        path.write_text(json.dumps(schema))
        schema = path
    scratch.run("ovsdb-tool", "create", file, schema)


def wait_until(condition, what, seconds=30, poll_s=0.05):
    """Polls CONDITION until it holds; raises with WHAT after SECONDS."""
    deadline = time.monotonic() + environment.timeout_s(seconds)
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"gave up waiting for {what}")
        time.sleep(poll_s)
    return value


class Server:
    """A foreground server process named NAME: socket NAME.sock, control NAME.ctl, log NAME.log.

    `start` and `stop` may alternate; the options stay. `kill` is SIGKILL.
    """

    def __init__(self, scratch, name, databases, options=(), binary=None, own_remote=True):
        self.scratch = scratch
        self.name = name
        self.binary = binary or environment.SERVER
        self.databases = list(databases)
        self.options = list(options)
        self.socket = f"unix:{scratch.path}/{name}.sock"
        self.remotes = [f"--remote=p{self.socket}"] if own_remote else []  # or it stands in a configuration file
        self.process = None

    def start(self):
        """Starts it and waits until it accepts connections, clients' and control's."""
        command = [str(self.binary), *self.databases, *self.remotes,
                   f"--unixctl={self.name}.ctl", f"--pidfile={self.name}.pid",
                   f"--log-file={self.name}.log", "-vconsole:off", *self.options]
        with open(self.scratch.path / f"{self.name}.stderr", "ab") as stderr:
            self.process = subprocess.Popen(command, env=self.scratch.env, cwd=self.scratch.path,
                                            stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr)
        wait_until(self._accepts, f"server {self.name} to start", poll_s=0.005)
        return self

    def _accepts(self):
        if self.process.poll() is not None:
            raise AssertionError(f"server {self.name} exited with {self.process.returncode}\n"
                                 + self.stderr())
        try:
            # Control first: stock opens it last, and until then takes no connection from the queue of its remote,
            # which attempts would fill.
            Connection(f"unix:{self.scratch.path}/{self.name}.ctl", deadline_s=0).close()
            self.connect(deadline_s=0).close()
            return True
        except OSError:
            return False

    def appctl(self, *command, check=True):
        """Runs a control command with stock ovs-appctl; returns its output."""
        return self.scratch.run("ovs-appctl", "-t", self.scratch.path / f"{self.name}.ctl",
                                *command, check=check)

    def control(self, command, *arguments, **options):
        """As `appctl`, without starting a program for it; OPTIONS are those of Connection."""
        with Connection(f"unix:{self.scratch.path}/{self.name}.ctl", **options) as connection:
            return connection.result(command, *arguments)

    def connect(self, **options):
        return Connection(self.socket, **options)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Asks it to exit; it must do so cleanly and quickly, and no sanitizer may have complained."""
        if not self.alive():
            return
        self.control("exit")
        code = self.process.wait(timeout=environment.timeout_s(20))
        if code != 0:
            raise AssertionError(f"server {self.name} exited with {code}\n{self.stderr()}")
        self.check_stderr()

    def suspend(self):
        """Stops all threads, until SIGCONT: kill(2) does not wait for that."""
        self.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: set(self._thread_states()) == {"T"}, "all threads to stop", poll_s=0.002)

    def _thread_states(self):
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                yield (task / "stat").read_text().rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                pass  # it has ended meanwhile

    def kill(self):
        """Kills it with SIGKILL, as a crash does."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.check_stderr()

    def log(self):
        return (self.scratch.path / f"{self.name}.log").read_text(errors="replace")

    def stderr(self):
        return (self.scratch.path / f"{self.name}.stderr").read_text(errors="replace")

    def check_stderr(self):
        text = self.stderr()
        if any(report in text for report in _SANITIZER_REPORTS):
            raise AssertionError(f"server {self.name} has a sanitizer report:\n{text[:20000]}")

    def dump(self, db, address=None):
        """Everything in DB as ovsdb-client sees it, rows sorted, so that equal contents compare equal."""
        text = self.scratch.run("ovsdb-client", "-f", "csv", "--timeout=120", "dump",
                                address or self.socket, db, timeout=180)
        return [sorted(table.splitlines()) for table in text.split("\n\n")]
