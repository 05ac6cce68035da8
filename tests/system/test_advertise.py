#!/usr/bin/python3
"""--advertise-role: stock clients that know the servers of a pair find the active one, and move with the role."""

import json
import random
import subprocess
import threading
import time

import ovs.db.idl

from harness import environment, load
from harness.case import SystemTest, main
from harness.ovn import start_chassis
from harness.server import wait_until

NB_SCHEMA = environment.OVN_SCHEMAS / "ovn-nb.ovsschema"
NB = "OVN_Northbound"
COLUMNS = ["name", "model", "connected", "leader", "cid", "sid", "index"]


class Advertise(SystemTest):
    def pair(self, schema, role, *options):
        first = self.server("a", [self.database("a.db", schema)], f"--advertise-role={role}", *options)
        second = self.server("b", [self.database("b.db", schema)], f"--advertise-role={role}",
                             f"--sync-from={first.socket}", *options)
        second.appctl("tandem/wait-synced", "--timeout", "10")
        return first, second

    def shown(self, server, db=NB):
        """The row of `_Server` for DB."""
        with server.connect() as connection:
            rows = connection.transact("_Server", {"op": "select", "table": "Database", "where": [["name", "==", db]],
                                                   "columns": COLUMNS})[0]["rows"]
        self.assertEqual(len(rows), 1)
        return rows[0]

    def move(self, active, backup):
        backup.appctl("tandem/wait-synced", "--timeout", "10")
        active.appctl("tandem/demote", backup.socket)
        backup.appctl("tandem/promote")

    def nbctl(self, servers, *command):
        return self.scratch.run("ovn-nbctl", "--db=" + ",".join(server.socket for server in servers), "--timeout=30",
                                *command)

    def test_what_is_shown(self):
        active, backup = self.pair(NB_SCHEMA, "leader")
        with active.connect() as client:
            client.transact(NB, {"op": "insert", "table": "Logical_Switch", "row": {"name": "s"}})
        backup.appctl("tandem/wait-synced", "--timeout", "10")
        ours, theirs = self.shown(active), self.shown(backup)
        self.assertEqual((ours["model"], ours["leader"], ours["connected"]), ("clustered", True, True))
        self.assertEqual((theirs["model"], theirs["leader"], theirs["connected"]), ("clustered", False, True))
        self.assertEqual(ours["cid"][0], "uuid")
        self.assertEqual(ours["cid"], theirs["cid"])
        self.assertNotEqual(ours["sid"], theirs["sid"])
        self.assertEqual(ours["index"], theirs["index"])
        self.assertEqual(self.shown(active, "_Server")["model"], "standalone")
        active.appctl("tandem/advertise-role", "none")
        self.assertEqual(self.shown(active)["model"], "standalone")
        backup.appctl("tandem/advertise-role", "connected")
        self.assertEqual((self.shown(backup)["leader"], self.shown(backup)["connected"]), (False, False))
        self.assertEqual(backup.appctl("tandem/advertise-role"), "connected\n")
        with self.assertRaisesRegex(AssertionError, "is neither"):
            backup.control("tandem/advertise-role", "x")

    def test_no_index_falls_within_one_history(self):
        """Through moves, a resync, compaction and restarts of both."""
        servers = list(self.pair(NB_SCHEMA, "leader"))
        cid, newest = None, [0, 0]
        names = iter(range(1000))

        def write(server, count=3):
            with server.connect() as client:
                for _ in range(count):
                    client.transact(NB, {"op": "insert", "table": "Logical_Switch", "row": {"name": f"s{next(names)}"}})

        def look():
            for number, server in enumerate(servers):
                row = self.shown(server)
                self.assertEqual(row["cid"], cid)
                self.assertGreaterEqual(row["index"], newest[number])
                newest[number] = row["index"]

        write(servers[0])
        servers[1].appctl("tandem/wait-synced", "--timeout", "10")
        cid = self.shown(servers[0])["cid"]
        look()
        for turn in range(4):
            active, backup = (servers[turn % 2], servers[1 - turn % 2])
            write(active)
            active.appctl("ovsdb-server/compact")
            backup.appctl("tandem/wait-synced", "--timeout", "10")
            look()
            if turn % 2:  # the backup falls behind, and the active's history begins anew
                backup.kill()
                write(active, 5)
                active.appctl("ovsdb-server/compact")
                active.stop()
                active.start()
                active.appctl("tandem/promote", "--force")
                write(active)
                backup.start()
                backup.appctl("tandem/demote", active.socket)
                backup.appctl("tandem/wait-synced", "--timeout", "10")
                look()
            self.move(active, backup)
            active.appctl("tandem/wait-synced", "--timeout", "10")
            look()
            self.assertGreater(min(newest), 1 << 40)  # a promotion outranks all records

    def test_changes_are_pushed_at_once(self):
        active, backup = self.pair(load.SCHEMA, "leader")
        with active.connect() as client:
            client.result("set_db_change_aware", True)
            client.result("monitor", "_Server", "m", {"Database": {"columns": ["name", "leader"]}})

            def told(leader):
                while True:
                    method = client.receive(timeout=environment.timeout_s(5))
                    for update in method["params"][1]["Database"].values():
                        if update["new"]["name"] == load.DB:
                            self.assertEqual(update["new"]["leader"], leader)
                            return

            active.appctl("tandem/lease", "0.3")
            begun = time.monotonic()
            told(False)
            self.assertLess(time.monotonic() - begun, environment.timeout_s(1))
            active.appctl("tandem/lease", "60")
            told(True)
            self.move(active, backup)
            told(False)
            self.move(backup, active)
            told(True)

    def test_ovn_nbctl_finds_the_active_through_moves(self):
        servers = list(self.pair(NB_SCHEMA, "leader"))
        rng = random.Random(environment.SEED)
        for turn in range(3):
            for number in range(34):
                rng.shuffle(servers)
                self.nbctl(servers, "ls-add", f"s{turn}-{number}")
            active, backup = sorted(servers, key=lambda server: not self.shown(server)["leader"])
            self.move(active, backup)
        self.assertEqual(len(self.nbctl(servers, "ls-list").splitlines()), 102)

    def test_who_looks_while_nobody_is_active_writes_as_soon_as_somebody_is(self):
        """The active dies; its backup is promoted only seconds later, when clients would long ask every few seconds."""
        active, backup = self.pair(NB_SCHEMA, "connected")
        self.nbctl([active, backup], "ls-add", "before")
        backup.appctl("tandem/wait-synced", "--timeout", "10")
        active.kill()
        done = []

        def write(servers, name):
            self.nbctl(servers, "ls-add", name)
            done.append(time.monotonic())

        writers = [threading.Thread(target=write, args=(servers, f"s{number}"))
                   for number, servers in enumerate(([active, backup], [backup, active]) * 3)]
        for writer in writers:
            writer.start()
        time.sleep(2.5)
        self.assertEqual(done, [])
        backup.appctl("tandem/promote")
        promoted = time.monotonic()
        for writer in writers:
            writer.join()
        self.assertEqual(len(done), len(writers))
        self.assertLess(max(done) - promoted, environment.timeout_s(1))

    def test_nor_do_they_find_a_backup_whose_active_has_stepped_down(self):
        """Between the demotion and the promotion of an orderly move the backup is still connected to the old active."""
        active, backup = self.pair(NB_SCHEMA, "connected")
        active.appctl("tandem/demote", backup.socket)
        done = []

        def write(name):
            self.nbctl([backup, active], "ls-add", name)
            done.append(time.monotonic())

        writers = [threading.Thread(target=write, args=(f"s{number}",)) for number in range(4)]
        for writer in writers:
            writer.start()
        time.sleep(1.5)
        self.assertEqual(done, [])
        backup.appctl("tandem/promote")
        promoted = time.monotonic()
        for writer in writers:
            writer.join()
        self.assertLess(max(done) - promoted, environment.timeout_s(0.5))

    def test_an_idl_moves_with_the_role_and_resumes(self):
        active, backup = servers = self.pair(load.SCHEMA, "none")
        for role in ("leader", "connected"):
            with self.subTest(role=role):
                for server in servers:
                    server.appctl("tandem/advertise-role", role)
                helper = ovs.db.idl.SchemaHelper(schema_json=load.SCHEMA)
                helper.register_all()
                idl = ovs.db.idl.Idl(",".join(server.socket for server in servers), helper, leader_only=role == "leader")
                self.addCleanup(idl.close)

                def write(name):
                    """Inserts a switch through the IDL; how long that took."""
                    begun = time.monotonic()
                    while True:
                        transaction = ovs.db.idl.Transaction(idl)
                        transaction.insert(idl.tables["Switch"]).name = name
                        if transaction.commit_block() == ovs.db.idl.Transaction.SUCCESS:
                            return time.monotonic() - begun
                        idl.run()  # a transaction does not, where there is no connection
                        time.sleep(0.002)
                        self.assertLess(time.monotonic() - begun, environment.timeout_s(10))

                wait_until(lambda: idl.run() or idl.has_ever_connected(), "the IDL to connect")
                for turn in range(3):
                    write(f"{role}-{turn}-before")
                    self.move(active, backup)
                    self.assertLess(write(f"{role}-{turn}-after"), environment.timeout_s(1))
                    active, backup = backup, active
                for server in servers:
                    wait_until(lambda server=server: server.dump(load.DB) == active.dump(load.DB), "equal contents")

    def test_a_chassis_and_northd_move_with_the_role(self):
        """Neither has an address that moves. ovn-controller stays on whatever server is connected, whether it leads or not."""
        files = {name: [self.database(f"{name}-{db}.db", environment.OVN_SCHEMAS / f"ovn-{db}.ovsschema")
                        for db in ("nb", "sb")] for name in ("a", "b")}
        active = self.server("a", files["a"], "--advertise-role=connected")
        backup = self.server("b", files["b"], "--advertise-role=connected", f"--sync-from={active.socket}")
        both = f"{active.socket},{backup.socket}"
        switch = self.server("ovs", [self.database("conf.db", environment.VSWITCH_SCHEMA)])

        def wait(text):
            """Waits for a chain of writes, of ovn-controller and of northd."""
            self.nbctl([active, backup], "--wait=hv", "sync")
            self.nbctl([active, backup], "wait-until", "Logical_Switch_Port", text, "up=true")

        self.scratch.run("ovn-northd", "--detach", "--pidfile=northd.pid", "-vconsole:off", "--log-file=northd.log",
                         f"--ovnnb-db={both}", f"--ovnsb-db={both}")
        vsctl = start_chassis(self.scratch, switch, "c", both)
        self.nbctl([active, backup], "ls-add", "s")
        for turn in range(2):
            port = f"p{turn}"
            vsctl("add-port", "br-int", port, "--", "set", "Interface", port, f"external_ids:iface-id={port}")
            self.nbctl([active, backup], "lsp-add", "s", port)
            wait(port)
            self.move(active, backup)
            begun = time.monotonic()
            wait(port)
            # Who asked both while neither led asks again after 1, 2, 4 and 8 s.
            self.assertLess(time.monotonic() - begun, environment.timeout_s(25))
            active, backup = backup, active

    def test_the_configuration_file_says_it(self):
        config = self.scratch.path / "config.json"
        content = {"remotes": {f"punix:{self.scratch.path}/c.sock": {}},
                   "databases": {self.database("c.db", NB_SCHEMA): {}}, "advertise-role": "connected"}
        config.write_text(json.dumps(content))
        server = self.configured_server("c", config)
        self.assertEqual(self.shown(server)["model"], "clustered")
        config.write_text(json.dumps(content | {"advertise-role": "none"}))
        server.appctl("ovsdb-server/reload")
        self.assertEqual(self.shown(server)["model"], "standalone")
        config.write_text(json.dumps(content | {"advertise-role": "both"}))
        self.assertNotEqual(subprocess.run(["ovs-appctl", "-t", self.scratch.path / "c.ctl", "ovsdb-server/reload"],
                                           capture_output=True, check=False).returncode, 0)


if __name__ == "__main__":
    main()
