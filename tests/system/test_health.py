#!/usr/bin/python3
"""What a server says of its log file and its certificates: status, pages, metrics and log. (Its disk: test_disk.py and
others.) None of it makes the server unfit."""

import json
import os
import shutil
import subprocess
import urllib.request

from harness import environment
from harness.case import main
from harness.jsonrpc import Connection
from harness.pki import Pki
from harness.ports import free_port
from harness.server import wait_until
from harness.surface import DB, SurfaceTest, insert


class Health(SurfaceTest):
    def setUp(self):
        super().setUp()
        self.http = free_port()

    def serve(self, *words):
        """A server whose console is `console`."""
        with open(self.path / "console", "w", encoding="utf-8") as console:
            process = subprocess.Popen([str(environment.SERVER), "--pidfile", "-vconsole:info", "--remote=punix:db.sock",
                                        f"--http=127.0.0.1:{self.http}", *words, "db"],
                                       env=self.scratch.env, cwd=self.path, stderr=console)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        wait_until(lambda: (self.path / "db.sock").exists(), "the server")

    def console(self):
        return self.log("console")

    def page(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/{name}", timeout=30) as page:
            return page.read().decode()

    def health(self):
        return json.loads(self.ctl("tandem/status", "--format=json"))["health"]

    def troubles_in_status(self):
        return [line.removeprefix("health: ") for line in self.ctl("tandem/status").splitlines()
                if line.startswith("health: ")]

    def troubles_told(self):
        """By the status; and the same ones by /healthz, as warnings that make no probe fail."""
        told = self.troubles_in_status()
        page = self.page("healthz")
        while (again := self.troubles_in_status()) != told:  # they have changed meanwhile
            told, page = again, self.page("healthz")
        self.assertEqual(page, "".join(["healthy\n", *(f"warning: {line}\n" for line in told)]))
        self.assertEqual(self.page("active"), "active\n")
        self.assertRegex(self.ctl("tandem/status", "--format=short"), rf"^{DB} active writable \d+ \d+\n$")
        return told

    def write(self, number):
        with Connection(self.socket) as peer:
            self.assertIn("uuid", peer.result("transact", DB, insert(number))[0])

    def test_a_log_file_that_cannot_be_made(self):
        """Named until it is made, or nobody wants one any more."""
        log = self.path / "later" / "log"
        self.serve(f"--log-file={log}")
        self.write(1)
        fault = f"{log}: open failed (No such file or directory)"
        self.assertEqual(self.troubles_told(), [f"log file: {fault}"])
        self.assertEqual(self.health()["log_file"], {"path": str(log), "writable": False, "waiting_ms": 0, "fault": fault})
        self.assertIn("tandem_log_file_failing 1\n", self.page("metrics"))
        log.parent.mkdir()
        self.ctl("vlog/reopen")
        wait_until(lambda: self.troubles_told() == [], "the file to be opened")
        self.assertIn("tandem_log_file_failing 0\n", self.page("metrics"))
        self.ctl("vlog/close")
        wait_until(lambda: self.troubles_told() == [], "the file to be closed")
        self.assertEqual(self.health()["log_file"], {})
        self.assertEqual(self.console().count("|WARN|"), 1)

    def test_a_log_file_that_takes_no_more(self):
        """The log says so where it can, once, and when it is over."""
        log = self.path / "log"
        os.symlink("/dev/full", log)
        self.serve(f"--log-file={log}")
        self.write(1)
        fault = f"log file: {log}: the last line was not written (No space left on device)"
        self.assertEqual(self.troubles_told(), [fault])
        wait_until(lambda: f"|WARN|{fault} - make room on its disk\n" in self.console(), "the console to say so")
        log.unlink()
        self.ctl("vlog/reopen")
        wait_until(lambda: self.troubles_told() == [], "the file to be opened")
        wait_until(lambda: "|INFO|log file: lines are written again\n" in self.console(), "the console to say so")
        self.assertEqual(self.console().count(fault), 1)
        wait_until(lambda: "lines are written again" in log.read_text(), "the log file to say so")

    def test_certificates(self):
        """One that runs out soon, a key that does not fit, and both mended; also while nobody connects."""
        pki = Pki(self.path)
        pki.authority("one")
        pki.certify("one", "new")
        pki.certify("one", "old", days=3)
        key, certificate = self.path / "key", self.path / "certificate"
        shutil.copy(pki.key("one", "old"), key)
        shutil.copy(pki.certificate("one", "old"), certificate)
        self.serve("-p", str(key), "-c", str(certificate), "-C", pki.ca("one"), "--remote=pssl:0:127.0.0.1")
        (ending,) = self.troubles_told()
        self.assertRegex(ending, rf"^certificate {certificate}: runs out at \d{{4}}-\d\d-\d\dT")
        self.assertEqual([file["option"] for file in self.health()["key_files"]], ["certificate", "private-key", "ca-cert"])
        self.assertEqual([trouble["kind"] for trouble in self.health()["troubles"]], ["certificate-expiring"])
        expiries = [line for line in self.page("metrics").splitlines() if line.startswith("tandem_certificate_expiry")]
        self.assertEqual([line.partition("{")[2].partition("}")[0] for line in expiries],
                         ['kind="certificate"', 'kind="ca-cert"'])
        wait_until(lambda: f"|WARN|{ending} - put a new one in its place" in self.console(), "the log to say so")

        shutil.copy(pki.certificate("one", "new"), certificate)
        unusable = f"private-key {key}: key values mismatch"
        wait_until(lambda: unusable in self.troubles_told(), "the status to say so")
        self.assertIn('tandem_key_file_failing{kind="private-key"} 1\n', self.page("metrics"))
        shutil.copy(pki.key("one", "new"), key)
        wait_until(lambda: not self.troubles_told(), "the status to be well")
        wait_until(lambda: f"|INFO|certificate {certificate}: does not run out soon any more\n" in self.console(),
                   "the log to say so")
        self.assertIn(f"|INFO|loaded private key from {key}\n", self.console())
        self.assertEqual(self.console().count("|WARN|"), 2)


if __name__ == "__main__":
    main()
