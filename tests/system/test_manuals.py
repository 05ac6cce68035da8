#!/usr/bin/python3
"""The manual pages that the build has made: man(1) shows them without a warning, and they name each option."""

import re
import subprocess
import unittest

from harness import environment

BUILD = environment.SERVER.parents[1]
PAGES = {"tandem-server": 8, "tandem-ctl": 8, "tandem-tool": 1}
OVERVIEW = environment.SOURCE / "docs/man/tandem.7"


@unittest.skipUnless((BUILD / "docs/man/tandem-server.8").exists(), "built without manual pages")
class Manuals(unittest.TestCase):
    def shown(self, page):
        """The page as a reader sees it."""
        shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", page], capture_output=True, text=True,
                               check=True, env={"PATH": "/usr/bin:/bin", "MANWIDTH": "200", "LC_ALL": "C.UTF-8"})
        self.assertEqual(shown.stderr, "", page)
        return re.sub(".\x08", "", shown.stdout)  # bold

    def test_they_are_shown_without_a_warning_and_name_each_option(self):
        for program, section in PAGES.items():
            with self.subTest(program=program):
                text = self.shown(BUILD / f"docs/man/{program}.{section}")
                for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"):
                    self.assertIn(f"\n{heading}\n", text)
                binary = environment.SERVER.with_name(program)
                usage = subprocess.run([binary, "--help"], capture_output=True, text=True, check=True).stdout
                options = re.findall(r"^  (?:-\w, )?(--[\w-]+)", usage, re.MULTILINE)
                self.assertGreater(len(options), 1)
                for option in options:
                    self.assertRegex(text, rf"(?m)^ +(-\w, )?{option}(?![\w-])", "as the head of a paragraph")

    def test_the_page_of_the_resource_agent_tells_its_parameters_and_actions(self):
        text = self.shown(BUILD / "docs/man/ocf_ovn_ovndb-servers.7")
        description = subprocess.run([environment.SOURCE / "ocf/ovndb-servers", "meta-data"], capture_output=True, text=True,
                                     check=True, env={"PATH": "/usr/bin:/bin", "OCF_RA_VERSION_MINOR": "1"}).stdout
        names = re.findall(r'<(?:parameter|action) name="([^"]*)"', description)
        self.assertGreater(len(names), 30)
        for name in names:
            self.assertRegex(text, rf"(?m)^ +{name}( |$)", "as the head of a paragraph")

    def test_the_overview_is_shown_without_a_warning(self):
        self.assertIn("POSITIONS", self.shown(OVERVIEW))


if __name__ == "__main__":
    unittest.main(verbosity=2)
