"""An active server that says what the test wants it to say, true or not."""

import codecs
import hashlib
import json
import socket
import threading

from .jsonrpc import Closed, Connection

UNKNOWN = object()  # the answer of a server that does not know the method


def position_after(position, record, epoch=None):
    """The position after RECORD, a text, as an honest active would give it."""
    sha1 = hashlib.sha1(record.encode() + b"\n").digest()
    digest = bytes.fromhex(position["digest"].replace("-", ""))
    text = hashlib.sha256(digest + sha1).hexdigest()[:32]
    uuid = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
    return {"epoch": position["epoch"] if epoch is None else epoch, "index": position["index"] + 1,
            "digest": uuid}


class _Session(Connection):
    """The active's end of a connection that was accepted."""

    def __init__(self, sock):  # pylint: disable=super-init-not-called
        self.sock = sock
        self.timeout = 30
        self.notifications = []
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._text = ""
        self._next_id = 0

    def notify(self, method, *params):
        self.send({"id": None, "method": method, "params": list(params)})


class FakeActive:
    """Listens on unix:PATH. ANSWERS maps methods to functions of (session, params) that return the result, or
    UNKNOWN; what a function sends itself comes before the result, what it appends to `session.later` after."""

    def __init__(self, path, db, schema, answers):
        self.remote = f"unix:{path}"
        self.answers = {
            "get_server_id": lambda *_: "11111111-1111-4111-8111-111111111111",
            "list_dbs": lambda *_: ["_Server", db],
            "get_schema": lambda *_: schema,
            "echo": lambda _, params: params,
        } | answers
        self.connections = 0
        self._sessions = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        for sock in [self._listener, *self._sessions]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()

    def _accept(self):
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sessions.append(sock)
            threading.Thread(target=self._serve, args=(_Session(sock),), daemon=True).start()

    def _serve(self, session):
        try:
            while True:
                message = session.receive(timeout=3600)
                if message.get("id") is None or message.get("method") is None:
                    continue
                session.later = []
                answer = self.answers.get(message["method"], lambda *_: UNKNOWN)
                result = answer(session, message["params"])
                error = "unknown method" if result is UNKNOWN else None
                session.send({"id": message["id"], "result": None if error else result, "error": error})
                for method, *params in session.later:
                    session.notify(method, *params)
        except (Closed, OSError, TimeoutError, ValueError):
            pass


def record_text(value):
    """A record body; a string is taken as it is."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
