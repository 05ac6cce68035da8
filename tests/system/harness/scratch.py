"""A private folder in which programs run, and the processes started from it."""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from . import environment

_MARK = "TANDEM_TEST_SCRATCH"
_PR_SET_CHILD_SUBREAPER = 36

# Daemons that detach become our children again, so that they can be told from everybody else's.
ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _lineage(pid, parents):
    """PID and its ancestors below this process; nothing when this process is not among them."""
    lineage = []
    while pid and pid != os.getpid():
        lineage.append(pid)
        pid = parents.get(pid, 0)
    return lineage if pid else []


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, os.WNOHANG)
    except (ProcessLookupError, ChildProcessError):
        pass


class Scratch:
    """Owns a temporary folder and every process started with its environment.

    All run, log, database and configuration folders of Open vSwitch and OVN point into it, so the
    machine's own services are neither seen nor touched. `close` ends what was started and removes it.
    """

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="tandem-test-"))
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("OVS_", "OVN_"))}
        self.env[_MARK] = str(self.path)
        self.env["OVS_SYSLOG_METHOD"] = "null"
        self.env["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
        for name in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"):
            self.env[f"OVS_{name}"] = self.env[f"OVN_{name}"] = str(self.path)
        self.env["TANDEM_RUNDIR"] = str(self.path)

    def run(self, *command, check=True, timeout=60, env=None):
        """Runs COMMAND to its end; returns its output. Raises with both outputs when it fails."""
        done = subprocess.run(
            [str(word) for word in command],
            env=env or self.env,
            cwd=self.path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=environment.timeout_s(timeout),
        )
        if check and done.returncode != 0:
            words = " ".join(str(word) for word in command)
            raise AssertionError(
                f"`{words}` exited with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout if check else done

    def processes(self):
        """Pids of living processes that were started from here, daemons and their monitors too."""
        parents = {}
        ours = set()
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if self._belongs_here(entry):
                        ours.add(int(entry.name))
                except OSError:
                    pass
        return sorted({pid for child in ours for pid in _lineage(child, parents)})

    def _belongs_here(self, process):
        """True when PROCESS (its folder in /proc) has our environment, or a file of ours open.

        A server that writes its state over its arguments may overwrite its environment as well.
        """
        if f"{_MARK}={self.path}".encode() in (process / "environ").read_bytes().split(b"\0"):
            return True
        return any(os.readlink(file).startswith(f"{self.path}/") for file in (process / "fd").iterdir())

    def logs(self, tail=60):
        """The last TAIL lines of every log in the folder, for a failure's report."""
        texts = []
        for log in sorted(self.path.rglob("*.log")) + sorted(self.path.rglob("*.stderr")):
            lines = log.read_text(errors="replace").splitlines()[-tail:]
            if lines:
                texts.append(f"--- {log.name}\n" + "\n".join(lines))
        return "\n".join(texts)

    def close(self):
        """Kills what is left of our processes and removes the folder."""
        deadline = time.monotonic() + 10
        while (pids := self.processes()) and time.monotonic() < deadline:
            for pid in pids:
                _kill(pid)
            time.sleep(0.05)
        shutil.rmtree(self.path, ignore_errors=True)
