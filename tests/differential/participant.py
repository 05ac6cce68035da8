"""One server in a differential run: plays steps, and says in canonical form what it answered."""

import json
import time

from harness.jsonrpc import Closed
from harness.server import Server, create_database, wait_until
from names import Names
from normalisations import MISREAD, is_cancellation, normalise
from shadow import Shadow

NOBODY = ["uuid", "12345678-1234-4234-8234-123456789abc"]
_QUIET_S = 0.02  # for the server to notice a closed connection
_SHORT_WAIT_MS = 1000  # waits up to this are awaited, longer ones stay open


class Died(Exception):
    """The server ended or hung in the middle of a case."""


class Misread(Exception):
    """A stock server gave up in the middle of a sound file."""


class Behind(str):
    """The path of a server's program, which is to be reached through a COPY of it, a "relay" or a "backup"."""

    def __new__(cls, path, copy):
        program = super().__new__(cls, path)
        program.copy = copy
        return program


class Session:
    """A connection, its requests without an answer, what came since the last step, monitors by id."""

    def __init__(self, number, connection):
        self.number = number
        self.connection = connection
        self.pending = {}
        self.monitors = {}
        self.canceled = set()
        self.spoiled = set()
        self.inbox = []
        self.answered = set()

    def read_to(self, request_id):
        """Reads until REQUEST_ID has its reply."""
        while request_id not in self.answered:
            message = self.connection.receive()
            self.inbox.append(message)
            if "method" not in message:
                self.answered.add(message["id"])

    def barrier(self):
        """A transaction without effect: what came before it has happened, and is on the disk, when it is answered."""
        return self.connection.request("transact", ["D", {"op": "commit", "durable": True}])

    def expiring(self):
        """The requests without an answer that get one soon, by their timeout."""
        return [request_id for request_id, (method, params, _) in self.pending.items()
                if request_id not in self.answered and method == "transact" and _expires(params)]


class Participant:
    """Owns a server process and the sessions with it, in a scratch folder that is given.

    A step comes in two halves, so that servers work at the same time: `begin` sends, `finish` reads and
    returns a list of canonical texts. Both raise Died, `start` also Misread. `notes_before` has how many
    notifications came before the reply to each request of the last step.
    """

    def __init__(self, scratch, name, binary, case, salt=""):
        self.case = case
        self.schema = case["schema"]
        self.names = Names(case["schema"], salt, has_versions=case.get("copy") != "backup")
        self.file = f"{name}.db"
        self.notes_before = {}
        self.rows = {table: [] for table in case["schema"]["tables"]}
        create_database(scratch, self.file, self.names.schema)
        self.server = Server(scratch, name, [self.file], binary=binary)
        self.copy = None
        if isinstance(binary, Behind) and binary.copy == "relay":
            self.copy = Server(scratch, f"{name}-relay", [f"relay:D:{self.server.socket}"], binary=binary)
        elif isinstance(binary, Behind):
            create_database(scratch, f"{name}-backup.db", self.names.schema)
            self.copy = Server(scratch, f"{name}-backup", [f"{name}-backup.db"],
                               [f"--sync-from={self.server.socket}", "--forward-writes"], binary=binary)
        self.start()

    def start(self):
        """Serves `file` and opens the sessions."""
        self.server.databases = [self.file]
        try:
            self.server.start()
        except AssertionError as error:
            raise Died(str(error)) from error
        if MISREAD.search(self.server.log()):
            raise Misread(f"{self.server.binary} fails to read {self.file}")
        if self.copy:
            self.copy.start()
            with self.copy.connect() as connection:
                wait_until(lambda: self._forwards(connection), "the copy to forward", poll_s=0.005)
        self.sessions = [Session(number, self.connect()) for number in range(self.case["sessions"])]

    def connect(self):
        return (self.copy or self.server).connect()

    @staticmethod
    def _forwards(connection):
        """Does the copy have something executed? A deletion of no rows says so."""
        schema = connection.call("get_schema", "D")
        if schema["error"]:
            return False
        table = next(iter(schema["result"]["tables"]), None)
        reply = connection.call("transact", "D", {"op": "delete", "table": table, "where": [["_uuid", "==", NOBODY]]})
        return not reply["error"] and reply["result"] == [{"count": 0}]

    def stop(self):
        """Ends the server, which must do so cleanly."""
        for session in self.sessions:
            session.connection.close()
        try:
            if self.copy:
                self.copy.stop()
            self.server.stop()
        except (AssertionError, Closed, OSError) as error:
            raise Died(str(error)) from error

    def dump(self):
        """Every table, as one select each."""
        return [self.names.text(rows) for rows in self._select_all()]

    def stored(self):
        """Every table, without what is lost at a restart: ephemeral columns, and versions."""
        columns = {table: [column for column, definition in definitions["columns"].items()
                           if not definition.get("ephemeral")] + ["_uuid"]
                   for table, definitions in self.schema["tables"].items()}
        selects = [{"op": "select", "table": table, "where": [], "columns": columns[table]} for table in self.rows]
        return self.names.text(self.sessions[0].connection.result("transact", "D", *self.names.sent(selects)))

    def dangles(self):
        """True when some reference leads to no row, which a server must not let happen."""
        tables = {table: result["rows"] for table, result in zip(self.names.schema["tables"], self._select_all())}
        there = {table: {row["_uuid"][1] for row in rows} for table, rows in tables.items()}
        for table, rows in tables.items():
            for column, definition in self.names.schema["tables"][table]["columns"].items():
                for part, target in _targets(definition["type"]):
                    if {uuid for row in rows for uuid in _uuids(row[column], part)} - there[target]:
                        return True
        return False

    def _select_all(self, **options):
        selects = [{"op": "select", "table": table, "where": [], **options} for table in self.rows]
        return self.sessions[0].connection.result("transact", "D", *self.names.sent(selects))

    def begin(self, step):
        try:
            if step["do"] == "send":
                session = self.sessions[step["session"]]
                self._exact = len(step["requests"]) == 1 and not any(s.pending for s in self.sessions)
                for request in step["requests"]:
                    self._send(session, request)
            elif step["do"] == "reconnect":
                self.sessions[step["session"]].connection.close()
                time.sleep(_QUIET_S)
                self.sessions[step["session"]] = Session(step["session"], self.connect())
                self._exact = True
            elif step["do"] == "convert":
                self._convert(self.sessions[step["session"]], step["schema"])
                self._exact = True
            elif step["do"] == "compact":
                self.server.control("ovsdb-server/compact")
                self._exact = True
            self._barriers = [session.barrier() for session in self.sessions]
        except (Closed, OSError) as error:
            raise Died(f"{step['do']}: {error!r}") from error

    def finish(self, step):
        try:
            self._settle()
        except (Closed, OSError) as error:  # a timeout is an OSError
            raise Died(f"{step['do']}: {error!r}") from error
        for session in self.sessions:
            self._bind_labels(session)
        for session in self.sessions:
            self._cancel_spoiled(session)
        self.rows = {table: sorted(self.names.label(row["_uuid"][1]) for row in result["rows"])
                     for table, result in zip(self.rows, self._select_all(columns=["_uuid"]))}
        return [text for number, session in enumerate(self.sessions)
                for text in self._report(session, number == step.get("session") or self._exact)]

    def _convert(self, session, schema):
        for other in self.sessions:
            other.connection.result("set_db_change_aware", True)
        params = ["D", self.names.sent(schema)]
        request_id = session.connection.request("convert", params)
        session.pending[request_id] = ("convert", params, [])
        session.read_to(request_id)
        if session.inbox[-1].get("error") is not None:
            return
        self.schema = schema
        self.names.adopt(schema)
        self.rows = {table: [] for table in schema["tables"]}
        for other in self.sessions:
            other.monitors = {}

    def _send(self, session, request):
        """Sends REQUEST with our UUIDs in place of labels."""
        if request["method"] == "cancel":
            request_id = min(session.pending, default=0)
            session.canceled.add(request_id)
            session.connection.send({"id": None, "method": "cancel", "params": [request_id]})
            return
        labels, params = [], []
        for param in request["params"]:
            labels.append(param.get("@") if isinstance(param, dict) else None)
            params.append({k: v for k, v in param.items() if k != "@"} if labels[-1] else param)
        params = self.names.sent(params)
        request_id = session.connection.request(request["method"], params)
        session.pending[request_id] = (request["method"], params, labels[1:])

    def _settle(self):
        """Reads until the servers have done all that they can do without more from us."""
        barriers = self._barriers
        for last in (False, True):
            for session, barrier in zip(self.sessions, barriers):
                session.read_to(barrier)
            for session in self.sessions:
                for request_id in session.expiring():
                    session.read_to(request_id)
            if not last:
                barriers = [session.barrier() for session in self.sessions]

    def _cancel_spoiled(self, session):
        """Ends monitors of which a change was refused: stock may have made half of it."""
        for message in session.inbox:
            method, params, _ = session.pending.get(message.get("id"), (None, None, None))
            if method == "monitor_cond_change" and message.get("error") is not None and len(params) == 3 \
                    and isinstance(params[2], dict) and len(params[2]) > 1:
                session.connection.call("monitor_cancel", params[0])
                session.spoiled.add(json.dumps(params[0]))

    def _bind_labels(self, session):
        """Learns the UUIDs of inserted rows from all replies, before any message is put into words."""
        for message in session.inbox:
            _, _, labels = session.pending.get(message.get("id"), (None, None, ()))
            results = message.get("result")
            if not isinstance(results, list):
                continue
            for label, outcome in zip(labels, results):
                if label and isinstance(outcome, dict) and "uuid" in outcome:
                    self.names.bind(label, outcome["uuid"][1])

    def _report(self, session, exact):
        """The session's messages in canonical form; empties its inbox.

        Replies are taken in the order of requests, notifications in the order of arrival for each monitor.
        Where servers may merge updates (not EXACT), what monitors show in the end takes their place.
        """
        replies, notes = {}, []
        for message in session.inbox:
            if "method" in message:
                if self._is_shown(session, message, exact):
                    notes.append((json.dumps(message["params"][0]), message))
            elif message["id"] in session.pending and is_cancellation(message):
                session.canceled.add(message["id"])
            elif message["id"] in session.pending:
                if _causes_updates(session.pending[message["id"]][0]) and message.get("error") is None:
                    self.notes_before[session.number, message["id"]] = len(notes)
                replies[message["id"]] = self._reply(session, message)
        for request_id in session.canceled:
            session.pending.pop(request_id, None)
        for monitor in session.spoiled:
            session.monitors.pop(monitor, None)
        session.canceled, session.spoiled = set(), set()
        session.inbox = []
        session.answered = set()
        notes.sort(key=lambda note: note[0])
        # In this order on both sides, so that versions get the same numbers.
        texts = [f"{method}: {self.names.text(answer)}" for _, (method, answer) in sorted(replies.items())]
        texts += [self.names.text(message) for _, message in notes]
        if not exact:
            texts += [f"{monitor} shows\n{shadow.text(self.names)}"
                      for monitor, shadow in sorted(session.monitors.items()) if shadow.complete]
        return texts

    def _is_shown(self, session, message, exact):
        """Takes a notification to its shadow; true if it is to be compared by itself."""
        if message["method"] in ("update", "update2", "update3"):
            shadow = session.monitors.get(json.dumps(message["params"][0]))
            if shadow:
                shadow.apply(message["params"][-1])
            if not exact:
                return False
        normalise(message)
        return message["params"][-1] != {}

    def _reply(self, session, message):
        method, params, _ = session.pending.pop(message["id"])
        if message.get("error") is None:
            if method in ("monitor", "monitor_cond", "monitor_cond_since"):
                result = message["result"]
                shadow = Shadow(method, self.names.schema, params[2])
                shadow.apply(result if isinstance(result, dict) else result[2])
                session.monitors[json.dumps(params[1])] = shadow
            elif method == "monitor_cond_change":
                session.monitors[json.dumps(params[1])] = session.monitors.pop(json.dumps(params[0]))
            elif method == "monitor_cancel":
                del session.monitors[json.dumps(params[0])]
        return method, normalise({"result": message.get("result"), "error": message.get("error")}, method)


def _targets(type_):
    """The parts of a column's elements that refer to rows, 0 for keys and 1 for values, with their tables."""
    if not isinstance(type_, dict):
        return []
    parts = enumerate((type_.get("key"), type_.get("value")))
    return [(number, part["refTable"]) for number, part in parts if isinstance(part, dict) and "refTable" in part]


def _uuids(value, part):
    """The UUIDs in one PART of all elements of VALUE, a column's."""
    if value[0] == "map":
        return [pair[part][1] for pair in value[1]]
    return [atom[1] for atom in (value[1] if value[0] == "set" else [value])]


def _causes_updates(method):
    return method in ("transact", "monitor_cond_change")


def _expires(operations):
    """True when a blocked transaction ends by itself soon: all its waits have short timeouts."""
    timeouts = [operation.get("timeout") for operation in operations
                if isinstance(operation, dict) and operation.get("op") == "wait"]
    return all(isinstance(timeout, int) and timeout <= _SHORT_WAIT_MS for timeout in timeouts)
