"""Random cases: a schema, and steps of several sessions that work on it. A case is plain JSON.

Steps, by their member `do`:
    send       `session` sends `requests` in one go, then everybody is brought up to date
    reconnect  `session` closes its connection and opens a new one
    compact    the database is compacted
    convert    `session` converts the database to `schema`, after all sessions have said that they are aware of changes
    restart    the servers stop and start again
    swap       as restart, but each server goes on with the next one's file
"""

import random

from operations import JUNK, Operations, Rows
from schemas import changed_schema, random_schema

ZERO = "00000000-0000-0000-0000-000000000000"
LOCKS = ["l1", "l2", "l3"]
MONITOR_IDS = ["m1", "m2", "m3", ["m", 1], None]


class Script:
    """Writes a case step by step, while it is played: it is told what rows there are.

    `case` is complete, and can be played again without the script, when `next_step` has returned None.
    """

    def __init__(self, seed, transactions, copy=None):
        self.rng = random.Random(seed)
        self._copy = copy  # through which what is asked goes
        schema = random_schema(self.rng)
        self.case = {"seed": seed, "copy": copy, "schema": schema, "sessions": self.rng.randint(1, 4), "steps": []}
        self.schema = schema
        self.rows = Rows(schema)
        self.operations = Operations(self.rng, schema, self.rows, LOCKS)
        self._left = transactions
        self._monitors = {}
        self._session = 0
        self.transactions = 0

    def next_step(self, rows, schema):
        """The next step, given the labels of all ROWS by table, and the SCHEMA as it is now; None at the end."""
        self.rows.by_table = rows
        if schema is not self.schema:
            self.schema = schema
            self.operations.adopt(schema)
            self._monitors = {}
        if self.transactions >= self._left:
            return None
        step = self._step()
        self.transactions += sum(request["method"] == "transact" for request in step.get("requests", []))
        self.case["steps"].append(step)
        return step

    def _step(self):
        rng = self.rng
        session = self._session = rng.randrange(self.case["sessions"])
        if self._copy:
            return {"do": "send", "session": session, "requests": [self._forwarded()]}
        kind = rng.random()
        if kind < 0.015:
            return {"do": "reconnect", "session": session}
        if kind < 0.018:
            return {"do": "compact"}
        if kind < 0.021:
            return {"do": rng.choice(["restart", "swap"])}
        if kind < 0.026:
            return {"do": "convert", "session": session, "schema": changed_schema(rng, self.schema)}
        return {"do": "send", "session": session, "requests": self._requests()}

    def _requests(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.12 or not self.case["steps"]:
            return [self._monitor()]
        if kind < 0.18:
            return [self._monitor_change()]
        if kind < 0.22:
            return [self._lock()]
        if kind < 0.24:
            return [self._other()]
        if kind < 0.28:
            return [_transact(self.operations.wait(rng.choice([15, 15, 60000, None])))]
        if kind < 0.55:
            return [_transact(self.operations.transaction())]
        if kind < 0.60:
            return [self._any() for _ in range(rng.randint(2, 6))]
        return [_transact(self.operations.transaction()) for _ in range(rng.randint(2, 30))]

    def _forwarded(self):
        """What is answered through a copy as without: one at a time, since reads do not wait for writes."""
        kind = self.rng.random()
        if kind < 0.08 or not self.case["steps"]:
            request = self._monitor()
        elif kind < 0.14:
            request = self._monitor_change()
        else:
            request = _transact(self.operations.transaction())
        return request if self._copy == "relay" else _without_versions(request)

    def _any(self):
        choice = self.rng.choice([self._monitor, self._narrow_monitor_change, self._lock, self._other, None])
        return choice() if choice else _transact(self.operations.transaction())

    def _monitor(self):
        rng = self.rng
        method = rng.choice(["monitor", "monitor_cond", "monitor_cond", "monitor_cond_since"])
        tables = rng.sample(list(self.schema["tables"]), rng.randint(0, len(self.schema["tables"])))
        requests = {table: self._monitor_requests(table, method) for table in tables}
        monitor = rng.choice(MONITOR_IDS)
        if method != "monitor":
            self._monitors[self._session] = (monitor, tables)
        params = ["D", monitor, requests]
        if method == "monitor_cond_since":
            params.append(rng.choice([ZERO, "12345678-1234-1234-1234-123456789abc"]))
        if rng.random() < 0.05 and len(params[2]):
            corrupt = self.operations.corrupt(params[2])
            # A change of condition on a table without any request kills the stock server.
            params[2] = {table: value for table, value in corrupt.items() if value != []}
        return {"method": method, "params": params}

    def _monitor_requests(self, table, method):
        columns = list(self.schema["tables"][table]["columns"])
        self.rng.shuffle(columns)
        if self.rng.random() < 0.15 and len(columns) > 1:
            # Without conditions: stock takes all conditions of a table together in ways of its own.
            half = len(columns) // 2
            return [self._monitor_request(table, "monitor", part) for part in (columns[:half], columns[half:])]
        request = self._monitor_request(table, method, columns[: self.rng.randint(0, len(columns))])
        return request if self.rng.random() < 0.05 else [request]

    def _monitor_request(self, table, method, columns):
        rng = self.rng
        request = {}
        if rng.random() < 0.7:
            request["columns"] = columns + (["_version"] if rng.random() < 0.15 else [])
        if rng.random() < 0.3:
            request["select"] = {name: rng.random() < 0.6 for name in ("initial", "insert", "delete", "modify")
                                 if rng.random() < 0.5}
        if method != "monitor" and rng.random() < 0.6 or rng.random() < 0.01:
            request["where"] = self._condition(table)
        return request

    def _condition(self, table):
        rng = self.rng
        clauses = []
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            clauses.append(rng.random() < 0.5 if rng.random() < 0.15 else self.operations.clause(table))
        if rng.random() < 0.2:
            clauses += self.operations.where(table)
        while True in clauses and clauses.count(False) > 1:
            clauses.remove(False)  # with several, stock overlooks the true one
        return clauses

    def _narrow_monitor_change(self):
        """Of one table: stock leaves a change of several done by half, if it is wrong, until the step ends."""
        return self._monitor_change(1)

    def _monitor_change(self, most=None):
        rng = self.rng
        monitor, tables = self._monitors.get(self._session, (rng.choice(MONITOR_IDS), []))
        if rng.random() < 0.2:
            return {"method": "monitor_cancel", "params": [monitor]}
        if not tables or rng.random() < 0.03:
            tables = self.operations.tables
        tables = rng.sample(tables, rng.randint(1, most or len(tables)))
        changes = {table: [{"where": self._condition(table)}] for table in tables}
        if rng.random() < 0.05:
            changes = self.operations.corrupt(changes)
        renamed = rng.choice(MONITOR_IDS) if rng.random() < 0.2 else monitor
        return {"method": "monitor_cond_change", "params": [monitor, renamed, changes]}

    def _lock(self):
        lock = self.rng.choice(LOCKS) if self.rng.random() < 0.97 else self.rng.choice(JUNK)
        return {"method": self.rng.choice(["lock", "lock", "steal", "unlock", "unlock"]), "params": [lock]}

    def _other(self):
        return self.rng.choice([
            {"method": "echo", "params": [1, "two", {"three": [None]}]},
            {"method": "list_dbs", "params": []},
            {"method": "get_schema", "params": ["D"]},
            {"method": "get_schema", "params": ["_Server"]},
            {"method": "get_schema", "params": self.rng.choice([[], ["E"], [1], ["D", "D"]])},
            {"method": "transact", "params": self.rng.choice([[], ["E"], [1], ["D", None], ["_Server"]])},
            {"method": "nonsense", "params": [1]},
            {"method": "set_db_change_aware", "params": self.rng.choice([[True], [False], ["x"], []])},
            {"method": "monitor", "params": self.rng.choice([["E", 1, {}], ["D", None, []], ["D", None, {"T9": {}}]])},
            {"method": "cancel"},
        ])


def _without_versions(request):
    """A log has no versions, so a backup hears of no change that changes nothing else."""
    if isinstance(request, dict):
        return {key: [column for column in value if column != "_version"] if key == "columns" and isinstance(value, list)
                else _without_versions(value) for key, value in request.items()}
    return [_without_versions(value) for value in request] if isinstance(request, list) else request


def _transact(operations):
    return {"method": "transact", "params": ["D", *operations]}
