#!/usr/bin/python3
"""ClusterLabs' own checks of a resource agent: ocf-tester, and the rules for metadata.

Both know version 1.0 of OCF's interface only. Pacemaker says by OCF_RA_VERSION_MINOR that it knows 1.1, with `reloadable` and
`reload-agent`; test_parameters.py looks at those."""
import os
import shutil
import subprocess

from cluster import AGENT, AgentTest, OK, main

RULES = "/usr/share/resource-agents/"
TESTER = "/usr/sbin/ocf-tester"


class Ocf(AgentTest):
    def needs(self, *paths):
        missing = [path for path in paths if not shutil.which(path) and not os.path.exists(path)]
        if missing:
            self.skipTest("needs " + " ".join(missing))

    def test_the_metadata_follow_the_rules_and_the_document_type(self):
        self.needs("xmllint", RULES + "metadata.rng", RULES + "ra-api-1.dtd")
        self.assertEqual(self.one.run("meta-data"), OK)
        for how in (["--relaxng", "metadata.rng"], ["--valid"]):
            done = subprocess.run(["xmllint", "--noout", *how, "-"], input=self.one.said.encode(), cwd=RULES,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            self.assertEqual(done.returncode, 0, (how, done.stdout.decode()))

    def test_ocf_tester_passes(self):
        """All of it, on one node of a cluster that is files: it needs no real one. It calls each action twice, too: a
        promotion of the active, a start of what runs. Nothing is left out."""
        self.needs(TESTER, "xmllint", RULES + "ra-api-1.dtd")
        agent = self.cluster / "ovndb-servers"  # where nobody may read it, as the tester asks
        shutil.copy(AGENT, agent)
        self.cluster.chmod(0o755)
        environment = self.one.environment({})
        parameters = [word for name, value in environment.items() if name.startswith("OCF_RESKEY_") and "CRM_meta" not in name
                      for word in ("-o", f"{name[len('OCF_RESKEY_'):]}={value}")]
        done = subprocess.run([TESTER, "-n", "ovndb_servers", *parameters, agent], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240, check=False)
        said = done.stdout.decode()
        self.assertEqual(done.returncode, 0, said)
        self.assertIn("passed all tests", said)


if __name__ == "__main__":
    main()
