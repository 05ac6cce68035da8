#!/usr/bin/python3
"""ovn-controller and ovs-vswitchd, with the dummy datapath, bring a port up through our databases."""

import ipaddress

from harness import environment
from harness.case import SystemTest, main
from harness.ovn import Ovn, start_chassis
from harness.server import wait_until


class Chassis(SystemTest):
    def test_a_chassis_registers_and_its_port_comes_up(self):
        ovn = Ovn(self.scratch)
        ovn.ctl("start_northd")
        ovn.build_topology()
        switch = self.server("db", [self.database("conf.db", environment.VSWITCH_SCHEMA)])
        vsctl = start_chassis(self.scratch, switch, "chassis1", ovn.sb)
        wait_until(lambda: "chassis1" in ovn.sbctl("--bare", "--columns=name", "list", "Chassis"),
                   "the chassis to register")
        vsctl("add-port", "br-int", "vif0", "--", "set", "Interface", "vif0",
              "external_ids:iface-id=vm0-0")
        ovn.nbctl("wait-until", "Logical_Switch_Port", "vm0-0", "up=true")
        chassis = ovn.sbctl("--bare", "--columns=_uuid", "find", "Chassis", "name=chassis1").strip()
        bound = ovn.sbctl("--bare", "--columns=chassis", "find", "Port_Binding", "logical_port=vm0-0")
        self.assertEqual(bound.strip(), chassis)
        encap = ovn.sbctl("--bare", "--columns=ip", "list", "Encap").strip()
        self.assertTrue(ipaddress.ip_address(encap).is_loopback)

        vsctl("del-port", "br-int", "vif0")
        ovn.nbctl("wait-until", "Logical_Switch_Port", "vm0-0", "up=false")


if __name__ == "__main__":
    main()
