#!/usr/bin/python3
"""Programs of Open vSwitch and OVN, unmodified, as clients of relays."""

import re

import ovs.db.idl

from harness import environment, load
from harness.case import main
from harness.ovn import Ovn, start_chassis
from harness.relays import DB, RelayTest, insert, select
from harness.server import wait_until


class WithPythonsIdl(RelayTest):
    def commit(self, idl, name, while_waiting=lambda: None):
        """Inserts a switch; the status of the transaction at its end."""
        transaction = ovs.db.idl.Transaction(idl)
        transaction.insert(idl.tables["Switch"]).name = name

        def ended():
            status = transaction.commit()
            while_waiting()
            idl.run()
            return status if status != ovs.db.idl.Transaction.INCOMPLETE else None

        return wait_until(ended, "the transaction to end", poll_s=0.01)

    def test_it_writes_and_tries_again_when_the_source_was_lost(self):
        source = self.main_server()
        relay = self.relay("relay", source)
        helper = ovs.db.idl.SchemaHelper(schema_json=load.SCHEMA)
        helper.register_all()
        idl = ovs.db.idl.Idl(relay.socket, helper, leader_only=False)
        self.addCleanup(idl.close)
        wait_until(lambda: idl.run() or idl.has_ever_connected(), "the IDL to connect")
        self.assertEqual(self.commit(idl, "a"), ovs.db.idl.Transaction.SUCCESS)
        self.assertEqual([row.name for row in idl.tables["Switch"].rows.values()], ["a"])
        with source.connect() as there:
            there.transact(DB, insert("b"))
        wait_until(lambda: idl.run() or len(idl.tables["Switch"].rows) == 2, "the IDL to follow")
        # The source takes the transaction, and dies before it answers.
        source.suspend()

        def die():
            if re.search(r'send request, method="transact".*"name":"c"', relay.log()) and source.alive():
                source.kill()

        self.assertEqual(self.commit(idl, "c", die), ovs.db.idl.Transaction.TRY_AGAIN)
        source.start()
        wait_until(lambda: self.commit(idl, "c") == ovs.db.idl.Transaction.SUCCESS, "the transaction to succeed")
        with source.connect() as there:
            self.assertEqual(there.transact(DB, select("c"))[0]["rows"], [{"name": "c"}])


class WithOvn(RelayTest):
    def test_stock_programs_through_relays(self):
        """All but ovn-northd, which wants a leader, and a lock. A relay is no leader, as a stock one is none."""
        ovn = Ovn(self.scratch)
        ovn.ctl("start_northd")
        north = self.server("north", [f"relay:OVN_Northbound:{ovn.nb}"])
        south = self.server("south", [f"relay:OVN_Southbound:{ovn.sb}"])
        wait_until(lambda: self.shown(north, "OVN_Northbound")["connected"], "the Northbound relay")
        wait_until(lambda: self.shown(south, "OVN_Southbound")["connected"], "the Southbound relay")
        ovn.nb, ovn.sb = north.socket, south.socket
        for program in ("NBCTL", "SBCTL"):
            self.scratch.env[f"OVN_{program}_OPTIONS"] = "--no-leader-only"
        ovn.build_topology()
        switch = self.server("switch", [self.database("conf.db", environment.VSWITCH_SCHEMA)])
        vsctl = start_chassis(self.scratch, switch, "chassis1", ovn.sb)
        wait_until(lambda: "chassis1" in ovn.sbctl("--bare", "--columns=name", "list", "Chassis"), "the chassis to register")
        vsctl("add-port", "br-int", "vif0", "--", "set", "Interface", "vif0", "external_ids:iface-id=vm0-0")
        ovn.nbctl("wait-until", "Logical_Switch_Port", "vm0-0", "up=true")
        ovn.ctl("stop_ovsdb")
        ovn.ctl("start_ovsdb")
        ovn.nbctl("--wait=hv", "ls-add", "after")
        vsctl("del-port", "br-int", "vif0")
        ovn.nbctl("wait-until", "Logical_Switch_Port", "vm0-0", "up=false")
        self.no_warnings(north, south)


if __name__ == "__main__":
    main()
