#!/usr/bin/python3
"""Backups with --forward-writes: whose writes are refused, where, and with which error."""

import json

from harness import environment, load
from harness.case import main
from harness.forwarding import DB, NOT_ALLOWED, ForwardingTest
from harness.pki import Pki
from harness.ports import free_port
from harness.relays import insert, wait_for
from harness.server import Server
from test_surface_rbac import SCHEMA as RULED, TlsConnection


class Refusals(ForwardingTest):
    def test_without_the_option_and_without_a_stream(self):
        active = self.start("active")
        plain = self.start("plain", f"--sync-from={active.socket}")
        self.wait_until_it_follows(plain)
        self.assertEqual(self.write(plain, "a"), NOT_ALLOWED)
        stock = self.start("stock", binary=environment.STOCK_SERVER)
        other = self.start("other", f"--sync-from={stock.socket}", "--forward-writes")
        self.wait_until_it_follows(other)
        self.assertEqual(self.write(other, "a"), NOT_ALLOWED)
        # Nor through a backup of a backup, which may be a circle.
        second = self.start("second", f"--sync-from={plain.socket}", "--forward-writes")
        self.wait_until_it_follows(second)
        self.assertEqual(self.write(second, "a"), NOT_ALLOWED)

    def test_one_id_twice(self):
        """A request with the id of one that waits is refused, wherever that waits."""
        _, backup = self.pair()
        with backup.connect() as client:
            waiting = client.request("transact", [DB, wait_for("x"), insert("a")])
            client.send({"id": waiting, "method": "transact", "params": [DB, insert("b")]})
            self.assertEqual(client.receive()["error"]["details"], "transact: duplicate request ID")
            client.transact(DB, insert("x"))
            self.assertIn("uuid", client.result("transact", DB, insert("c"))[0])

    def test_what_the_active_would_end_the_connection_for(self):
        _, backup = self.pair("--max-message-size=100000")
        with backup.connect() as bystander:
            waiting = bystander.request("transact", [DB, wait_for("later"), insert("after")])
            for name in ("[" * 996 + "]" * 996, json.dumps("x" * 99890)):
                with backup.connect() as client:
                    client.send_bytes(b'{"id":1,"method":"transact","params":["%s",{"op":"insert","table":"Switch",'
                                      b'"row":{"name":%s}}]}' % (DB.encode(), name.encode()))
                    self.assertEqual(client.reply(1)["error"]["error"], "resources exhausted")
            with backup.connect() as client:
                client.transact(DB, insert("later"))
            self.assertIn("uuid", bystander.reply(waiting)["result"][1])

    def test_only_who_follows_is_without_limits(self):
        active = self.start("active", "--max-waits=2")
        with active.connect() as client:
            requests = [client.request("tandem_transact", [DB, {"height": True}, [DB, wait_for("never")]]) for _ in range(3)]
            self.assertEqual(client.reply(requests[-1])["error"]["error"], "resources exhausted")

    def test_read_only_clients_stay_so(self):
        active = self.start("active")
        self.database("backup.db", load.SCHEMA)
        (self.scratch.path / "backup.json").write_text(json.dumps({
            "remotes": {"punix:backup.sock": {"read-only": True}},
            "databases": {"backup.db": {"service-model": "active-backup", "backup": True,
                                        "source": {active.socket: None}}}}))
        backup = self.configured_server("backup", "backup.json", "--forward-writes")
        self.wait_until_it_follows(backup)
        self.assertEqual(self.write(backup, "a"), NOT_ALLOWED)

    def test_the_clients_role_counts(self):
        pki = Pki(self.scratch.path)
        pki.authority("one")
        for name in ("backup", "alice"):
            pki.certify("one", name)
        active = self.start("active", schema=RULED)
        self.database("backup.db", RULED)
        port = free_port()
        (self.scratch.path / "backup.json").write_text(json.dumps({
            "remotes": {f"pssl:{port}:127.0.0.1": {"role": "R"}, "punix:backup.sock": None},
            "databases": {"backup.db": {"service-model": "active-backup", "backup": True,
                                        "source": {active.socket: None}}}}))
        backup = Server(self.scratch, "backup", [], [
            "--config-file=backup.json", "--forward-writes", f"--private-key={pki.key('one', 'backup')}",
            f"--certificate={pki.certificate('one', 'backup')}", f"--ca-cert={pki.ca('one')}"], own_remote=False)
        self.addCleanup(backup.stop)
        backup.start()
        self.wait_until_it_follows(backup)
        with active.connect() as client:
            client.transact(
                "D", {"op": "insert", "table": "RBAC_Permission", "uuid-name": "owned", "row": {
                    "table": "Owned", "authorization": "owner", "insert_delete": True, "update": "n"}},
                {"op": "insert", "table": "RBAC_Role", "row": {
                    "name": "R", "permissions": ["map", [["Owned", ["named-uuid", "owned"]]]]}})
        alice = TlsConnection(port, pki, "alice")
        own = alice.call("transact", "D", {"op": "insert", "table": "Owned", "row": {"owner": "alice"}})
        self.assertIn("uuid", own["result"][0])
        rows = alice.call("transact", "D", {"op": "select", "table": "Owned", "where": [], "columns": ["owner"]})
        self.assertEqual(rows["result"], [{"rows": [{"owner": "alice"}]}])
        other = alice.call("transact", "D", {"op": "insert", "table": "Owned", "row": {"owner": "bob"}})
        self.assertEqual(other["result"][-1], {
            "error": "permission error",
            "details": 'RBAC rules for client "alice" role "R" prohibit row insertion into table "Owned".'})

    def test_an_active_that_does_not_trust_it(self):
        active, backup = self.pair()
        active.appctl("tandem/sync-peers", "somebody")
        self.assertEqual(self.write(backup, "a"), NOT_ALLOWED)


if __name__ == "__main__":
    main()
