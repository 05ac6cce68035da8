#!/usr/bin/python3
"""Role-based access control: what a role permits, and the words of a refusal (surface, section 15)."""

import ssl
import unittest

from harness import environment
from harness.case import SystemTest, main
from harness.jsonrpc import Connection
from harness.pki import Pki
from harness.ports import free_port

STRING_SET = {"type": {"key": "string", "min": 0, "max": "unlimited"}}
SCHEMA = {
    "name": "D", "version": "1.0.0",
    "tables": {
        "Global": {"isRoot": True, "columns": {
            "remotes": {"type": {"key": {"type": "uuid", "refTable": "Remote"}, "min": 0, "max": "unlimited"}}}},
        "Remote": {"columns": {
            "target": {"type": "string"}, "role": {"type": "string"},
            "is_connected": {"type": "boolean", "ephemeral": True}}},
        "RBAC_Role": {"isRoot": True, "columns": {
            "name": {"type": "string"},
            "permissions": {"type": {"key": "string", "min": 0, "max": "unlimited", "value": {
                "type": "uuid", "refTable": "RBAC_Permission", "refType": "weak"}}}}},
        "RBAC_Permission": {"isRoot": True, "columns": {
            "table": {"type": "string"}, "authorization": STRING_SET, "insert_delete": {"type": "boolean"},
            "update": STRING_SET}},
        "Owned": {"isRoot": True, "columns": {
            "owner": {"type": "string"}, "n": {"type": "integer"}, "fixed": {"type": "integer"},
            "ids": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}}},
        "Mapped": {"isRoot": True, "columns": {
            "n": {"type": "integer"},
            "ids": {"type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}}}},
        "Open": {"isRoot": True, "columns": {"n": {"type": "integer"}}},
        "Kept": {"isRoot": True, "columns": {"n": {"type": "integer"}}},
        "Other": {"isRoot": True, "columns": {"n": {"type": "integer"}}},
    },
}


class TlsConnection(Connection):
    """As Connection, over TLS with a certificate."""

    def __init__(self, port, pki, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(pki.ca("one"))
        context.load_cert_chain(pki.certificate("one", name), pki.key("one", name))
        super().__init__(f"tcp:127.0.0.1:{port}")
        self.sock = context.wrap_socket(self.sock)

    def _read(self, deadline):
        """One piece at a time: what TLS has read ahead, the socket does not show."""
        self.sock.settimeout(self.timeout)
        self._text += self._utf8.decode(self.sock.recv(1 << 16))


class Rbac(SystemTest):
    def setUp(self):
        super().setUp()
        pki = Pki(self.scratch.path)
        pki.authority("one")
        for name in ("server", "ann", "bob"):
            pki.certify("one", name)
        port = free_port()
        server = self.server("db", [self.database("db.db", SCHEMA)], "--remote=db:D,Global,remotes",
                             "-p", pki.key("one", "server"), "-c", pki.certificate("one", "server"), "-C", pki.ca("one"))
        self.admin = server.connect()
        self.addCleanup(self.admin.close)
        permissions = {
            "Owned": {"authorization": "owner", "insert_delete": True, "update": ["set", ["n", "owner"]]},
            "Mapped": {"authorization": "ids:host", "insert_delete": True, "update": "n"},
            # Its own "table" names another one, which is not looked at.
            "Open": {"table": "Elsewhere", "authorization": "", "insert_delete": True, "update": "n"},
            "Kept": {"authorization": "", "insert_delete": False, "update": "n"},
        }
        self.admin.transact(
            "D",
            *({"op": "insert", "table": "RBAC_Permission", "uuid-name": name, "row": {"table": name} | row}
              for name, row in permissions.items()),
            {"op": "insert", "table": "RBAC_Role", "row": {
                "name": "role", "permissions": ["map", [[name, ["named-uuid", name]] for name in permissions]]}},
            {"op": "insert", "table": "Global", "row": {"remotes": ["named-uuid", "remote"]}},
            {"op": "insert", "table": "Remote", "uuid-name": "remote", "row": {"target": f"pssl:{port}:127.0.0.1", "role": "role"}})
        self.ann, self.bob = (TlsConnection(port, pki, name) for name in ("ann", "bob"))
        self.addCleanup(self.ann.close)
        self.addCleanup(self.bob.close)

    def refused(self, client, operation, what, name):
        [result] = client.result("transact", "D", operation)
        self.assertEqual(result, {"error": "permission error", "details":
                                  f'RBAC rules for client "{name}" role "role" prohibit {what} '
                                  f'table "{operation["table"]}".'})

    @staticmethod
    def insert(table, **row):
        return {"op": "insert", "table": table, "row": row}

    @staticmethod
    def update(table, **row):
        return {"op": "update", "table": table, "where": [], "row": row}

    @staticmethod
    def mutate(table, *mutations):
        return {"op": "mutate", "table": table, "where": [], "mutations": [list(mutation) for mutation in mutations]}

    @staticmethod
    def delete(table):
        return {"op": "delete", "table": table, "where": []}

    def test_a_table_that_is_not_in_the_role(self):
        """Section 15: refused, in four wordings."""
        self.admin.transact("D", self.insert("Other"))
        self.refused(self.ann, self.insert("Other"), "row insertion into", "ann")
        self.refused(self.ann, self.update("Other", n=1), "modification of", "ann")
        self.refused(self.ann, self.mutate("Other", ("n", "+=", 1)), "mutate operation on", "ann")
        self.refused(self.ann, self.delete("Other"), "row deletion from", "ann")

    def test_authorization_by_a_column(self):
        """Section 15: the new row for insert, the existing row otherwise, holds the common name."""
        self.refused(self.bob, self.insert("Owned", owner="ann"), "row insertion into", "bob")
        self.ann.transact("D", self.insert("Owned", owner="ann"))
        self.refused(self.bob, self.update("Owned", n=1), "modification of", "bob")
        self.refused(self.bob, self.update("Owned", owner="bob"), "modification of", "bob")
        self.refused(self.bob, self.mutate("Owned", ("n", "+=", 1)), "mutate operation on", "bob")
        self.refused(self.bob, self.delete("Owned"), "row deletion from", "bob")
        self.ann.transact("D", self.update("Owned", n=1), self.mutate("Owned", ("n", "+=", 1)),
                          self.update("Owned", owner="bob"))
        self.refused(self.ann, self.delete("Owned"), "row deletion from", "ann")
        self.bob.transact("D", self.delete("Owned"))

    def test_authorization_by_a_key_of_a_map(self):
        """Section 15: COLUMN:KEY."""
        self.refused(self.ann, self.insert("Mapped", ids=["map", [["other", "ann"]]]), "row insertion into", "ann")
        self.ann.transact("D", self.insert("Mapped", ids=["map", [["host", "ann"]]]))
        self.refused(self.bob, self.update("Mapped", n=1), "modification of", "bob")
        self.ann.transact("D", self.update("Mapped", n=1), self.delete("Mapped"))

    def test_columns_that_may_be_changed(self):
        """Section 15: every column that is changed is listed in update."""
        self.ann.transact("D", self.insert("Owned", owner="ann", fixed=1))
        self.refused(self.ann, self.update("Owned", n=1, fixed=2), "modification of", "ann")
        self.refused(self.ann, self.mutate("Owned", ("n", "+=", 1), ("fixed", "+=", 1)), "mutate operation on", "ann")

    def test_an_empty_authorization_permits_anyone(self):
        """Section 15: the permissions are found through the map's key."""
        for client in (self.ann, self.bob):
            client.transact("D", self.insert("Open"), self.update("Open", n=1), self.mutate("Open", ("n", "+=", 1)),
                            self.delete("Open"))

    def test_insertion_and_deletion_may_be_forbidden(self):
        """Section 15: insert_delete."""
        self.admin.transact("D", self.insert("Kept"))
        self.refused(self.ann, self.insert("Kept"), "row insertion into", "ann")
        self.refused(self.ann, self.delete("Kept"), "row deletion from", "ann")
        self.ann.transact("D", self.update("Kept", n=1))

    @unittest.skipIf(environment.is_stock(environment.SERVER), "3.1 refuses it")
    def test_counting_is_permitted(self):
        """Section 15: mutate without mutations."""
        self.admin.transact("D", self.insert("Other"), self.insert("Owned", owner="ann"))
        self.assertEqual(self.bob.transact("D", self.mutate("Other"), self.mutate("Owned")),
                         [{"count": 1}, {"count": 1}])

    def test_reading_is_never_refused(self):
        """Section 15: select, wait, comment."""
        self.admin.transact("D", self.insert("Other", n=1))
        select = {"op": "select", "table": "Other", "where": [], "columns": ["n"]}
        wait = {"op": "wait", "table": "Other", "where": [], "columns": ["n"], "until": "==", "rows": [{"n": 1}],
                "timeout": 0}
        self.assertEqual(self.bob.transact("D", select, wait, {"op": "comment", "comment": "c"}),
                         [{"rows": [{"n": 1}]}, {}, {}])

    def test_only_the_root_role_may_convert(self):
        """A role is looked at after the database's name, and before the schema."""
        def error(*params):
            return self.ann.call("convert", *params)["error"]

        refused = {"error": "permission error", "details":
                   'RBAC rules for client "ann" role "role" prohibit "convert" of database D '
                   '(only the root role may convert databases)'}
        self.assertEqual(error("D", {"name": "D", "tables": {}}), refused)
        self.assertEqual(error("D"), refused)
        self.assertEqual(error("D", 5), refused)
        self.assertEqual(error(5)["error"], "syntax error")
        self.assertEqual(error("E", SCHEMA)["error"], "unknown database")
        self.assertIn("database _Server", error("_Server", SCHEMA)["details"])
        self.assertIn("Owned", self.ann.result("get_schema", "D")["tables"])

    def test_locks_are_for_every_role(self):
        """A role restricts rows, not locks."""
        self.assertEqual(self.ann.result("lock", "l"), {"locked": True})
        self.assertEqual(self.bob.result("steal", "l"), {"locked": True})
        self.assertEqual(self.ann.result("unlock", "l"), {})

    def test_a_connection_without_role_may_do_anything(self):
        """Section 15: rules apply to remotes that have a role."""
        self.admin.transact("D", self.insert("Other"), self.update("Other", n=5), self.delete("Other"))


if __name__ == "__main__":
    main()
