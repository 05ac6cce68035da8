"""What tests of relays, and of backups that forward, have in common. Their database is that of `load`."""

import json
import re

from . import load
from .case import SystemTest
from .jsonrpc import Closed
from .server import wait_until

DB = load.DB
ZEROS = "00000000-0000-0000-0000-000000000000"


def insert(name, **row):
    return {"op": "insert", "table": "Switch", "row": {"name": name, **row}}


def select(name=None, columns=("name",)):
    where = [] if name is None else [["name", "==", name]]
    return {"op": "select", "table": "Switch", "where": where, "columns": list(columns)}


def wait_for(name, timeout=None):
    """A "wait" until there is a switch of that name."""
    operation = {"op": "wait", "table": "Switch", "where": [["name", "==", name]], "columns": ["name"],
                 "until": "==", "rows": [{"name": name}]}
    return operation if timeout is None else operation | {"timeout": timeout}


WRONG = [[insert("s1")], [insert("x", number="text")], [insert("y", nothing=1)],
         [{"op": "delete", "table": "Nowhere", "where": []}], [insert("z"), {"op": "abort"}],
         [insert("z"), {"op": "assert", "lock": "l"}], [insert("z"), {"op": "nothing"}],
         [insert("z"), wait_for("q", 0)],
         [{"op": "insert", "table": "Port", "row": {"name": "p"}}, {"op": "comment", "comment": 1}]]
"""Transactions that fail, each in another way, where there is a switch s1."""


def without_uuids(reply):
    """The text of a reply, but for its id and UUIDs."""
    return re.sub(r"\b[0-9a-f-]{36}\b", "U", json.dumps(reply | {"id": 0}, sort_keys=True))


class RelayTest(SystemTest):
    def main_server(self, binary=None, name="main", options=("-vjsonrpc:file:dbg",)):
        return self.server(name, [self.database(f"{name}.db", load.SCHEMA)], *options, binary=binary)

    def relay(self, name, *sources, binary=None, ready=True, options=("-vjsonrpc:file:dbg",)):
        remotes = ",".join(source if isinstance(source, str) else source.socket for source in sources)
        relay = self.server(name, [f"relay:{DB}:{remotes}"], *options, binary=binary)
        if ready:
            self.wait_ready(relay)
        return relay

    def wait_ready(self, server):
        def ready():
            try:
                with server.connect() as connection:
                    return not connection.call("transact", DB)["error"]
            except Closed:  # a stock server does so when it gets its contents
                return False

        wait_until(ready, f"{server.name} to have its contents", poll_s=0.01)

    def shown(self, server, db=DB):
        """The row of `_Server` for DB, without UUIDs of its own."""
        with server.connect() as connection:
            row, = connection.transact("_Server", {"op": "select", "table": "Database",
                                                   "where": [["name", "==", db]]})[0]["rows"]
        return {column: value for column, value in row.items() if column not in ("_uuid", "_version")}

    def received(self, server):
        """The ids of the updates that a relay has received, as upstream's tests find them."""
        return re.findall(r'received notification, method="update3", params=\[\["monid","' + DB + r'"\],"([-0-9a-f]*)",\{',
                          server.log())

    def no_warnings(self, *servers):
        for server in servers:
            bad = [line for line in server.log().splitlines()
                   if re.search(r"\|(WARN|ERR|EMER)\|", line) and "is not connected" not in line
                   and "reset by peer" not in line and "Broken pipe" not in line]
            self.assertEqual(bad, [], server.name)
