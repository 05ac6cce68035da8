#!/usr/bin/python3
"""What the pages name is there: options, control commands, words of tandem-ctl; and the commands of docs/operating.md are run."""

import json
import re
import subprocess

from harness import environment, load
from harness.case import SystemTest, main
from harness.ports import free_port
from harness.server import wait_until

PAGES = [environment.SOURCE / "README.md", *sorted((environment.SOURCE / "docs").glob("*.md"))]
OPERATING = environment.SOURCE / "docs/operating.md"
OF_OTHERS = {"--record", "--replay", "--clear"}
"""Options of stock's ovsdb-server, and of pcs."""
RUN_ELSEWHERE = {
    "sudo cp /usr/share/doc/tandem-server/examples/nb.conf /etc/tandem/nb.conf",
    "sudo -u tandem tandem-tool create /var/lib/tandem/nb.db /usr/share/ovn/ovn-nb.ovsschema",
    "sudo systemctl enable --now tandem-server@nb"}
"""By the tests of the packages, which have the unit."""
TALL = {"op": "insert", "table": "Switch", "row": {"name": "tall"}}


def commands_of(page):
    """The lines of its blocks that are commands, without what is said of them."""
    found = []
    for line in re.findall(r"^    ((?:sudo|tandem-\w+|ovs\w*-\w+|ovn-\w+) .+)$", page.read_text(), re.M):
        found.append(re.sub(r" +# .*", "", line))
    return found


class Pages(SystemTest):
    def names_in(self, pattern):
        """(page, name) of each that stands in backticks."""
        return [(page.name, name) for page in PAGES for name in re.findall(pattern, page.read_text())]

    def test_what_they_name_is_there(self):
        server = self.server("one", [self.database("one.db", load.SCHEMA)])
        offered = server.appctl("list-commands")
        usages = [subprocess.run([environment.SERVER.with_name(program), "--help"], capture_output=True, text=True, check=True).stdout
                  for program in ("tandem-server", "tandem-ctl", "tandem-tool")]
        options = set(re.findall(r"--[\w-]+", offered + "".join(usages))) | OF_OTHERS
        commands = set(re.findall(r"^  ([\w/-]+)", offered, re.M))
        words = set(re.findall(r"^  ([a-z-]+) ", usages[1], re.M)) | commands
        for pattern, known in ((r"`(--[a-z][\w-]*)", options), (r"`(tandem/[a-z-]+)[ `]", commands),
                               (r"`tandem-ctl (?:-t \S+ )?([a-z][a-z-]+)", words)):
            named = self.names_in(pattern)
            self.assertGreater(len(named), 4, pattern)
            self.assertEqual([(page, name) for page, name in named if name not in known], [])

    def run_line(self, line):
        programs = {name: str(environment.SERVER.with_name(name)) for name in ("tandem-server", "tandem-ctl", "tandem-tool")}
        first, *rest = line.split(" ", 1)
        return subprocess.run(["bash", "-c", " ".join([programs.get(first, first), *rest])], env=self.scratch.env, cwd=self.scratch.path,
                              capture_output=True, text=True, timeout=environment.timeout_s(60), check=False)

    def test_the_commands_of_the_page_about_operating(self):
        lines = {line for line in commands_of(OPERATING) if line not in RUN_ELSEWHERE}
        ports = [free_port() for _ in range(3)]
        folder = self.scratch.path / "lib"
        folder.mkdir()
        one = self.server("one", [self.database("lib/one.db", load.SCHEMA)], f"--http=127.0.0.1:{ports[0]}", f"--remote=ptcp:{ports[2]}:127.0.0.1")
        two = self.server("two", [self.database("lib/two.db", load.SCHEMA)], f"--http=127.0.0.1:{ports[1]}", f"--sync-from={one.socket}")

        line, = [line for line in lines if "status --cluster" in line]
        lines.remove(line)
        pair = f"tandem-ctl status --cluster localhost:{ports[0]} localhost:{ports[1]}"
        self.assertEqual(re.sub(r"ovn\d:8080", "HOST:PORT", line), re.sub(r"localhost:\d+", "HOST:PORT", pair) + " HOST:PORT")
        wait_until(lambda: self.run_line(pair).returncode == 0, "a good verdict")

        # The backup is promoted, and written to; then it follows again.
        two.appctl("tandem/promote", "--force")
        with two.connect() as client, one.connect() as other:
            client.transact(load.DB, TALL)
            other.transact(load.DB, TALL | {"row": {"name": "other"}})
        one.appctl("tandem/promote", "--above", "9")
        two.appctl("tandem/demote", one.socket)
        wait_until(lambda: list(folder.glob("two.db.diverged-*")), "the divergence")
        saved, = folder.glob("two.db.diverged-*")
        for line in sorted(line for line in lines if line.startswith("tandem-tool divergences")):
            lines.remove(line)
            done = self.run_line(line.replace("/var/lib/ovn/ovnnb_db.db.diverged-DATE", str(saved)).replace("/var/lib/ovn", str(folder)))
            self.assertEqual(done.returncode, 0, done.stderr)
        record, = [text for text in done.stdout.splitlines() if '"tall"' in text]
        line, = [line for line in lines if line.startswith("ovsdb-client transact")]
        lines.remove(line)
        done = self.run_line(line.replace("unix:/run/ovn/ovnnb_db.sock", one.socket).replace("LINE", record))
        self.assertEqual((done.returncode, '"error"' in done.stdout), (0, False), done.stdout + done.stderr)

        line, = [line for line in lines if "relay:" in line]
        lines.remove(line)
        line = line.replace("OVN_Southbound", load.DB).replace("10.0.0.1:6642", f"127.0.0.1:{ports[2]}").replace("10.0.0.2:6642", "127.0.0.1:1")
        relay = subprocess.Popen(["bash", "-c", "exec " + line.replace("tandem-server", str(environment.SERVER)).replace(
            "ptcp:6642", "punix:relay.sock") + " -vconsole:off"], env=self.scratch.env, cwd=self.scratch.path)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.terminate)
        select = json.dumps([load.DB, {"op": "select", "table": "Switch", "where": [["name", "==", "tall"]], "columns": ["name"]}])
        wait_until(lambda: '"tall"' in self.run_line(f"ovsdb-client transact unix:relay.sock '{select}'").stdout, "the row at the relay")

        self.assertEqual(lines, set(), "the page has commands that nobody has tried: run them here")


if __name__ == "__main__":
    main()
