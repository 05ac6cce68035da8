"""A proxy between two programs whose connections a test can cut, and whose traffic it can read."""

import selectors
import socket
import threading

from .jsonrpc import dial


class Proxy:
    """Listens on a loopback port and forwards to TARGET. Runs in a thread of its own until `close`.

    `to_client` collects all that TARGET sent, for tests that look at the wire.
    """

    def __init__(self, target):
        self.target = target
        self.to_client = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.address = f"tcp:127.0.0.1:{self._listener.getsockname()[1]}"
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wakeup, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._peers = {}
        self._cut = threading.Event()
        self._blocked = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        """Breaks all connections; new ones are accepted."""
        self._cut.set()
        self._wakeup.send(b".")

    def block(self):
        """Breaks all connections and refuses new ones until `unblock`."""
        self._blocked.set()
        self.cut()

    def unblock(self):
        self._blocked.clear()

    def close(self):
        self._closed.set()
        self.cut()
        self._thread.join()
        for sock in (self._listener, self._wakeup, self._woken, *self._peers):
            sock.close()

    def _run(self):
        while not self._closed.is_set():
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj in self._peers:
                    self._forward(key.fileobj)
                elif self._cut.is_set():
                    self._woken.recv(64)
                    self._cut.clear()
                    for sock in list(self._peers):
                        self._drop(sock)

    def _accept(self):
        client, _ = self._listener.accept()
        try:
            if self._blocked.is_set():
                raise ConnectionRefusedError
            server = dial(self.target, deadline_s=0)
        except OSError:
            client.close()
            return
        for sock, peer in ((client, server), (server, client)):
            self._peers[sock] = peer
            self._selector.register(sock, selectors.EVENT_READ, data=sock is server)

    def _forward(self, sock):
        try:
            data = sock.recv(1 << 18)
            if self._selector.get_key(sock).data:
                self.to_client += data
            if data:
                self._peers[sock].sendall(data)
                return
        except OSError:
            pass
        self._drop(sock)

    def _drop(self, sock):
        peer = self._peers.pop(sock, None)
        if peer is None:
            return
        self._peers.pop(peer, None)
        for end in (sock, peer):
            self._selector.unregister(end)
            end.close()
