#!/usr/bin/python3
"""The programs that Debian ships work on databases served by Tandem, over Unix sockets, TCP and TLS."""

import json
import os
import pathlib
import signal

from harness import environment
from harness.case import SystemTest, main
from harness.pki import Pki
from harness.server import wait_until

TRANSPORTS = ("unix", "tcp", "ssl")


class Programs(SystemTest):
    def setUp(self):
        super().setUp()
        self.pki = Pki(self.scratch.path)
        self.pki.authority("ca")
        self.pki.certify("ca", "server")
        self.pki.certify("ca", "client")

    def keys(self, name):
        """Options of programs and servers alike."""
        return ["-p", self.pki.key("ca", name), "-c", self.pki.certificate("ca", name), "-C", self.pki.ca("ca")]

    def serve(self, name, schema):
        """Serves a new database on all transports: their addresses."""
        self.server(name, [self.database(f"{name}.db", schema)], "--remote=ptcp:0:127.0.0.1",
                    "--remote=pssl:0:127.0.0.1", *self.keys("server"), "-vPATTERN:file:%p|%m")
        log = (self.scratch.path / f"{name}.log").read_text()
        # The file's addresses in order of remotes: pssl before ptcp.
        tls, plain = (line.rpartition(" ")[2] for line in log.splitlines() if "listening on port" in line)
        return {"unix": f"unix:{self.scratch.path}/{name}.sock", "tcp": f"tcp:127.0.0.1:{plain}",
                "ssl": f"ssl:127.0.0.1:{tls}"}

    def daemon(self, program, *words):
        """Starts PROGRAM in the background; it ends with the test."""
        self.scratch.run(program, "--detach", "--no-chdir", f"--pidfile={self.scratch.path}/{program}.pid",
                         f"--log-file={self.scratch.path}/{program}.log", "-vconsole:off", *self.keys("client"), *words)

    def stop(self, program):
        pid = int((self.scratch.path / f"{program}.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not (self.scratch.path / f"{program}.pid").exists(), f"{program} to end")

    def test_ovs_vsctl_and_vswitchd(self):
        addresses = self.serve("conf", environment.VSWITCH_SCHEMA)
        for transport, address in addresses.items():
            with self.subTest(transport):
                def vsctl(*words):
                    return self.scratch.run("ovs-vsctl", *self.keys("client"), f"--db={address}", "--timeout=20",
                                            *words)
                vsctl("--no-wait", "init")
                self.daemon("ovs-vswitchd", "--enable-dummy=override", "--disable-system", "--disable-system-route",
                            f"--unixctl={self.scratch.path}/vswitchd.ctl", address)
                # Without --no-wait: vswitchd has to have seen and done it.
                vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath-type=dummy",
                      "other-config:x=y", "fail-mode=secure")
                vsctl("add-port", "br0", "p1", "--", "set", "Interface", "p1", "type=dummy", "ofport_request=7")
                self.assertEqual(vsctl("list-ports", "br0"), "p1\n")
                wait_until(lambda: vsctl("get", "Interface", "p1", "ofport").strip() == "7", "the port to be there")
                self.assertEqual(vsctl("--columns=name", "--format=csv", "find", "Bridge", "fail_mode=secure"),
                                 "name\nbr0\n")
                vsctl("add", "Bridge", "br0", "external_ids", "a=b", "c=d")
                vsctl("remove", "Bridge", "br0", "external_ids", "a")
                self.assertEqual(vsctl("get", "Bridge", "br0", "external_ids"), "{c=d}\n")
                vsctl("del-br", "br0")
                self.assertEqual(vsctl("list-br"), "")
                self.stop("ovs-vswitchd")

    def test_ovs_ctl_starts_upgrades_and_stops(self):
        """The script of Open vSwitch's service, with our server and our tool first on PATH."""
        programs = self.scratch.path / "programs"
        programs.mkdir()
        for name, program in (("ovsdb-server", environment.SERVER), ("ovsdb-tool", environment.TOOL)):
            (programs / name).symlink_to(pathlib.Path(program).resolve())
        env = self.scratch.env | {"PATH": f"{programs}:{self.scratch.env['PATH']}"}
        file = self.scratch.path / "conf.db"

        def ovs_ctl(*words):
            return self.scratch.run("/usr/share/openvswitch/scripts/ovs-ctl", "--no-ovs-vswitchd",
                                    "--system-id=here", f"--db-file={file}", *words, env=env)
        # A file of an older release: its schema has to be converted.
        schema = json.loads(environment.VSWITCH_SCHEMA.read_text())
        self.database("conf.db", schema | {"version": "7.0.0", "cksum": "1 1"})
        ovs_ctl("start")
        self.assertEqual(self.scratch.run("ovsdb-tool", "db-version", file).strip(), schema["version"])
        pid = int((self.scratch.path / "ovsdb-server.pid").read_text())
        self.assertEqual(os.path.realpath(f"/proc/{pid}/exe"), str(pathlib.Path(environment.SERVER).resolve()))
        def system_id():
            return self.scratch.run("ovs-vsctl", f"--db=unix:{self.scratch.path}/db.sock", "--no-wait",
                                    "get", "Open_vSwitch", ".", "external_ids:system-id").strip()
        self.assertEqual(system_id(), "here")
        ovs_ctl("restart")
        self.assertEqual(system_id(), "here")
        ovs_ctl("stop")
        self.assertFalse((self.scratch.path / "ovsdb-server.pid").exists())

    def test_ctl_programs_of_ovn_as_daemons(self):
        servers = {db: self.serve(db, environment.OVN_SCHEMAS / f"ovn-{db}.ovsschema") for db in ("nb", "sb")}
        for transport in TRANSPORTS:
            with self.subTest(transport):
                nb, sb = servers["nb"][transport], servers["sb"][transport]
                self.daemon("ovn-northd", f"--ovnnb-db={nb}", f"--ovnsb-db={sb}")
                self.daemon("ovn-nbctl", f"--db={nb}")
                self.daemon("ovn-sbctl", f"--db={sb}")
                def ctl(program, *words):
                    name = "OVN_NB_DAEMON" if program == "ovn-nbctl" else "OVN_SB_DAEMON"
                    pid = (self.scratch.path / f"{program}.pid").read_text().strip()
                    return self.scratch.run(program, *words,
                                            env=self.scratch.env | {name: f"{self.scratch.path}/{program}.{pid}.ctl"})
                ctl("ovn-nbctl", "ls-add", "ls0", "--", "lsp-add", "ls0", "vm0", "--",
                    "lsp-set-addresses", "vm0", "02:00:00:00:00:01 10.0.0.1")
                ctl("ovn-nbctl", "--wait=sb", "sync")
                self.assertIn("vm0", ctl("ovn-sbctl", "--bare", "--columns=logical_port", "list", "Port_Binding"))
                self.assertIn("ls_in_l2_lkup", ctl("ovn-sbctl", "lflow-list", "ls0"))
                ctl("ovn-nbctl", "acl-add", "ls0", "to-lport", "1", "ip", "drop")
                self.assertEqual(ctl("ovn-nbctl", "acl-list", "ls0").split(), "to-lport 1 (ip) drop".split())
                ctl("ovn-nbctl", "--wait=sb", "ls-del", "ls0")
                wait_until(lambda: not ctl("ovn-sbctl", "--bare", "list", "Port_Binding").strip(), "the port to go")
                for program in ("ovn-nbctl", "ovn-sbctl", "ovn-northd"):
                    self.stop(program)

    def test_ovn_ic_connects_two_zones(self):
        """Two availability zones, each with its own databases, learn of each other's transit switch."""
        central = {db: self.serve(f"ic-{db}", environment.OVN_SCHEMAS / f"ovn-ic-{db}.ovsschema")
                   for db in ("nb", "sb")}
        local = {db: self.serve(db, environment.OVN_SCHEMAS / f"ovn-{db}.ovsschema") for db in ("nb", "sb")}
        for transport in TRANSPORTS:
            with self.subTest(transport):
                def run(program, db, *words):
                    return self.scratch.run(program, *self.keys("client"), f"--db={db[transport]}", "--timeout=20",
                                            *words)
                run("ovn-nbctl", local["nb"], "--may-exist", "ls-add", "own", "--", "set", "NB_Global", ".",
                    f"name=zone-{transport}")
                self.daemon("ovn-northd", f"--ovnnb-db={local['nb'][transport]}",
                            f"--ovnsb-db={local['sb'][transport]}")
                self.daemon("ovn-ic", *(f"--{name}-db={address[transport]}" for name, address in (
                    ("ovnnb", local["nb"]), ("ovnsb", local["sb"]), ("ic-nb", central["nb"]),
                    ("ic-sb", central["sb"]))))
                run("ovn-ic-nbctl", central["nb"], "ts-add", f"ts-{transport}")
                wait_until(lambda: f"zone-{transport}" in run("ovn-ic-sbctl", central["sb"], "show"), "the zone")
                wait_until(lambda: f"ts-{transport}" in run("ovn-nbctl", local["nb"], "ls-list"), "the switch")
                run("ovn-ic-nbctl", central["nb"], "ts-del", f"ts-{transport}")
                wait_until(lambda: f"ts-{transport}" not in run("ovn-nbctl", local["nb"], "ls-list"),
                           "the switch to go")
                for program in ("ovn-ic", "ovn-northd"):
                    self.stop(program)

    def test_vtep_ctl(self):
        for transport, address in self.serve("vtep", "/usr/share/openvswitch/vtep.ovsschema").items():
            with self.subTest(transport):
                def vtep(*words):
                    return self.scratch.run("vtep-ctl", *self.keys("client"), f"--db={address}", "--timeout=20", *words)
                vtep("add-ps", "ps0", "--", "add-port", "ps0", "eth0", "--", "add-ls", "ls0", "--",
                     "bind-ls", "ps0", "eth0", "10", "ls0")
                vtep("add-ucast-remote", "ls0", "02:00:00:00:00:01", "10.0.0.1")
                self.assertEqual(vtep("list-bindings", "ps0", "eth0").split(), ["0010", "ls0"])
                self.assertIn("02:00:00:00:00:01 -> vxlan_over_ipv4/10.0.0.1", vtep("list-remote-macs", "ls0"))
                for words in (["clear-remote-macs", "ls0"], ["del-ps", "ps0"], ["del-ls", "ls0"]):
                    vtep(*words)
                self.assertEqual(vtep("list-ps") + vtep("list-ls"), "")


if __name__ == "__main__":
    main()
