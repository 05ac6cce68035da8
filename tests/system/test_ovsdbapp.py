#!/usr/bin/python3
"""OpenStack's ovsdbapp: the functional tests that Debian ships with it run on our server and tool."""

import pathlib
import re
import subprocess
import time

from harness import environment
from harness.case import SystemTest, main

PACKAGES = pathlib.Path("/usr/lib/python3/dist-packages")
TESTS = PACKAGES / "ovsdbapp/tests/functional"
PARTS = ("backend", "schema/open_vswitch", "schema/ovn_northbound", "schema/ovn_southbound",
         "schema/ovn_ic_northbound", "schema/hardware_vtep")
LEAST = 350  # tests in Debian 12's 2.1.0: none may be lost unnoticed
REPEAT_S = 120  # how long tests that failed are tried again


class Ovsdbapp(SystemTest):
    def test_its_functional_tests(self):
        programs = self.scratch.path / "programs"
        programs.mkdir()
        (programs / "ovsdb-server").symlink_to(pathlib.Path(environment.SERVER).resolve())
        (programs / "ovsdb-tool").symlink_to(pathlib.Path(environment.TOOL).resolve())
        env = self.scratch.env | {"PATH": f"{programs}:{self.scratch.env['PATH']}", "TMPDIR": str(self.scratch.path)}

        def log_of(part):
            return self.scratch.path / f"{part.replace('/', '-')}.log"

        def start(part, *names):
            what = names or ("discover", "-s", TESTS / part, "-t", PACKAGES)
            with open(log_of(part), "wb") as log:
                return subprocess.Popen(["/usr/bin/python3", "-B", "-W", "ignore", "-m", "testtools.run", *what], env=env,
                                        cwd=self.scratch.path, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def end(part, run):
            run.wait(timeout=environment.timeout_s(300))
            return log_of(part).read_text()

        runs = {part: start(part) for part in PARTS}
        count = 0
        for part, run in runs.items():
            text = end(part, run)
            count += int(re.search(r"^Ran (\d+) tests", text, re.M).group(1))
            # Some look at once for what another program has just written, before the update can be here: on a
            # busy machine they fail with any server. So these run again, by themselves.
            end_s = time.monotonic() + environment.timeout_s(REPEAT_S)
            while time.monotonic() < end_s:
                failed = re.findall(r"^(?:FAIL|ERROR): (ovsdbapp\.\S+)", text, re.M)
                if not failed:
                    break
                run = start(part, *failed)
                text = end(part, run)
            with self.subTest(part):
                self.assertEqual(run.returncode, 0, text[-20000:])
        self.assertGreaterEqual(count, LEAST)


if __name__ == "__main__":
    main()
