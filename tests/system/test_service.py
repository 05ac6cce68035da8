#!/usr/bin/python3
"""The server as a service: it tells systemd when it serves and when it ends (sd_notify(3)), and bash completes its words."""

import os
import pathlib
import re
import socket
import subprocess
import unittest

from harness import environment
from harness.case import SystemTest, main

COMPLETION = environment.SOURCE / "completion/tandem-ctl.bash"


class Notify(SystemTest):
    def manager(self, address):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(address)
        manager.settimeout(environment.timeout_s(20))
        return manager

    def told(self, manager):
        return manager.recv(4096).decode()

    def test_it_is_ready_when_it_serves_and_stops_in_order(self):
        path = self.scratch.path / "notify"
        for name, shown in ((str(path), str(path)), ("\0" + path.name * 3, "@" + path.name * 3)):
            with self.subTest(shown):
                manager = self.manager(name)
                self.scratch.env["NOTIFY_SOCKET"] = shown
                file = f"{len(shown)}.db"
                server = self.server(file, [self.database(file, environment.VSWITCH_SCHEMA)])
                self.assertEqual(self.told(manager), "READY=1")
                server.stop()
                self.assertEqual(self.told(manager), "STOPPING=1")

    def test_it_is_not_ready_when_it_cannot_start(self):
        manager = self.manager(str(self.scratch.path / "notify"))
        env = self.scratch.env | {"NOTIFY_SOCKET": str(self.scratch.path / "notify")}
        failed = subprocess.run([environment.SERVER, "--unixctl=none", "missing.db"], env=env, cwd=self.scratch.path,
                                capture_output=True, text=True)
        self.assertEqual(failed.returncode, 1, failed.stderr)
        manager.setblocking(False)
        self.assertRaises(BlockingIOError, manager.recv, 1)

    def test_it_starts_without_the_manager_that_it_should_tell(self):
        for address in ("/nowhere/notify", "@nobody", "x" * 200, ""):
            self.scratch.env["NOTIFY_SOCKET"] = address
            file = f"{len(address)}.db"
            self.server(file, [self.database(file, environment.VSWITCH_SCHEMA)]).stop()


@unittest.skipUnless(pathlib.Path("/usr/share/bash-completion/bash_completion").exists(), "needs bash-completion")
class Completion(SystemTest):
    def offers(self, line):
        """What is offered for the last word of LINE."""
        # As readline cuts them: "=" is a word of its own, the last one if nothing follows it.
        words = [word for part in line.split(" ") for word in re.fullmatch("([^=]*)(=?)(.*)", part).groups()]
        words = [word for i, word in enumerate(words) if word or (i == len(words) - 3)]
        program = environment.SERVER.with_name(words[0])
        script = f"""
            source /usr/share/bash-completion/bash_completion
            source {COMPLETION}
            compopt() {{ :; }}
            COMP_LINE=$1 COMP_POINT=${{#1}}
            COMP_WORDS=("${{@:2}}")
            COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
            _tandem "{program}" "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD - 1]}}"
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(["bash", "--norc", "-c", script, "bash", line, *words], capture_output=True, text=True, check=True,
                              cwd=self.scratch.path, env=self.scratch.env)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_options_are_those_of_help(self):
        for program in ("tandem-server", "tandem-ctl", "tandem-tool"):
            offered = self.offers(f"{program} --")
            self.assertIn("--help", offered)
            self.assertIn("--version", offered)
            usage = self.scratch.run(environment.SERVER.with_name(program), "--help")
            for word in offered:
                self.assertIn(word, usage)
        self.assertEqual(self.offers("tandem-server --sync-fa"), ["--sync-fallback="])
        self.assertEqual(self.offers("tandem-ctl status --clu"), ["--cluster"])

    def test_values_are_those_of_help(self):
        self.assertEqual(self.offers("tandem-server --sync-fallback="), ["async", "block"])
        self.assertEqual(self.offers("tandem-server --sync-fallback=b"), ["block"])
        (self.scratch.path / "key.pem").touch()
        self.assertEqual(self.offers("tandem-server --private-key=k"), ["key.pem"])
        self.assertEqual(self.offers("tandem-server --private-key k"), ["key.pem"])
        self.assertEqual(self.offers("tandem-ctl --timeout "), [])

    def test_commands_servers_and_files(self):
        self.assertEqual(self.offers("tandem-ctl pro"), ["promote"])
        self.assertEqual(self.offers("tandem-ctl -t x dem"), ["demote"])
        self.assertEqual(self.offers("tandem-tool schema-v"), ["schema-version"])
        (self.scratch.path / "conf.db").touch()
        self.assertEqual(self.offers("tandem-tool check co"), ["conf.db"])
        self.assertEqual(self.offers("tandem-server co"), ["conf.db"])
        (self.scratch.path / "ovnnb_db.pid").write_text(f"{os.getpid()}\n")
        self.assertIn("ovnnb_db", self.offers("tandem-ctl -t ovnnb_d"))


if __name__ == "__main__":
    main()
