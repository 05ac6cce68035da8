"""A raw JSON-RPC client: what is sent is exactly what the test says, and nothing is hidden."""

import codecs
import json
import socket
import time

from . import environment

_DECODER = json.JSONDecoder()


class Closed(Exception):
    """The server closed the connection."""


def dial(address, deadline_s=10):
    """Connects to `unix:PATH` or `tcp:HOST:PORT`, retrying until the deadline."""
    deadline = time.monotonic() + environment.timeout_s(deadline_s)
    kind, _, rest = address.partition(":")
    while True:
        if kind == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            target = rest
        else:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            host, _, port = rest.rpartition(":")
            target = (host, int(port))
        try:
            sock.connect(target)
            return sock
        except OSError:
            sock.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


class Connection:
    """One session with a server. Notifications that arrive in between are kept in `notifications`."""

    def __init__(self, address, timeout=30, deadline_s=10):
        self.sock = dial(address, deadline_s)
        self.timeout = environment.timeout_s(timeout)
        self.notifications = []
        self._utf8 = codecs.getincrementaldecoder("utf-8")(errors="surrogateescape")
        self._text = ""
        self._next_id = 0

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_bytes(self, data):
        """Sends DATA as it is; raises Closed when the server has gone."""
        self.sock.settimeout(self.timeout)
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise Closed(str(error)) from error

    def send(self, message):
        self.send_bytes(json.dumps(message).encode())

    def request(self, method, params):
        """Sends a request without waiting; returns its id."""
        self._next_id += 1
        self.send({"id": self._next_id, "method": method, "params": params})
        return self._next_id

    def receive(self, timeout=None):
        """The next message. Raises Closed at the end of the stream, TimeoutError after TIMEOUT seconds."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            message = self._parse()
            if message is None:
                self._read(deadline)
            elif message.get("method") == "echo" and message.get("id") is not None:
                self.send({"id": message["id"], "result": message["params"], "error": None})
            else:
                return message

    def reply(self, request_id, timeout=None):
        """The reply to REQUEST_ID; notifications before it are kept."""
        while True:
            message = self.receive(timeout)
            if message.get("method") is not None:
                self.notifications.append(message)
            elif message.get("id") == request_id:
                return message

    def call(self, method, *params, timeout=None):
        """Sends a request and returns its whole reply."""
        return self.reply(self.request(method, list(params)), timeout)

    def result(self, method, *params, timeout=None):
        """As `call`, but returns the result and raises when the reply is an error."""
        reply = self.call(method, *params, timeout=timeout)
        if reply.get("error") is not None:
            raise AssertionError(f"{method} failed: {reply['error']}")
        return reply["result"]

    def transact(self, db, *operations, timeout=None):
        """Runs a transaction that must succeed; returns one result per operation."""
        results = self.result("transact", db, *operations, timeout=timeout)
        for outcome in results:
            if outcome is not None and outcome.get("error"):
                raise AssertionError(f"transaction failed: {outcome}")
        return results

    def _parse(self):
        text = self._text.lstrip()
        if not text:
            self._text = ""
            return None
        try:
            message, end = _DECODER.raw_decode(text)
        except json.JSONDecodeError:
            self._text = text
            return None
        self._text = text[end:]
        return message

    def _read(self, deadline):
        """Reads all that is there, at least something: a long message is then parsed few times."""
        chunks = []
        self.sock.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            chunks.append(self.sock.recv(1 << 20))
            self.sock.setblocking(False)
            while chunks[-1]:
                chunks.append(self.sock.recv(1 << 20))
        except (BlockingIOError, ConnectionResetError):
            pass
        except socket.timeout as error:
            raise TimeoutError("no message from the server") from error
        data = b"".join(chunks)
        if not data:
            raise Closed("the server closed the connection")
        self._text += self._utf8.decode(data)
