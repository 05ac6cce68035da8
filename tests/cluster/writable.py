"""Watches from outside which servers take writes: more than one of a database at a time is what must not be.

Each server is asked every 50 ms, over its own Unix socket, to change a row that is not there: an active one does nothing
then, any other one refuses.
"""
import json
import os
import socket
import threading
import time

from client import TABLES
from writer import DATABASES

EVERY_S = 0.05
PATIENCE_S = 0.2
NO_ROW = "00000000-0000-0000-0000-000000000001"


class Probe:
    """One server, asked again and again over one connection."""

    def __init__(self, node, which):
        self.node = node
        self.which = which
        database = DATABASES[which][0]
        operation = {"op": "mutate", "table": TABLES[database], "where": [["_uuid", "==", ["uuid", NO_ROW]]],
                     "mutations": [["external_ids" if which == "nb" else "event_info", "insert", ["map", [["a", "b"]]]]]}
        self._request = json.dumps({"method": "transact", "params": [database, operation], "id": 0}).encode()
        self._socket = None

    def takes_writes(self):
        try:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX)
                self._socket.settimeout(PATIENCE_S)
                self._socket.connect(f"/proc/{self.node.pid}/root/run/ovn/ovn{self.which}_db.sock")
            self._socket.sendall(self._request)
            reply = b""
            while True:
                reply += self._socket.recv(65536)
                try:
                    return '"count"' in json.dumps(json.loads(reply)["result"])
                except (ValueError, KeyError):
                    if not reply:
                        raise OSError("closed") from None
        except (OSError, TypeError):
            if self._socket:
                self._socket.close()
            self._socket = None
            return False


class WritableWatch:
    """From its start to stop(). Keeps for each database the longest time for which two took writes."""

    def __init__(self, nodes):
        self.longest_s = {which: 0.0 for which in DATABASES}
        self._seen = {}  # (which, node) -> when it last took a write
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._watch, args=(Probe(node, which),), daemon=True)
                         for node in nodes for which in DATABASES]
        self._lock = threading.Lock()
        self._since = {}  # which -> since when two take writes
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _watch(self, probe):
        while not self._ended.wait(EVERY_S):
            takes = probe.node.up and probe.takes_writes()
            with self._lock:
                self._note(probe, takes, time.monotonic())

    def _note(self, probe, takes, now):
        self._seen[probe.which, probe.node.name] = takes
        both = sum(takes for (which, _), takes in self._seen.items() if which == probe.which) > 1
        since = self._since.setdefault(probe.which, now) if both else self._since.pop(probe.which, now)
        self.longest_s[probe.which] = max(self.longest_s[probe.which], now - since)
