"""What an input costs a server: its processor and memory, and the time of everybody else.

An `Input` is a function that does harm to a `Target`, a fresh server on the data that the input names. Beside it a
`Bystander`, a process of its own, does what an honest client and an operator do, and remembers its longest wait.
`compare` runs an input against ours and against Debian's stock server; `Comparison.faults` says what ours costs more.

The bounds: processor and memory at most 1.5 times the stock server's, the longest wait at most 100 ms, or 1.5 times
the stock server's where that is more. Small amounts do not count, and what misses a bound is measured again: other
programs on the machine only ever make it worse.
"""

import dataclasses
import os
import pathlib
import select
import sys
import time
from typing import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from harness import environment
from harness.jsonrpc import Closed, Connection
from harness.scratch import Scratch
from harness.server import Server

import data
from bystander import Bystander

RATIO = 1.5
FREE_MB = 20
FREE_CPU_S = 0.25
FREE_WAIT_MS = 100
TRIES = 3
MOST_MB = 4096  # what a server may have before it is stopped
DB = data.DB
_POLL_S = 0.5
_PAUSE_S = 0.005
_FINISH = b'{"id":"finish","method":"list_dbs","params":[]}'


class OutOfTime(Exception):
    """The server took more of the machine for an input than can be let go on."""


@dataclasses.dataclass(frozen=True)
class Input:
    """Something that a client may send. `attack` is called with a Target."""

    name: str
    attack: Callable
    before: Callable = None  # before the server starts
    prepare: Callable = None  # before anything is measured; what it returns is handed to `attack`, too
    data: str = "empty"  # which database: a name in data.MAKERS
    options: tuple = ()
    our_options: tuple = ()  # that the stock server has not
    on_stock: bool = True  # False: the stock server has no such feature, or dies of it
    seconds: float = 15  # of the server's processor: what is not over then never ends
    by_hand: bool = False  # for run.py alone: so like another, or so slow on the stock server, that CI goes without
    # Where there is no stock server to compare with.
    most_mb: float = 50
    most_cpu_s: float = 1
    most_wait_ms: float = 250


@dataclasses.dataclass
class Cost:
    cpu_s: float
    memory_mb: float
    wait_ms: float
    waiter: str  # whose longest wait it was
    outcome: str  # "ok", or what became of the server

    def best(self, other):
        """What is sure when it was measured twice."""
        if (self.outcome == "ok") != (other.outcome == "ok"):
            return self if self.outcome == "ok" else other
        shorter = min(self, other, key=lambda cost: cost.wait_ms)
        return Cost(min(self.cpu_s, other.cpu_s), min(self.memory_mb, other.memory_mb), shorter.wait_ms,
                    shorter.waiter, self.outcome)

    def __str__(self):
        text = f"{self.cpu_s:7.2f} s {self.memory_mb:8.0f} MB {self.wait_ms:8.0f} ms"
        return text + (f" ({self.waiter})" if self.wait_ms > FREE_WAIT_MS else "") + (
            f" {self.outcome}" if self.outcome != "ok" else "")


@dataclasses.dataclass
class Comparison:
    input: Input
    ours: Cost
    stock: Cost = None  # None: not run

    def limits(self):
        """(cpu_s, memory_mb, wait_ms) that ours may take."""
        if self.stock is None or self.stock.outcome.startswith("died"):
            return self.input.most_cpu_s, self.input.most_mb, self.input.most_wait_ms
        return (self.stock.cpu_s * RATIO + FREE_CPU_S, self.stock.memory_mb * RATIO + FREE_MB,
                max(FREE_WAIT_MS, self.stock.wait_ms * RATIO))

    def faults(self):
        """Sentences about what ours costs too much; none when it passes."""
        if self.ours.outcome != "ok":
            return [self.ours.outcome]
        cpu_s, memory_mb, wait_ms = self.limits()
        found = []
        if self.ours.cpu_s > cpu_s:
            found.append(f"{self.ours.cpu_s:.2f} s of processor, more than {cpu_s:.2f}")
        if self.ours.memory_mb > memory_mb:
            found.append(f"{self.ours.memory_mb:.0f} MB, more than {memory_mb:.0f}")
        if self.ours.wait_ms > wait_ms:
            found.append(f"others ({self.ours.waiter}) wait {self.ours.wait_ms:.0f} ms, more than {wait_ms:.0f}")
        return found


class Target:
    """One started server, and the attacker's connections with it."""

    def __init__(self, scratch, what, binary):
        self.scratch = scratch
        file = data.make(what.data, scratch)
        options = what.options if environment.is_stock(binary) else what.options + what.our_options
        self.server = Server(scratch, "target", [file], options, binary)
        self.is_stock = environment.is_stock(self.server.binary)
        self.clients = []
        self.deadline = self.most_cpu_s = 0

    def arm(self, seconds):
        """From now on the server may work for SECONDS, on however busy a machine."""
        self.most_cpu_s = self.cpu_s() + seconds
        self.deadline = time.monotonic() + environment.timeout_s(seconds * 4)

    @property
    def pid(self):
        return self.server.process.pid

    def client(self, address=None):
        client = Client(self, address or self.server.socket)
        self.clients.append(client)
        return client

    def clients_of(self, count):
        return [self.client() for _ in range(count)]

    def check_time(self):
        if time.monotonic() > self.deadline or self.cpu_s() > self.most_cpu_s:
            raise OutOfTime("never ends")
        if self.memory_mb("VmRSS") > MOST_MB:
            raise OutOfTime("takes all memory")

    def sleeps(self):
        """No thread of it runs, or wants to."""
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            try:
                if (task / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "S":
                    return False
            except OSError:
                pass  # a thread that has ended
        return True

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, field):
        """`VmRSS`, or its greatest so far, `VmHWM`."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
        raise AssertionError(f"no {field} of the server: it died")

    def settle(self):
        """Waits until the server has nothing more to do than what the bystander asks."""
        quiet = 0
        while quiet < 2:
            self.check_time()
            before = self.cpu_s()
            slept = 0
            for _ in range(12):
                time.sleep(0.01)
                slept += self.sleeps()
            quiet = quiet + 1 if slept > 4 and self.cpu_s() - before < 0.04 else 0

    def hang_up(self):
        for client in self.clients:
            client.close()
        self.clients.clear()


class Client(Connection):
    """An attacker's connection: sends as much as the server takes, and reads only when told to."""

    def __init__(self, target, address):
        super().__init__(address)
        self._target = target

    def receive(self, timeout=None):
        """As in Connection, until the input's time is over."""
        while True:
            self._target.check_time()
            try:
                return super().receive(_POLL_S)
            except TimeoutError:
                pass

    def pour(self, data, patience_s=0.1):
        """Sends DATA; False if the server stops to read before its end, and sleeps, or hangs up."""
        self.sock.setblocking(False)
        view = memoryview(data)
        slept = 0  # how often the server slept since it took something
        while view:
            try:
                view = view[self.sock.send(view[: 1 << 20]):]
                slept = 0
            except BlockingIOError:
                self._target.check_time()
                slept += self._target.sleeps()
                if slept * _PAUSE_S > patience_s:
                    return False
                time.sleep(_PAUSE_S)
            except (BrokenPipeError, ConnectionResetError):
                return False
        return True

    def show_itself(self):
        """A stranger's first message may not be long; from now on it may."""
        self.call("echo", 1)
        return self

    def converse(self, data):
        """Sends DATA and forgets what is answered meanwhile, until all of it is answered."""
        self.sock.setblocking(False)
        view = memoryview(bytes(data) + _FINISH)
        tail = b""
        while b'"id":"finish"' not in tail and b'"finish",' not in tail:
            self._target.check_time()
            ready = select.select([self.sock], [self.sock] if view else [], [], _POLL_S)
            if ready[0]:
                piece = self.sock.recv(1 << 20)
                if not piece:
                    raise Closed("in a conversation")
                tail = tail[-64:] + piece
            if ready[1]:
                view = view[self.sock.send(view[: 1 << 20]):]

    def swallow(self, patience_s=0.3):
        """Reads and forgets until nothing comes and the server sleeps; the count of bytes."""
        total = 0
        buffer = bytearray(1 << 20)
        self.sock.settimeout(patience_s)
        while True:
            self._target.check_time()
            try:
                count = self.sock.recv_into(buffer)
            except TimeoutError:
                if self._target.sleeps():
                    return total
                continue
            except ConnectionResetError:
                return total
            if count == 0:
                return total
            total += count


def measure(what, binary):
    """The Cost of input WHAT for BINARY, with the time after the attacker has hung up."""
    scratch = Scratch()
    try:
        target = Target(scratch, what, binary)
        if what.before:
            what.before(target)
        target.server.start()
        try:
            return _measure(what, target)
        finally:
            target.hang_up()
            if target.server.alive():
                target.server.kill()
            target.server.check_stderr()
    finally:
        scratch.close()


def _measure(what, target):
    target.arm(120)
    prepared = what.prepare(target) if what.prepare else None
    prepared = [] if prepared is None else [prepared]
    target.settle()
    bystander = Bystander(target)
    pathlib.Path(f"/proc/{target.pid}/clear_refs").write_text("5", encoding="ascii")
    memory_mb, cpu_s = target.memory_mb("VmRSS"), target.cpu_s()
    outcome = "ok"
    target.arm(what.seconds)
    try:
        what.attack(target, *prepared)
        target.settle()
        target.hang_up()
        target.settle()
    except OutOfTime as reason:
        outcome = str(reason)
    except (Closed, OSError, AssertionError) as error:
        outcome = f"fails: {error}"[:200]
    waiter, wait_ms = bystander.stop()
    time.sleep(0.05)
    if not target.server.alive():
        return Cost(0, 0, wait_ms, waiter, f"died ({target.server.process.returncode})")
    return Cost(target.cpu_s() - cpu_s, max(0, target.memory_mb("VmHWM") - memory_mb), wait_ms, waiter, outcome)


def compare(what, tries=TRIES, ours=None):
    """Measures WHAT on both servers, again while ours is beyond a bound."""
    ours = ours or environment.SERVER
    stock = measure(what, environment.STOCK_SERVER) if what.on_stock else None
    found = Comparison(what, measure(what, ours), stock)
    for _ in range(tries - 1):
        if not found.faults() or found.ours.outcome.startswith("died"):
            break
        found.ours = found.ours.best(measure(what, ours))
    return found
