#!/usr/bin/python3
"""Stock ovn-ctl runs the server under test when its folder comes first on PATH."""

import pathlib

from harness.case import SystemTest, main
from harness.ovn import Ovn
from harness.server import wait_until


class OvnCtl(SystemTest):
    def setUp(self):
        super().setUp()
        self.ovn = Ovn(self.scratch)

    def test_northd_fills_the_southbound_database(self):
        self.ovn.ctl("start_northd")
        for db in ("nb", "sb"):
            self.assertTrue(self.ovn.runs_server_under_test(db))
            comm = pathlib.Path(f"/proc/{self.ovn.server_pid(db)}/comm").read_text()
            self.assertEqual(comm, "ovsdb-server\n")
        self.assertEqual(self.ovn.ctl("status_ovnnb").strip(), "running/active")
        self.ovn.build_topology()
        self.assertEqual(len(self.ovn.sbctl("--bare", "--columns=_uuid", "list", "Datapath_Binding").split()), 3)
        self.assertIn("vm1-1", self.ovn.sbctl("--bare", "--columns=logical_port", "list", "Port_Binding"))
        self.assertIn("10.0.0.100", self.ovn.sbctl("lflow-list", "ls0"))
        self.assertIn("tcp.dst == 23", self.ovn.sbctl("lflow-list", "ls1"))
        self.ovn.nbctl("--wait=sb", "ls-del", "ls1")
        self.assertNotIn("vm1-1", self.ovn.sbctl("--bare", "--columns=logical_port", "list", "Port_Binding"))
        self.ovn.ctl("stop_northd")
        wait_until(lambda: not self.scratch.processes(), "everything to stop")
        self.assertIn("not-running", self.ovn.ctl("status_ovnnb", check=False).stdout)

    def test_a_restarted_database_has_its_contents(self):
        self.ovn.ctl("start_northd")
        self.ovn.build_topology()
        before = self.ovn.nbctl("show")
        self.ovn.ctl("restart_northd")
        self.assertEqual(self.ovn.nbctl("show"), before)
        self.ovn.nbctl("--wait=sb", "lsp-add", "ls0", "late")
        self.assertIn("late", self.ovn.sbctl("--bare", "--columns=logical_port", "list", "Port_Binding"))

    def test_demote_and_promote_switch_the_role(self):
        for db in ("nb", "sb"):
            with self.subTest(db):
                active = self.database(f"active_{db}.db", f"/usr/share/ovn/ovn-{db}.ovsschema")
                self.server(f"active_{db}", [active], "--remote=ptcp:0:127.0.0.1")
        ports = {db: self._listening_port(f"active_{db}") for db in ("nb", "sb")}
        self.ovn.ctl("start_ovsdb")
        for db in ("nb", "sb"):
            with self.subTest(db):
                to_active = (f"--db-{db}-sync-from-addr=127.0.0.1",
                             f"--db-{db}-sync-from-port={ports[db]}")
                self.assertEqual(self.ovn.ctl(f"status_ovn{db}").strip(), "running/active")
                self.ovn.ctl(*to_active, f"demote_ovn{db}")
                self.assertEqual(self.ovn.ctl(f"status_ovn{db}").strip(), "running/backup")
                self.ovn.ctl(f"promote_ovn{db}")
                self.assertEqual(self.ovn.ctl(f"status_ovn{db}").strip(), "running/active")
        self.ovn.nbctl("ls-add", "after")
        self.assertIn("after", self.ovn.nbctl("show"))
        self.ovn.ctl("stop_ovsdb")

    def _listening_port(self, name):
        log = (self.scratch.path / f"{name}.log").read_text()
        return log.split("listening on port ")[1].split()[0]


if __name__ == "__main__":
    main()
