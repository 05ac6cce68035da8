#!/usr/bin/python3
"""kill -9 at random moments under load: what was acknowledged as durable is there, the rest whole or absent."""

import threading

from harness import load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed
from harness.server import wait_until

ROUNDS = 12
WRITERS = 3
ROWS = 5


class _Writer(threading.Thread):
    """Inserts ROWS switches with one `number` per transaction until the server goes.

    `sent` holds every number that was sent, `durable` those acknowledged with durable set.
    """

    def __init__(self, server, first):
        super().__init__(daemon=True)
        self._server = server
        self.sent = []
        self.durable = []
        self._first = first
        self.start()

    def run(self):
        try:
            with self._server.connect(deadline_s=0) as connection:
                for number in range(self._first, self._first + 100000):
                    durable = number % 2 == 0
                    operations = [{"op": "insert", "table": "Switch",
                                   "row": {"name": f"{number}/{row}", "number": number}}
                                  for row in range(ROWS)]
                    operations.append({"op": "commit", "durable": durable})
                    self.sent.append(number)
                    connection.transact(load.DB, *operations)
                    if durable:
                        self.durable.append(number)
        except (OSError, Closed):
            pass


class Crash(SystemTest):
    def test_durable_transactions_survive_and_none_is_torn(self):
        server = self.server("db", [self.database("db.db", load.SCHEMA)])
        sent, durable = set(), set()
        for crash in range(ROUNDS):
            writers = [_Writer(server, (crash * WRITERS + w) * 1000000) for w in range(WRITERS)]
            some = self.random.randrange(1, 60)
            wait_until(lambda: sum(len(w.durable) for w in writers) >= some, "durable commits")
            if crash % 4 == 3:
                threading.Thread(target=server.appctl, args=("ovsdb-server/compact",),
                                 kwargs={"check": False}).start()
            server.kill()
            for writer in writers:
                writer.join()
                sent.update(writer.sent)
                durable.update(writer.durable)
            server.start()
            self._check_file(server)
            found = self._numbers(server)
            self.assertEqual({n for n, rows in found.items() if rows != ROWS}, set(), "torn")
            self.assertEqual(durable - found.keys(), set(), "acknowledged as durable, and lost")
            self.assertEqual(found.keys() - sent, set(), "never sent")

    def _check_file(self, server):
        """The file is whole once the server writes: until then the last record may be torn."""
        with server.connect() as connection:
            connection.transact(load.DB, {"op": "insert", "table": "Switch", "row": {"name": "after", "number": -1}},
                                {"op": "commit", "durable": True})
            self.scratch.run("ovsdb-tool", "show-log", "db.db")
            connection.transact(load.DB, {"op": "delete", "table": "Switch", "where": [["number", "==", -1]]})

    def _numbers(self, server):
        """How many rows there are of each number."""
        found = {}
        with server.connect() as connection:
            select = {"op": "select", "table": "Switch", "where": [], "columns": ["_uuid", "number"]}
            for row in connection.transact(load.DB, select)[0]["rows"]:
                found[row["number"]] = found.get(row["number"], 0) + 1
        return found


if __name__ == "__main__":
    main()
