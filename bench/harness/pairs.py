"""Scenarios of an active server and its backup."""

import socket
import threading
import time

from .machine import finish_load


def empty_like(machine, file):
    """An empty database with the schema of FILE."""
    name = f"{file}-empty"
    if not machine.has(name):
        with open(machine.file(file), "rb") as source:
            header = source.readline()
            body = source.read(int(header.split()[2]))
        (machine.path / "files" / f"{name}.db").write_bytes(header + body)
    return name


def await_mark(machine, server, mark):
    return machine.start_load("await", server, mark=mark, seconds=300)


def pair(machine, binary, sb, through=None):
    """An active, and a backup that has all it has."""
    active = machine.server(binary, [sb])
    machine.load("mark", active, first=0)
    backup = machine.server(binary, [empty_like(machine, sb)],
                            f"--sync-from={through(active) if through else active.address}")
    finish_load(await_mark(machine, backup, 0))
    return active, backup


def check_equal(machine, active, backup):
    contents = [machine.load("contents", server)["digest"] for server in (active, backup)]
    if contents[0] != contents[1]:
        raise RuntimeError("active and backup hold different contents")
    return contents[0]


def first_sync(machine, binary, sb):
    active = machine.server(binary, [sb])
    machine.load("mark", active, first=0)
    before = active.cpu_s()
    backup = machine.server(binary, [empty_like(machine, sb)], f"--sync-from={active.address}", wait=False)
    seen = finish_load(await_mark(machine, backup, 0))["seen_s"]
    figures = {"wall_s": seen - backup.started_s, "cpu_s": active.cpu_s() - before + backup.cpu_s()}
    figures["digest"] = check_equal(machine, active, backup)
    active.kill()
    backup.kill()
    return figures


class Relay(threading.Thread):
    """Carries bytes from a listening Unix socket to a server, counts them, and can be cut."""

    def __init__(self, path, target):
        super().__init__(daemon=True)
        self.address = f"unix:{path}"
        self._target = target
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._open = threading.Event()
        self._open.set()
        self._pairs = []
        self.to_backup = 0
        self.start()

    def run(self):
        while True:
            client, _ = self._listener.accept()
            if not self._open.is_set():
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(self._target.removeprefix("unix:"))
            except OSError:  # the server has ended
                client.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source, target, count):
        try:
            while data := source.recv(1 << 18):
                if count:
                    self.to_backup += len(data)
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        self._open.clear()
        for ends in self._pairs:
            for end in ends:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
        self._pairs.clear()

    def mend(self):
        self.to_backup = 0
        self._open.set()


def reconnect(machine, binary, sb):
    relays = []

    def through(active):
        relays.append(Relay(active.folder / "relay", active.address))
        return relays[0].address

    active, backup = pair(machine, binary, sb, through)
    relay = relays[0]
    time.sleep(1)
    waiting = await_mark(machine, backup, 20)
    before, written = active.cpu_s() + backup.cpu_s(), backup.written_bytes()
    relay.cut()
    machine.load("mark", active, first=1, count=20)
    time.sleep(1)
    relay.mend()
    mended_s = time.monotonic()
    seen = finish_load(waiting)["seen_s"]
    time.sleep(0.5)
    figures = {"wall_s": seen - mended_s, "bytes": relay.to_backup, "written": backup.written_bytes() - written,
               "cpu_s": active.cpu_s() + backup.cpu_s() - before}
    figures["digest"] = check_equal(machine, active, backup)
    active.kill()
    backup.kill()
    return figures


def replication(machine, binary, sb, few):
    active, backup = pair(machine, binary, sb)
    figures = machine.load("lag", active, backup=backup.address, backup_pid=backup.pid,
                           seconds=10 // min(few, 3), count=40_000 // few)
    figures["digest"] = check_equal(machine, active, backup)
    active.kill()
    backup.kill()
    return figures


def failover(machine, binary, sb, clients):
    active, backup = pair(machine, binary, sb)
    with machine.start_load("failover", active, backup=backup.address, backup_pid=backup.pid,
                            clients=clients) as process:
        if process.stdout.readline() != "ready\n":
            return finish_load(process)
        active.kill()
        began = time.monotonic()
        backup.appctl("ovsdb-server/disconnect-active-ovsdb-server")
        promotion_ms = (time.monotonic() - began) * 1000
        process.stdin.write("g")
        process.stdin.flush()
        figures = finish_load(process) | {"promotion_ms": promotion_ms}
    backup.kill()
    return figures
