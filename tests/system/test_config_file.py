#!/usr/bin/python3
"""--config-file and ovsdb-server/reload: what is served, and the exact words for what cannot be (surface, section 12)."""

import http.client
import json
import subprocess

from harness import environment, load
from harness.case import SystemTest, main
from harness.ports import free_port
from harness.server import wait_until

FAILED = "ovsdb-server: server configuration failed"
NO_DATABASES = "WARN|config: failed to parse 'databases'"


class ConfigFile(SystemTest):
    def setUp(self):
        super().setUp()
        self.database("db", load.SCHEMA)

    def write(self, config):
        text = config if isinstance(config, str) else json.dumps(config)
        (self.scratch.path / "config.json").write_text(text)

    def warnings(self, config):
        """Runs a server that cannot start, or a command that ends at once; its warnings and last words."""
        self.write(config)
        command = [str(environment.SERVER), f"--config-file={self.scratch.path}/config.json", "--unixctl=x.ctl",
                   "-vPATTERN:console:%p|%m", "--run=true"]
        done = subprocess.run(command, env=self.scratch.env, cwd=self.scratch.path, capture_output=True,
                              text=True, timeout=environment.timeout_s(30), check=False)
        return [line for line in done.stderr.splitlines() if not line.startswith(("INFO|", "DBG|"))
                and "failed to load configuration from" not in line]

    def serve(self, config, *options):
        self.write({"remotes": {"punix:server.sock": None}} | config)
        return self.configured_server("server", f"{self.scratch.path}/config.json", *options)

    def reload(self, server, config):
        self.write({"remotes": {"punix:server.sock": None}} | config)
        server.control("ovsdb-server/reload")

    def reload_fails(self, server, config):
        with self.assertRaises(AssertionError):
            self.reload(server, config)

    def test_models_that_are_not_served(self):
        """Section 12: a file that is standalone and not clustered, also one that is open."""
        server = self.serve({"databases": {"db": None}})
        self.reload_fails(server, {"databases": {"db": {"service-model": "clustered"}}})
        self.assertIn("failed to open database 'db': ovsdb error: db: database is standalone and not clustered",
                      server.log())
        self.assertIn("failed to configure databases", server.log())

    def test_an_empty_file(self):
        self.assertIn("empty input stream", self.warnings("")[0])

    def test_an_unknown_model(self):
        """Section 12, row "unknown model"."""
        self.assertEqual(self.warnings({"databases": {"db": {"service-model": "X"}}}), [
            "WARN|Unrecognized database service model: 'X'",
            'WARN|syntax "{"service-model":"X"}": syntax error: Parsing database db failed: '
            "'X' is not a valid service model", NO_DATABASES, FAILED])

    def test_an_unknown_member(self):
        """Section 12, row "unknown member"."""
        self.assertEqual(self.warnings({"databases": {"db": {"unknnown": "unknown"}}}), [
            'WARN|syntax "{"unknnown":"unknown"}": syntax error: Parsing database db failed: '
            "Member 'unknnown' is present but not allowed here.", NO_DATABASES, FAILED])

    def test_a_relay_and_a_backup_need_a_source(self):
        """Section 12, rows "relay without source", "backup without source"."""
        self.assertEqual(self.warnings({"databases": {"RelaySchema": {"service-model": "relay"}}}), [
            'WARN|syntax "{"service-model":"relay"}": syntax error: Parsing database RelaySchema failed: '
            "Required 'source' member is missing.", NO_DATABASES, FAILED])
        self.assertEqual(self.warnings({"databases": {"db": {"service-model": "active-backup", "backup": True}}}), [
            'WARN|syntax "{"backup":true,"service-model":"active-backup"}": syntax error: '
            "Parsing database db failed: Required 'source' member is missing.", NO_DATABASES, FAILED])

    def test_options_that_a_source_does_not_have_are_ignored(self):
        """Section 12, row "source with role"."""
        options = {"max-backoff": 8000, "inactivity-probe": 10000, "dscp": 42, "role": "My-RBAC-role"}
        self.assertEqual(self.warnings({"databases": {"db": {
            "service-model": "active-backup", "backup": True, "source": {"punix:db2.sock": options}}}}), [
                'WARN|syntax "{"dscp":42,"inactivity-probe":10000,"max-backoff":8000,"role":"My-RBAC-role"}": '
                "syntax error: Parsing JSON-RPC options failed: Member 'role' is present but not allowed here."])

    def test_two_files_of_one_schema(self):
        """Section 12, row "two files of one schema"."""
        self.database("db2", load.SCHEMA)
        self.assertEqual(self.warnings({"databases": {"db": None, "db2": None}}), [
            "WARN|failed to open database 'db2': ovsdb error: Load: duplicate database name",
            "WARN|failed to configure databases", FAILED])

    def test_a_model_that_does_not_fit_the_file(self):
        """Section 12, row "model does not fit the file"."""
        self.assertEqual(self.warnings({"databases": {"db": {"service-model": "clustered"}}}), [
            "WARN|failed to open database 'db': ovsdb error: db: database is standalone and not clustered",
            "WARN|failed to configure databases", FAILED])

    def test_malformed_json(self):
        """Section 12, row "malformed JSON"."""
        self.assertEqual(self.warnings('{\n\n"remotes":{"punix:db.sock":null,}}'), [
            "WARN|config: reading JSON failed (line 2, column 32, byte 35: "
            "syntax error parsing object expecting string)", FAILED])

    def test_options_of_all_kinds_are_accepted(self):
        """Section 12, row "several remotes with all options"."""
        every = {"max-backoff": 8000, "inactivity-probe": 10000, "dscp": 42, "read-only": True, "role": "r"}
        self.assertEqual(self.warnings({
            "remotes": {"punix:a.sock": None, "ptcp:0:127.0.0.1": every, "pssl:0:127.0.0.1": {"role": "r"}},
            "databases": {"db": {"service-model": "standalone"}}}), [])

    def test_a_reload_adds_and_removes_databases_and_remotes(self):
        """Section 12, the paragraph on reload; section 5, reload."""
        server = self.serve({"databases": {"db": None}})
        self.database("db2", load.SCHEMA | {"name": "Second"})
        self.reload(server, {"databases": {"db": None, "db2": None},
                             "remotes": {"punix:server.sock": None, "punix:more.sock": {"read-only": True}}})
        self.assertEqual(server.appctl("ovsdb-server/list-dbs"), "Load\nSecond\n_Server\n")
        self.assertIn("punix:more.sock", server.appctl("ovsdb-server/list-remotes"))
        self.reload_fails(server, {"databases": {"db": None, "db3": None}})
        self.assertEqual(server.appctl("ovsdb-server/list-dbs"), "Load\n_Server\n")
        self.assertIn("failed to open database 'db3'", server.log())
        self.assertIn("failed to configure databases", server.log())
        self.reload_fails(server, {"databases": {"db": None},
                                   "remotes": {"punix:server.sock": None, "db:x,y,z": None}})
        self.assertIn('"db:x,y,z": no database named x', server.log())
        self.write("{")
        with self.assertRaises(AssertionError):
            server.control("ovsdb-server/reload")
        self.assertEqual(server.appctl("ovsdb-server/list-remotes"), "punix:server.sock\n")

    def test_a_source_that_is_not_there_is_no_trouble(self):
        """Section 12, row "a source that is passive or not there": no warning up to the end; last of duplicates."""
        server = self.serve({"databases": {"db": {"service-model": "active-backup", "backup": True,
                                                  "source": {"punix:nobody.sock": None}}}})
        self.assertIn("state: backup", server.appctl("ovsdb-server/sync-status"))
        for source in ('"tcp:127.0.0.1:9":{"max-backoff":1000}', '"unix:nobody.sock":null'):
            self.write('{"remotes":{"punix:server.sock":{"role":"x"},"punix:server.sock":null},"databases":{"db":null,'
                       '"db":{"service-model":"active-backup","backup":true,"source":{%s}}}}' % source)
            server.control("ovsdb-server/reload")
            self.assertIn("state: backup", server.appctl("ovsdb-server/sync-status"))
        server.stop()
        self.assertNotRegex(server.log(), r"\|(WARN|ERR|EMER)\|")

    def test_a_reload_switches_the_role_at_once(self):
        """Section 12, changing "backup"."""
        active = self.server("active", [self.database("active.db", load.SCHEMA)])
        source = {"source": {active.socket: {"inactivity-probe": 5000}}}
        backup = {"databases": {"db": {"service-model": "active-backup", "backup": True} | source}}
        server = self.serve(backup)
        wait_until(lambda: "replicating" in server.appctl("ovsdb-server/sync-status"), "replication")
        backup["databases"]["db"]["backup"] = False
        self.reload(server, backup)
        self.assertIn("state: active", server.appctl("ovsdb-server/sync-status"))
        with server.connect() as connection:
            connection.transact(load.DB, {"op": "insert", "table": "Switch", "row": {"name": "a"}})
        backup["databases"]["db"]["backup"] = True
        self.reload(server, backup)
        self.assertIn("state: backup", server.appctl("ovsdb-server/sync-status"))

    def test_databases_follow_different_servers(self):
        """Section 12, a source for each database."""
        self.database("db2", load.SCHEMA | {"name": "Second"})
        databases = {}
        for file, name in (("db", "Load"), ("db2", "Second")):
            served = self.database(f"active-{name}.db", load.SCHEMA | {"name": name})
            active = self.server(f"active-{name}", [served])
            with active.connect() as connection:
                connection.transact(name, {"op": "insert", "table": "Switch", "row": {"name": name}})
            databases[file] = {"service-model": "active-backup", "backup": True, "source": {active.socket: None}}
        server = self.serve({"databases": databases})
        for name in ("Load", "Second"):
            wait_until(lambda: name in str(server.dump(name)), "replication")

    def test_a_reload_leaves_alone_what_it_does_not_change(self):
        """A client's transaction that waits at the active of one database goes on while the other database changes."""
        databases = {}
        actives = {}
        self.database("db2", load.SCHEMA | {"name": "Second"})
        for file, name in (("db", "Load"), ("db2", "Second")):
            actives[name] = self.server(f"active-{name}", [self.database(f"active-{name}.db", load.SCHEMA | {"name": name})])
            databases[file] = {"service-model": "active-backup", "backup": True, "source": {actives[name].socket: None}}
        server = self.serve({"databases": databases}, "--forward-writes")
        wait_until(lambda: server.appctl("ovsdb-server/sync-status").count("replicating") == 2, "replication")
        with server.connect() as client:
            client.request("set_db_change_aware", [True])
            waiting = client.request("transact", ["Second", {
                "op": "wait", "table": "Switch", "where": [["name", "==", "x"]], "columns": ["name"], "until": "==",
                "rows": [{"name": "x"}]}, {"op": "insert", "table": "Switch", "row": {"name": "a"}}])
            for change in ({"source": {actives["Load"].socket: {"inactivity-probe": 1000}}}, {"exclude-tables": ["Port"]},
                           {"source": {"nonsense": None}}, {"backup": False}, None):
                wanted = databases if change is None else databases | {"db": databases["db"] | change}
                if change == {"source": {"nonsense": None}}:
                    self.reload_fails(server, {"databases": wanted})
                    self.assertIn(f"replicating: {actives['Load'].socket}", server.appctl("ovsdb-server/sync-status"))
                else:
                    self.reload(server, {"databases": wanted})
            with actives["Second"].connect() as there:
                there.transact("Second", {"op": "insert", "table": "Switch", "row": {"name": "x"}})
            self.assertIn("uuid", client.reply(waiting)["result"][1])

    def test_roles_differ_by_database(self):
        """Whoever asks is told of each by itself; and a promotion makes all of them active, also those that are."""
        source = self.server("active", [self.database("active.db", load.SCHEMA)])
        self.database("db2", load.SCHEMA | {"name": "Second"})
        port = free_port()
        server = self.serve({"databases": {"db2": None, "db": {"service-model": "active-backup", "backup": True,
                                                               "source": {source.socket: None}}}}, f"--http=127.0.0.1:{port}")

        def active(query):
            peer = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            peer.request("GET", f"/active{query}")
            status = peer.getresponse().status
            peer.close()
            return status
        self.assertEqual((active("?db=Load"), active("?db=Second"), active("")), (503, 200, 503))
        roles = {database["name"]: (database["role"], database["writable"])
                 for database in json.loads(server.appctl("tandem/status", "--format=json"))["databases"]}
        self.assertEqual(roles, {"Load": ("backup", False), "Second": ("active", True)})
        server.appctl("tandem/promote", "--force")
        self.assertEqual((active("?db=Load"), active("?db=Second"), active("")), (200, 200, 200))
        self.assertEqual(server.appctl("tandem/promote"), "")

    def test_commands_do_not_change_what_the_file_says(self):
        server = self.serve({"databases": {"db": None}})
        for words in (("add-remote", "ptcp:0:127.0.0.1"), ("remove-remote", "punix:server.sock"), ("add-db", "x"), ("remove-db", "Load")):
            done = server.appctl(f"ovsdb-server/{words[0]}", *words[1:], check=False)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("config.json and run ovsdb-server/reload\n", done.stderr + done.stdout)
        self.assertIn("Load", server.appctl("ovsdb-server/list-dbs"))


if __name__ == "__main__":
    main()
