#!/usr/bin/python3
"""Whoever reads the log and does not: a full pipe as stderr, a syslog daemon that hangs. Nobody waits for them."""

import fcntl
import os
import socket
import subprocess
import time
import unittest

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.server import wait_until
from harness.surface import DB, SurfaceTest, insert

REQUESTS = 500

# A mount namespace in which /dev/log is the socket $1; in it the rest is run.
WITH_SYSLOG = """
set -e
log=$1; old=$2; shift 2
mount --bind /dev "$old"
mount -t tmpfs none /dev
for name in null zero random urandom full; do : > /dev/$name; mount --bind "$old/$name" /dev/$name; done
ln -s /proc/self/fd /dev/fd
: > /dev/log
mount --bind "$log" /dev/log
exec "$@"
"""


def may_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0


class SlowLogReaders(SurfaceTest):
    def serve(self, *words, prefix=(), **options):
        process = subprocess.Popen([*prefix, str(environment.SERVER), "--pidfile", "--log-file", "--remote=punix:db.sock",
                                    *words, "db"], env=self.scratch.env, cwd=self.path, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")
        return process

    def ask(self):
        """Requests, each of which has lines in the log; all must be answered."""
        with Connection(self.socket) as peer:
            for number in range(REQUESTS):
                self.assertIn("uuid", peer.result("transact", DB, insert(number))[0])

    def told(self, taker):
        return [line for line in self.troubles() if "|Dropped " in line and f"because {taker} did not take" in line]

    def write_a_line(self):
        """One line at INFO to everybody who reads."""
        self.ctl("ovsdb-server/compact")

    def test_a_full_pipe_as_console(self):
        """All requests are answered; the pipe stays as others have it; what is lost is counted and told."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.serve("-vconsole:dbg", stderr=writer)
        os.close(writer)
        self.ask()
        for others in (self.pid(), os.getpid()):
            with open(f"/proc/{others}/fdinfo/{2 if others == self.pid() else reader}", encoding="ascii") as info:
                flags = next(int(line.split()[1], 8) for line in info if line.startswith("flags"))
            self.assertFalse(flags & os.O_NONBLOCK)
        lost = int(self.ctl("coverage/read-counter", "vlog_console_lost"))
        self.assertGreater(lost, REQUESTS)
        self.assertEqual(self.told("the console"), [])
        fcntl.fcntl(reader, fcntl.F_SETFL, os.O_NONBLOCK)
        text = self.read_all(reader)
        self.ctl("vlog/set", "console:info")
        self.write_a_line()
        self.assertEqual(len(self.told("the console")), 1)
        text += self.read_all(reader)
        lines = text.decode().splitlines()
        self.assertIn("compacting", text.decode())
        # But for the one that the pipe had no room for, all are whole.
        self.assertLessEqual(sum(1 for line in lines if line.count("|") < 4), 1)

    def read_all(self, reader):
        text = b""
        try:
            while more := os.read(reader, 1 << 20):
                text += more
        except BlockingIOError:
            pass
        return text

    def test_a_socket_as_console(self):
        """As service managers give one."""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.serve("-vconsole:dbg", stderr=theirs.fileno())
        theirs.close()
        self.ask()
        self.assertGreater(int(self.ctl("coverage/read-counter", "vlog_console_lost")), 0)

    @unittest.skipUnless(may_mount(), "needs the right to mount")
    def test_a_syslog_daemon_that_hangs(self):
        """All requests are answered; once it reads again it and the log are told how much was lost."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
            self.serve("-vsyslog:dbg", "-vconsole:off", prefix=self.syslog_at(daemon))
            self.ask()
            self.assertGreater(int(self.ctl("coverage/read-counter", "vlog_syslog_lost")), REQUESTS)
            daemon.setblocking(False)
            self.read_all(daemon.fileno())
            self.ctl("vlog/set", "syslog:info")
            self.write_a_line()
            self.assertEqual(len(self.told("syslog")), 1)
            self.assertIn(b"WARN|Dropped ", self.read_all(daemon.fileno()))

    @unittest.skipUnless(may_mount(), "needs the right to mount")
    def test_syslog_gets_what_the_stock_server_sends(self):
        """From /dev/log, of both kinds, with a facility and without."""
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            for words in ([], ["-vFACILITY:local3"]):
                self.assertEqual(self.sent(environment.SERVER, kind, words),
                                 self.sent(environment.STOCK_SERVER, kind, words))

    def sent(self, binary, kind, words):
        """What a server says of a syslog target, but for the time."""
        with socket.socket(socket.AF_UNIX, kind) as daemon:
            prefix = self.syslog_at(daemon)
            done = subprocess.run([*prefix, str(binary), *words, "-vsyslog:warn", "--syslog-target=127.0.0.1:9",
                                   "--no-dbs", "--run=true"], env=self.scratch.env, cwd=self.path, check=False,
                                  capture_output=True, timeout=environment.timeout_s(30))
            self.assertEqual(done.returncode, 0)
            daemon.settimeout(environment.timeout_s(5))
            peer = daemon if kind == socket.SOCK_DGRAM else daemon.accept()[0]
            text = peer.recv(100000).decode()
            peer.close()
        number, _, rest = text.partition(">")
        time.strptime(rest[:15], "%b %d %H:%M:%S")
        return number, rest[15:]

    def syslog_at(self, daemon):
        """Makes a socket that daemon's, and gives the words that run a program with it as /dev/log."""
        path = self.path / "log.sock"
        path.unlink(missing_ok=True)
        daemon.bind(str(path))
        if daemon.type == socket.SOCK_STREAM:
            daemon.listen()
        (self.path / "dev").mkdir(exist_ok=True)
        self.scratch.env.pop("OVS_SYSLOG_METHOD", None)
        return ["unshare", "-m", "sh", "-c", WITH_SYSLOG, "sh", str(path), str(self.path / "dev")]


if __name__ == "__main__":
    main()
