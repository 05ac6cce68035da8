"""The base of all system tests."""

import random
import unittest

from . import environment
from .scratch import Scratch
from .server import Server, create_database


class SystemTest(unittest.TestCase):
    """Gives each test a scratch folder and a seeded `random`; prints the logs when the test fails."""

    def setUp(self):
        self.scratch = Scratch()
        self.random = random.Random(environment.SEED)
        # Cleanups run last to first: servers stop (registered as they start), then the report.
        self.addCleanup(self.scratch.close)
        self.addCleanup(self._report)

    def _report(self):
        result = self._outcome.result
        if any(self.id() in test.id() for test, _ in result.failures + result.errors):
            print(f"\n=== logs of {self.id()}\n{self.scratch.logs()}\n", flush=True)

    def server(self, name, databases, *options, binary=None):
        """A started server that is stopped, and checked for sanitizer reports, at the test's end."""
        server = Server(self.scratch, name, databases, options, binary)
        self.addCleanup(server.stop)
        return server.start()

    def configured_server(self, name, config, *options):
        """The same from the configuration file CONFIG, which must have the remote punix:NAME.sock."""
        server = Server(self.scratch, name, [], [f"--config-file={config}", *options], own_remote=False)
        self.addCleanup(server.stop)
        return server.start()

    def database(self, file, schema):
        create_database(self.scratch, file, schema)
        return file


def main():
    unittest.main(verbosity=2, warnings="ignore")  # python3-openvswitch uses what Python deprecated
