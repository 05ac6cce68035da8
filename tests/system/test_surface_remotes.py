#!/usr/bin/python3
"""Remotes of all kinds, and those that rows of a database name (surface, sections 11 and 9)."""

import json
import socket
import threading
import time

from harness.case import main
from harness.jsonrpc import Connection
from harness.ports import free_port
from harness.surface import DB, SurfaceTest
from harness.server import create_database, wait_until


def optional(kind):
    return {"type": {"key": kind, "min": 0, "max": 1}}


MANAGERS = {
    "name": "mydb",
    "version": "1.0.0",
    "tables": {
        "Root": {"isRoot": True, "columns": {
            "managers": {"type": {"key": "string", "min": 0, "max": "unlimited"}},
            "options": {"type": {"key": {"type": "uuid", "refTable": "Manager"}, "min": 0, "max": "unlimited"}}}},
        "Manager": {"indexes": [["target"]], "columns": {
            "target": {"type": "string"}, "max_backoff": optional("integer"), "inactivity_probe": optional("integer"),
            "read_only": optional("boolean"), "role": optional("string"), "is_connected": optional("boolean"),
            "status": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}}},
    },
}


class Remotes(SurfaceTest):
    def connect(self, address):
        peer = Connection(address)
        self.addCleanup(peer.close)
        return peer

    def serve(self, strings=(), rows=()):
        """A server with remotes in a database: STRINGS, and ROWS of the table Manager."""
        create_database(self.scratch, "mydb", MANAGERS)
        inserts = [{"op": "insert", "table": "Manager", "uuid-name": f"r{i}", "row": row}
                   for i, row in enumerate(rows)]
        root = {"managers": ["set", list(strings)],
                "options": ["set", [["named-uuid", f"r{i}"] for i in range(len(rows))]]}
        self.scratch.run("ovsdb-tool", "transact", "mydb", json.dumps(
            ["mydb", *inserts, {"op": "insert", "table": "Root", "row": root}]))
        self.start("--remote=db:mydb,Root,managers", "--remote=db:mydb,Root,options", databases=["mydb"])

    def managers(self, peer):
        """Each target with its is_connected and status."""
        rows = peer.transact("mydb", {"op": "select", "table": "Manager", "where": []})[0]["rows"]
        return {row["target"]: (row["is_connected"], dict(row["status"][1])) for row in rows}

    def test_the_server_connects_to_clients_that_listen(self):
        """Section 11: active remotes, tcp: and unix:, are retried and served."""
        port = free_port()
        self.start(f"--remote=tcp:127.0.0.1:{port}", f"--remote=unix:{self.path}/peer.sock")
        for family, address in ((socket.AF_INET, ("127.0.0.1", port)),
                                (socket.AF_UNIX, f"{self.path}/peer.sock")):
            with socket.socket(family, socket.SOCK_STREAM) as listener:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
                listener.listen(1)
                listener.settimeout(30)
                server, _ = listener.accept()
                server.sendall(b'{"id":1,"method":"list_dbs","params":[]}')
                server.settimeout(30)
                self.assertEqual(json.loads(server.recv(1000))["result"], ["_Server", DB])
                server.close()
        self.assertEqual(self.troubles(), [])

    def test_a_port_in_use_is_a_warning(self):
        """Section 11: Address already in use; the server runs on, and listens when the port is free."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            self.start(f"--remote=ptcp:{port}:127.0.0.1")
            self.assertEqual(len(self.troubles()), 1)
            self.assertIn("Address already in use", self.troubles()[0])
        self.assertEqual(self.connect(f"tcp:127.0.0.1:{port}").result("list_dbs"), ["_Server", DB])

    def test_sockets_come_and_go_with_their_remotes(self):
        """Section 11: punix: relative to OVS_RUNDIR, unlinked when the remote goes; IPv6 in brackets."""
        self.start("--remote=ptcp:0:[::1]")
        self.ctl("ovsdb-server/add-remote", "punix:more.sock")
        self.assertEqual(self.connect(f"unix:{self.path}/more.sock").result("list_dbs"), ["_Server", DB])
        self.ctl("ovsdb-server/remove-remote", "punix:more.sock")
        wait_until(lambda: not (self.path / "more.sock").exists(), "the socket to go")
        self.exit()
        self.assertEqual(self.troubles(), [])

    def test_strings_of_a_column_are_remotes(self):
        """Section 11: db:DB,TABLE,COLUMN of strings; an empty one is none; what cannot be is left out."""
        self.serve(strings=["punix:one.sock", ""])
        peer = self.connect(f"unix:{self.path}/one.sock")
        others = self.connect(self.socket)
        others.transact("mydb", {"op": "update", "table": "Root", "where": [], "row": {
            "managers": ["set", ["punix:one.sock", "punix:two.sock", "pfd:5", "foo:x"]]}})
        self.connect(f"unix:{self.path}/two.sock").result("list_dbs")
        peer.result("echo")
        others.transact("mydb", {"op": "update", "table": "Root", "where": [], "row": {
            "managers": ["set", ["punix:one.sock", "punix:two.sock", "punix:three.sock", "pfd:5", "foo:x"]]}})
        self.connect(f"unix:{self.path}/three.sock").result("list_dbs")
        self.assertEqual([line.partition("|WARN|")[2] for line in self.troubles()],  # told once
                         ["pfd: remotes can only be specified on the command line"])
        self.assertIn("|INFO|invalid remote: foo:x: Address family not supported by protocol", self.log())
        others.transact("mydb", {"op": "update", "table": "Root", "where": [], "row": {"managers": ["set", []]}})
        wait_until(lambda: not (self.path / "one.sock").exists(), "the socket to go")
        others.result("echo")
        self.assertEqual(self.ctl("ovsdb-server/list-remotes"),
                         "db:mydb,Root,managers\ndb:mydb,Root,options\npunix:db.sock\n")

    def test_rows_are_remotes_with_options(self):
        """Section 11: rows with target, read_only, ...; is_connected is false before the first client."""
        self.serve(rows=[{"target": "punix:x.sock", "read_only": True}, {"target": "ptcp:0:127.0.0.1"},
                         {"target": f"tcp:127.0.0.1:{free_port()}", "max_backoff": 1000, "inactivity_probe": 3000}])
        peer = self.connect(self.socket)
        managers = self.managers(peer)
        self.assertEqual({connected for connected, _ in managers.values()}, {False})
        ages = {"sec_since_connect": "0", "sec_since_disconnect": "0"}
        self.assertEqual(managers["punix:x.sock"][1], ages)
        self.assertEqual(managers["ptcp:0:127.0.0.1"][1], ages | {"bound_port": str(self.port())})
        reader = self.connect(f"unix:{self.path}/x.sock")
        for op in ("insert", "update", "mutate", "delete"):
            words = {"insert": {"row": {}}, "update": {"where": [], "row": {}},
                     "mutate": {"where": [], "mutations": []}, "delete": {"where": []}}[op]
            outcome = reader.result("transact", "mydb", {"op": op, "table": "Root"} | words)[0]
            self.assertEqual((outcome["error"], outcome["details"]), (
                "not allowed", f"{op} operation not allowed when database server is in read only mode"))
        for method in ("lock", "steal", "unlock"):
            self.assertEqual(reader.call(method, "l")["error"],
                             "lock and unlock methods not allowed, DB server is read only.")
        self.assertEqual(reader.result("get_schema", "mydb")["version"], "1.0.0")
        self.assertEqual(self.troubles(), [])

    def test_a_target_that_cannot_be_is_not_connected(self):
        """Section 11: what was told of the former target goes."""
        self.serve(rows=[{"target": "punix:x.sock"}])
        peer = self.connect(self.socket)
        self.connect(f"unix:{self.path}/x.sock").result("echo", 1)
        wait_until(lambda: self.managers(peer)["punix:x.sock"][0], "the client to be seen")
        for target in ("foo:bar", "ptcp:22x", ""):
            peer.transact("mydb", {"op": "update", "table": "Manager", "where": [], "row": {"target": target}})
            wait_until(lambda t=target: self.managers(peer)[t] == (False, {"state": "BACKOFF"}), "the status")

    def test_probes_leave_time_for_an_answer(self):
        """No client is asked more often than once a second, and none is dropped for a huge interval."""
        self.serve(rows=[{"target": "punix:x.sock", "inactivity_probe": 1},
                         {"target": "punix:y.sock", "inactivity_probe": 9223372036854775807}])
        for name in ("x", "y"):
            silent = self.connect(f"unix:{self.path}/{name}.sock")
            silent.result("echo", 1)
            time.sleep(1.5)
            self.assertEqual(silent.result("echo", 2), [2])
        self.assertEqual(self.troubles(), [])

    def test_the_status_follows(self):
        """Section 11: is_connected and status are written back, and again when a client overwrote them."""
        self.serve(rows=[{"target": "punix:x.sock"}])
        peer = self.connect(self.socket)
        clients = [self.connect(f"unix:{self.path}/x.sock") for _ in range(3)]
        wait_until(lambda: self.managers(peer)["punix:x.sock"][0] is True, "is_connected")
        self.assertEqual(self.managers(peer)["punix:x.sock"][1]["n_connections"], "3")
        for client in clients:
            client.close()
        peer.transact("mydb", {"op": "update", "table": "Manager", "where": [],
                               "row": {"is_connected": True, "status": ["map", [["a", "b"]]]}})
        wait_until(lambda: self.managers(peer)["punix:x.sock"][0] is False, "is_connected")
        self.assertNotIn("a", self.managers(peer)["punix:x.sock"][1])

    def test_silent_clients_are_probed(self):
        """Section 6, echo; section 11, inactivity_probe: asked after so long, dropped after as long again."""
        self.serve(rows=[{"target": "punix:x.sock", "inactivity_probe": 1000}])
        silent, lively = socket.socket(socket.AF_UNIX), self.connect(f"unix:{self.path}/x.sock")
        self.addCleanup(silent.close)
        silent.connect(f"{self.path}/x.sock")
        silent.settimeout(10)
        self.assertEqual(json.loads(silent.recv(1000)), {"id": "echo", "method": "echo", "params": []})
        lively.result("echo")
        self.assertEqual(silent.recv(1000), b"")
        with self.assertRaises(TimeoutError):
            lively.receive(timeout=0.5)  # it answers probes all the while
        lively.result("echo")
        self.assertIn("no response to inactivity probe after 1 seconds, disconnecting", self.troubles()[0])

    def test_a_status_that_does_not_change_is_not_written(self):
        """Section 11, status: it costs no transactions while nothing happens."""
        self.serve(rows=[{"target": "punix:x.sock"}, {"target": "ptcp:0:127.0.0.1"}])
        peer = self.connect(self.socket)
        peer.result("monitor", "mydb", "m", {"Manager": {}})
        with self.assertRaises(TimeoutError):
            peer.receive(timeout=3.5)

    def test_a_table_without_status_is_no_trouble(self):
        """Section 11: a missing status column."""
        schema = json.loads(json.dumps(MANAGERS))
        for column in ("status", "is_connected", "max_backoff"):
            del schema["tables"]["Manager"]["columns"][column]
        create_database(self.scratch, "mydb", schema)
        self.scratch.run("ovsdb-tool", "transact", "mydb", json.dumps([
            "mydb", {"op": "insert", "table": "Manager", "uuid-name": "r", "row": {"target": "punix:x.sock"}},
            {"op": "insert", "table": "Root", "row": {"options": ["named-uuid", "r"]}}]))
        self.start("--remote=db:mydb,Root,options", databases=["mydb"])
        self.connect(f"unix:{self.path}/x.sock").result("list_dbs")
        self.assertEqual([line for line in self.troubles() if "No status column" not in line], [])

    def test_clients_that_come_and_go_are_no_trouble(self):
        """Section 1: no warning for what clients do every day."""
        self.start("--remote=ptcp:0:127.0.0.1")
        port = self.port()
        def rush():
            for _ in range(50):
                with socket.create_connection(("127.0.0.1", port)) as sock:
                    sock.sendall(b'{"id":1,"method":"monitor","params":["%s",null,{"%s":{}}]}' % ((DB.encode(),) * 2))
        threads = [threading.Thread(target=rush) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.connect(self.socket).result("echo")
        ignored = ("reset by peer", "Broken pipe", "is not connected")
        self.assertEqual([line for line in self.troubles() if not any(text in line for text in ignored)], [])

    def test_what_is_no_json_rpc(self):
        """Section 6: it is worth a warning, and the connection."""
        self.start("--remote=ptcp:0:127.0.0.1")
        with socket.create_connection(("127.0.0.1", self.port())) as sock:
            sock.sendall(b"nonsense")
            self.assertEqual(sock.recv(10), b"")
        wait_until(lambda: any("Protocol error" in line for line in self.troubles()), "a warning")

    def test_the_server_tells_of_its_databases(self):
        """Section 9: the table Database of _Server, also when databases come and go; schema version 1.2.0."""
        self.start()
        peer = self.connect(self.socket)
        self.assertEqual(peer.result("get_schema", "_Server")["version"], "1.2.0")
        columns = ["name", "model", "connected", "leader", "cid", "sid", "index"]
        reply = peer.result("monitor", "_Server", "m", {"Database": {"columns": [*columns, "schema"]}})
        rows = {row["new"]["name"]: row["new"] for row in reply["Database"].values()}
        self.assertEqual(set(rows), {"_Server", DB})
        for row in rows.values():
            self.assertEqual([row[name] for name in columns[1:]],
                             ["standalone", True, True, ["set", []], ["set", []], ["set", []]])
            self.assertEqual(json.loads(row["schema"])["name"], row["name"])
        peer.result("set_db_change_aware", True)
        create_database(self.scratch, "two", MANAGERS)
        self.ctl("ovsdb-server/add-db", "two")
        change = peer.receive()["params"][1]["Database"]
        self.assertEqual([row["new"]["name"] for row in change.values()], ["mydb"])
        self.ctl("ovsdb-server/remove-db", "mydb")
        change = peer.receive()["params"][1]["Database"]
        self.assertEqual([row["old"]["name"] for row in change.values()], ["mydb"])


if __name__ == "__main__":
    main()
