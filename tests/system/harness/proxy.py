"""A proxy between two programs whose connections a test can cut, hold and delay, and whose traffic it can read."""

import json
import socket
import threading
import time

from .jsonrpc import dial

UP, DOWN = "up", "down"  # towards the target, and back


def messages(data):
    """The JSON-RPC messages in DATA, without a last one that is not complete."""
    text = bytes(data).decode(errors="replace")
    found = []
    while text:
        try:
            message, end = json.JSONDecoder().raw_decode(text)
        except json.JSONDecodeError:
            break
        found.append(message)
        text = text[end:].lstrip()
    return found


class Proxy:
    """Listens on a loopback port and forwards to TARGET, in threads of its own, until `close`.

    `to_server` and `to_client` collect all that went by, for tests that look at the wire.
    """

    def __init__(self, target):
        self.target = target
        self.to_server = bytearray()
        self.to_client = bytearray()
        self.delay_s = 0.0  # of each piece that comes now
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        self._sockets = set()  # under _lock
        self._open = {UP: threading.Event(), DOWN: threading.Event()}
        self._blocked = False
        self._closed = False
        self.release()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Breaks all connections; new ones are accepted."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # its own thread was quicker

    def block(self):
        """Breaks all connections and refuses new ones until `unblock`."""
        self._blocked = True
        self.cut()

    def unblock(self):
        self._blocked = False

    def hold(self, *directions):
        """Forwards nothing in these directions until `release`; connections stay open, half or in whole."""
        for direction in directions or (UP, DOWN):
            self._open[direction].clear()

    def release(self):
        for direction in self._open.values():
            direction.set()

    def close(self):
        self._closed = True
        self.block()
        self.release()
        self._listener.close()

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                if self._blocked:
                    raise ConnectionRefusedError
                server = dial(self.target, deadline_s=0)
            except OSError:
                client.close()
                continue
            with self._lock:
                self._sockets |= {client, server}
            for direction, source, sink, log in ((UP, client, server, self.to_server),
                                                 (DOWN, server, client, self.to_client)):
                threading.Thread(target=self._pump, args=(direction, source, sink, log), daemon=True).start()

    def _pump(self, direction, source, sink, log):
        """Forwards one way until an end goes; then both go. The last of the two threads closes."""
        try:
            while data := source.recv(1 << 18):
                log += data
                if self.delay_s:
                    time.sleep(self.delay_s)
                self._open[direction].wait()
                sink.sendall(data)
        except OSError:
            pass
        with self._lock:
            self._sockets -= {source, sink}
        for sock in (source, sink):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        source.close()
