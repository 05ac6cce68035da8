"""Where the measuring happens: a scratch folder, database files, servers in it, and the load generator."""

import json
import lzma
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import synthetic


class Machine:
    """Owns the scratch folder and all that was started in it."""

    def __init__(self, data, programs):
        self._data = pathlib.Path(data)
        self.programs = pathlib.Path(programs)
        # Beside the data a real server would have: not in memory.
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="tandem-bench-", dir="/var/tmp"))
        self._servers = []
        self._count = 0
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.kill()
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        """A database file: NAME.db of the data, unpacked once, or made up when there is none."""
        path = self.path / "files" / f"{name}.db"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            archive = self._data / f"{name}.db.xz"
            if archive.exists():
                with lzma.open(archive) as source, open(path, "wb") as target:
                    shutil.copyfileobj(source, target)
            else:
                synthetic.make(name, path)
        return path

    def keep(self, name, path):
        """Keeps a file that a scenario has made, for file(NAME)."""
        shutil.copy(path, self.path / "files" / f"{name}.db")

    def has(self, name):
        return (self.path / "files" / f"{name}.db").exists()

    def server(self, binary, files, *options, wrapper=(), wait=True):
        """A running server on copies of FILES (names; paths, which are used in place; or "relay:DB:REMOTE")."""
        self._count += 1
        folder = self.path / f"server{self._count}"
        folder.mkdir()
        paths = []
        for file in files:
            path = pathlib.Path(file)
            if str(file).startswith("relay:"):
                path = file
            elif not path.is_absolute():
                path = folder / f"{file}.db"
                shutil.copy(self.file(file), path)
            paths.append(path)
        server = Server(binary, folder, paths, options, wrapper)
        self._servers.append(server)
        server.start()
        if wait:
            server.wait_ready()
        return server

    def is_tandem(self, binary):
        return "Tandem" in subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout

    def certificates(self):
        """A private authority and a pair: options for both sides."""
        folder = self.path / "tls"
        if not folder.exists():
            folder.mkdir()
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=bench",
                 "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
                check=True, capture_output=True)
        return {"private-key": folder / "key.pem", "certificate": folder / "cert.pem", "ca-cert": folder / "cert.pem"}

    def load(self, scenario, server, **options):
        """Runs tandem-bench to its end; returns its figures. Raises when the run was void."""
        with self.start_load(scenario, server, **options) as process:
            return finish_load(process)

    def start_load(self, scenario, server, **options):
        options = {"address": server.address, "pid": server.pid} | options
        command = [self.programs / "tandem-bench", scenario]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)


def finish_load(process):
    output, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(errors.strip() or f"tandem-bench ended with {process.returncode}")
    return json.loads(output.splitlines()[-1])


class Server:
    """One server process: stock or ours."""

    def __init__(self, binary, folder, databases, options, wrapper):
        self.folder = folder
        self.databases = databases
        self.address = f"unix:{folder}/db.sock"
        self.control = f"unix:{folder}/ctl"
        self._binary = binary
        self._options = list(options)
        self._wrapper = list(wrapper)
        self.process = None

    def start(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("OVS_", "OVN_"))}
        for name in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"):
            environment[f"OVS_{name}"] = str(self.folder)
        environment["OVS_SYSLOG_METHOD"] = "null"
        command = [*self._wrapper, self._binary, *map(str, self.databases), f"--remote=punix:{self.folder}/db.sock",
                   f"--unixctl={self.folder}/ctl", f"--log-file={self.folder}/log", "-vconsole:off",
                   f"--pidfile={self.folder}/pid", *self._options]
        self.started_s = time.monotonic()
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def wait_ready(self, seconds=120):
        """Until a request is answered."""
        with self._connect(self.folder / "db.sock", seconds) as client:
            client.sendall(b'{"id":0,"method":"list_dbs","params":[]}')
            if b"result" not in client.recv(4096):
                raise RuntimeError("the server does not answer")
        self.ready_s = time.monotonic()

    def _connect(self, path, seconds=10):
        deadline = time.monotonic() + seconds
        while True:
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(seconds)
            try:
                client.connect(str(path))
                return client
            except OSError:
                client.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"the server does not start: {self._log()}") from None
                time.sleep(0.001)

    def _log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    @property
    def pid(self):
        """The server's own, also behind a wrapper."""
        return int((self.folder / "pid").read_text()) if self._wrapper else self.process.pid

    def appctl(self, method, *params):
        """A control command's text; raises when it fails."""
        with self._connect(self.folder / "ctl") as client:
            client.sendall(json.dumps({"id": 0, "method": method, "params": params}).encode())
            text = b""
            while True:
                text += client.recv(65536)
                try:
                    reply = json.loads(text)
                    break
                except ValueError:
                    continue
        if reply["error"] is not None:
            raise RuntimeError(f"{method}: {reply['error']}")
        return reply["result"]

    def memory(self, field="VmRSS"):
        """Bytes: VmRSS now, VmHWM the peak."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
        raise RuntimeError(f"no {field}")

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def written_bytes(self):
        """What went, or will go, to the disk."""
        for line in pathlib.Path(f"/proc/{self.pid}/io").read_text().splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
        return 0

    def stop(self):
        """Asks it to exit, and waits."""
        if self.process.poll() is None:
            self.appctl("exit")
            self.process.wait(timeout=60)

    def kill(self):
        if self.process.poll() is None:
            if self._wrapper:
                try:
                    os.kill(self.pid, signal.SIGKILL)
                except (OSError, ValueError):
                    pass
            self.process.kill()
            self.process.wait()
