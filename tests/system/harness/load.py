"""A schema with every kind of column that replication has to carry, and random load on it."""

import threading

from .jsonrpc import Closed


def _set_of(key, most="unlimited"):
    return {"type": {"key": key, "min": 0, "max": most}}


def _map_of(key, value):
    return {"type": {"key": key, "value": value, "min": 0, "max": "unlimited"}}


DB = "Load"
SCHEMA = {
    "name": DB,
    "version": "1.0.0",
    "tables": {
        "Switch": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "number": {"type": "integer"},
                "weight": _set_of("real", 1),
                "ports": _set_of({"type": "uuid", "refTable": "Port"}),
                "favourite": _set_of({"type": "uuid", "refTable": "Port", "refType": "weak"}, 1),
                "external_ids": _map_of("string", "string"),
            },
            "indexes": [["name"]],
        },
        "Port": {
            "columns": {
                "name": {"type": "string"},
                "enabled": {"type": "boolean"},
                "tags": _set_of("integer"),
                "peers": _map_of("string", {"type": "uuid", "refTable": "Port", "refType": "weak"}),
            },
        },
    },
}


def random_transaction(rng, size=6):
    """A list of operations on the schema above; any of them may match nothing, none is invalid."""
    return [operation for _ in range(rng.randint(1, size)) for operation in _step(rng)]


def _step(rng):
    name = f"sw{rng.randrange(60)}"
    this = [["name", "==", name]]
    kind = rng.randrange(8)
    if kind == 0:
        return [{"op": "delete", "table": "Switch", "where": this}]
    if kind == 1:
        return [{"op": "update", "table": "Switch", "where": this, "row": _switch(rng)}]
    if kind == 2:
        return [{"op": "mutate", "table": "Switch", "where": this, "mutations": [
            ["number", "+=", rng.randint(-5, 5)],
            ["external_ids", "delete", ["set", [f"k{rng.randrange(9)}"]]],
            ["external_ids", "insert", ["map", [[f"k{rng.randrange(9)}", "é\n" * rng.randrange(4)]]]],
        ]}]
    if kind == 3:
        return [{"op": "mutate", "table": "Port", "where": [["tags", "includes", rng.randrange(20)]],
                 "mutations": [["tags", rng.choice(["insert", "delete"]), rng.randrange(20)]]}]
    # A switch with fresh ports; an older switch of that name makes way, and its ports with it.
    ports = [f"p{i}" for i in range(rng.randrange(4))]
    tag = f"{rng.randrange(1 << 32):08x}"
    named = [["named-uuid", f"{port}_{tag}"] for port in ports]
    operations = [{"op": "delete", "table": "Switch", "where": this}]
    for port in ports:
        operations.append({"op": "insert", "table": "Port", "uuid-name": f"{port}_{tag}", "row": {
            "name": port, "enabled": rng.random() < 0.5,
            "tags": ["set", rng.sample(range(20), rng.randrange(5))],
            "peers": ["map", [[f"q{i}", peer] for i, peer in enumerate(named)]],
        }})
    row = _switch(rng) | {"name": name, "ports": ["set", named], "favourite": ["set", named[:1]]}
    return operations + [{"op": "insert", "table": "Switch", "row": row}]


def _switch(rng):
    return {
        "number": rng.randint(-1000, 1000),
        "weight": ["set", [rng.choice([0.5, 1.25, 1e100])] if rng.random() < 0.5 else []],
        "external_ids": ["map", [[f"k{i}", str(i)] for i in range(rng.randrange(4))]],
    }


class Writer(threading.Thread):
    """Runs random transactions on SERVER until `finish`, reconnecting when the server goes.

    `committed` counts acknowledged transactions. A failed transaction is kept in `failure`.
    """

    def __init__(self, server, rng, pause_s=0.002):
        super().__init__(daemon=True)
        self._server = server
        self._rng = rng
        self._pause_s = pause_s
        self._finish = threading.Event()
        self.committed = 0
        self.failure = None
        self.start()

    def finish(self):
        self._finish.set()
        self.join()
        if self.failure:
            raise AssertionError(self.failure)

    def run(self):
        while not self._finish.is_set():
            try:
                with self._server.connect(deadline_s=0) as connection:
                    self._write(connection)
            except (OSError, Closed):
                self._finish.wait(0.05)

    def _write(self, connection):
        while not self._finish.wait(self._pause_s):
            reply = connection.call("transact", DB, *random_transaction(self._rng))
            errors = [r for r in reply["result"] or [] if r and r.get("error")]
            if reply["error"] or errors:
                self.failure = f"load was refused: {reply['error'] or errors}"
                self._finish.set()
            self.committed += 1
