"""Who is there beside an attacker, and how long they wait."""

import multiprocessing
import os
import threading
import time

from harness.jsonrpc import Closed, Connection

import data


class Bystander:
    """Honest clients of a server, in a process of their own: each asks something small, over and over."""

    def __init__(self, target):
        server = target.server
        self._stop, stop = multiprocessing.Pipe()
        control = f"unix:{target.scratch.path}/target.ctl"
        jobs = {
            "echo": (server.socket, lambda c: c.call("echo", 1)),
            "transact": (server.socket, lambda c: c.transact(data.DB, *data.SMALL_CHANGE)),
            "list-dbs": (control, lambda c: c.call("ovsdb-server/list-dbs")),
        }
        self._process = multiprocessing.get_context("fork").Process(target=self._run, args=(stop, jobs), daemon=True)
        self._process.start()
        if self._stop.recv() != "ready":
            raise AssertionError("no bystander")

    @staticmethod
    def _run(stop, jobs):
        longest = dict.fromkeys(jobs, 0.0)
        since = {}  # who waits, and since when

        def loop(name, address, job):
            try:
                with Connection(address, timeout=600) as connection:
                    job(connection)
                    ready.release()
                    while True:
                        since[name] = time.monotonic()
                        job(connection)
                        took = time.monotonic() - since.pop(name)
                        longest[name] = max(longest[name], took)
                        time.sleep(max(0.01, 10 * took))  # or what it asks would count as the attacker's
            except (Closed, OSError, AssertionError):
                longest[name] = max(longest[name], 0.001)
                since.pop(name, None)
                ready.release()

        ready = threading.Semaphore(0)
        for name, (address, job) in jobs.items():
            threading.Thread(target=loop, args=(name, address, job), daemon=True).start()
        for _ in jobs:
            ready.acquire()
        longest.update(dict.fromkeys(jobs, 0.0))
        stop.send("ready")
        stop.recv()
        now = time.monotonic()
        for name, begin in list(since.items()):
            longest[name] = max(longest[name], now - begin)
        stop.send(longest)
        os._exit(0)

    def stop(self):
        """Who waited longest, and for how many milliseconds."""
        self._stop.send("stop")
        longest = self._stop.recv()
        self._process.join()
        name = max(longest, key=longest.get)
        return name, longest[name] * 1000
