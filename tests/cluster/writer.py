"""The bench's side of a writer: starts client.py somewhere, and reads what it wrote down."""
import os
import subprocess
import sys

from node import HERE

DATABASES = {"nb": ("OVN_Northbound", 6641), "sb": ("OVN_Southbound", 6642)}


class Writer:
    def __init__(self, host, folder, target, which="nb", rate=100, tls=None, label=None):
        self.which = which
        self.database, port = DATABASES[which]
        self.label = label or which
        self.log = os.path.join(folder, f"writer-{self.label}.log")
        self._process = host.spawn_on_network(
            sys.executable, os.path.join(HERE, "client.py"), "--host", target, "--port", str(port), "--database",
            self.database, "--label", self.label, "--log", self.log, "--rate", str(rate),
            *(["--tls", tls] if tls else []), stderr=subprocess.DEVNULL)

    def stop(self):
        self._process.terminate()
        self._process.wait()

    def acknowledged(self):
        """(number, time) of each acknowledged transaction, in order."""
        try:
            with open(self.log) as log:
                words = [line.split() for line in log if line.endswith("\n")]
        except FileNotFoundError:
            return []
        return [(int(number), float(when)) for _, number, when in words]

    def marks(self):
        return {f"{self.label}-{number}" for number, _ in self.acknowledged()}

    def longest_gap_s(self, since):
        """The longest time without an acknowledgement after the moment `since` (CLOCK_MONOTONIC)."""
        times = [when for _, when in self.acknowledged() if when >= since]
        return max((b - a for a, b in zip([since] + times, times)), default=float("inf"))
