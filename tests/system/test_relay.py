#!/usr/bin/python3
"""One relay: what it serves, from which source, by command line, at run time and from the configuration file."""

import json
import re
import signal
import time

from harness import environment, load
from harness.case import main
from harness.jsonrpc import Closed, Connection
from harness.relays import DB, WRONG, ZEROS, RelayTest, insert, select, wait_for, without_uuids
from harness.server import Server, wait_until

STOCK = environment.STOCK_SERVER
NOT_YET = {"error": "database not available",
           "details": "{} request specifies database " + DB + " which is not yet available because it has not "
                      "completed joining its cluster"}


class OneRelay(RelayTest):
    def test_before_the_source_has_answered(self):
        relay = self.relay("relay", f"unix:{self.scratch.path}/nobody.sock", ready=False)
        self.assertEqual(self.shown(relay), {"name": DB, "model": "relay", "connected": False, "leader": False,
                                             "schema": ["set", []], "cid": ["set", []], "sid": ["set", []],
                                             "index": ["set", []]})
        with relay.connect() as client:
            self.assertEqual(client.result("list_dbs"), [DB, "_Server"])
            for method, *params in [("get_schema",), ("transact",), ("transact", select()), ("transact", insert("a")),
                                    ("monitor", "m", {"Switch": [{}]}), ("monitor_cond", "m", {"Switch": [{}]}),
                                    ("monitor_cond_since", "m", {"Switch": [{}]}, ZEROS),
                                    ("convert", load.SCHEMA)]:
                self.assertEqual(client.call(method, DB, *params)["error"],
                                 {key: text.format(method) for key, text in NOT_YET.items()}, method)
        self.no_warnings(relay)

    def test_reads_writes_and_errors(self):
        source = self.main_server()
        relay = self.relay("relay", source)
        self.assertEqual(self.shown(relay)["connected"], True)
        self.assertEqual(json.loads(self.shown(relay)["schema"]), json.loads(self.shown(source)["schema"]))
        with relay.connect() as here, source.connect() as there:
            for number in range(200):
                here.transact(DB, insert(f"s{number}", number=number))
                rows = here.transact(DB, select(f"s{number}", ["number", "_version"]))[0]["rows"]
                self.assertEqual([row["number"] for row in rows], [number])
                self.assertEqual(rows, there.transact(DB, select(f"s{number}", ["number", "_version"]))[0]["rows"])
            for operations in WRONG:
                replies = [without_uuids(client.call("transact", DB, *operations)) for client in (here, there)]
                self.assertEqual(*replies)
            self.assertEqual(len(here.transact(DB, select())[0]["rows"]), 200)
            here.transact(DB, insert("durable"), {"op": "commit", "durable": True})
            self.assertIsNotNone(here.call("lock", "l")["error"])
            self.assertEqual(here.call("transact", DB, {"op": "assert", "lock": "l"})["result"][0]["error"], "not owner")
        self.assertEqual(source.dump(DB), relay.dump(DB))
        self.no_warnings(source, relay)

    def test_requests_come_in_the_stock_relays_order(self):
        source = self.main_server(STOCK)
        relay = self.relay("relay", source)
        with relay.connect() as client:
            client.transact(DB, insert("a"))
        sent = [re.sub(r'"id".*', "", line.partition("send request, ")[2]) for line in relay.log().splitlines()
                if "send request, " in line and "echo" not in line and "main.sock" in line]
        columns = '["name","model","connected","leader","schema","cid","index"]'
        self.assertEqual([line.partition(", id=")[0] for line in sent], [
            'method="get_schema", params=["_Server"]',
            f'method="monitor_cond", params=["_Server",["monid","_Server"],{{"Database":[{{"columns":{columns}}}]}}]',
            f'method="monitor_cond_since", params=["{DB}",["monid","{DB}"],{{"Port":[{{}}],"Switch":[{{}}]}},"{ZEROS}"]',
            'method="set_db_change_aware", params=[true]',
            f'method="tandem_path", params=["{DB}"]',  # ours alone, behind all those
            f'method="transact", params=["{DB}",{{"op":"insert","row":{{"name":"a"}},"table":"Switch"}}]'])
        self.assertEqual(self.received(relay), [ZEROS])
        with relay.connect() as client:  # a stock source knows no ids, so neither does its relay
            for _ in range(2):
                found, last, _ = client.result("monitor_cond_since", DB, ["m", _], {"Switch": [{}]}, ZEROS)
                self.assertEqual((found, last), (False, ZEROS))

    def test_control_commands(self):
        source = self.main_server()
        relay = self.relay("relay", source)
        self.assertEqual(relay.appctl("ovsdb-server/list-dbs"), f"{DB}\n_Server\n")
        self.assertEqual(relay.appctl("ovsdb-server/sync-status"), "state: active\n")
        self.assertEqual(relay.appctl("ovsdb-server/get-db-storage-status", DB), "status: ok\n")
        self.assertEqual(relay.appctl("ovsdb-server/compact", DB), "")  # the stock server crashes
        self.assertEqual(relay.appctl("ovsdb-server/set-relay-source-probe-interval", "7000"), "")
        status = json.loads(relay.appctl("tandem/status", "--format", "json"))["databases"][0]
        self.assertEqual((status["role"], status["source"], status["follower"]["state"]),
                         ("relay", source.socket, "replicating"))
        self.assertIn("role: relay", relay.appctl("tandem/status"))
        self.assertRegex(relay.appctl("tandem/status", "--format", "short"), f"^{DB} relay replicating ")
        for name, error in [(f"relay:{DB}:unix:x", f"ovsdb error: {DB}: duplicate database name"),
                            ("relay:Q", "ovsdb error: relay:Q: invalid syntax"),
                            ("relay:_Q:unix:x", 'ovsdb error: _Q: names beginning with "_" are reserved'),
                            ("relay:Q:nonsense", "relay:Q:nonsense: ")]:
            outcome = relay.appctl("ovsdb-server/add-db", name, check=False)
            self.assertEqual(outcome.returncode, 2)
            self.assertIn(error, outcome.stderr)
        with relay.connect() as client:
            self.assertEqual(client.call("convert", DB, load.SCHEMA)["error"]["error"], "not allowed")
        relay.appctl("ovsdb-server/remove-db", DB)
        self.assertEqual(relay.appctl("ovsdb-server/list-dbs"), "_Server\n")
        relay.appctl("ovsdb-server/add-db", f"relay:{DB}:{source.socket}")
        self.wait_ready(relay)
        self.no_warnings(source, relay)

    def test_waits_and_cancel(self):
        source = self.main_server()
        relay = self.relay("relay", source)
        with relay.connect() as client, source.connect() as there:
            blocked = client.request("transact", [DB, wait_for("later"), insert("after")])
            pure = client.request("transact", [DB, wait_for("later")])
            gone = client.request("transact", [DB, wait_for("never"), insert("gone")])
            for number in range(600):  # more than a client may have under way
                client.request("transact", [DB, wait_for(f"never{number}"), insert("gone")])
            client.transact(DB, insert("meanwhile"))
            client.send({"id": None, "method": "cancel", "params": [gone]})
            self.assertEqual(client.reply(gone)["error"], "canceled")
            there.transact(DB, insert("later"))
            replies = {blocked: None, pure: None}
            while None in replies.values():
                message = client.receive()
                replies[message["id"]] = message["result"]
            self.assertEqual(replies[pure], [{}])
            self.assertEqual(list(replies[blocked][1]), ["uuid"])
            self.assertEqual({row["name"] for row in client.transact(DB, select())[0]["rows"]},
                             {"meanwhile", "later", "after"})
        # What waited for a client that has gone is given up at the source.
        with source.connect() as there:
            wait_until(lambda: source.log().count('received notification, method="cancel"') == 601, "cancellations")
            there.transact(DB, insert("never"), insert("never0"))
            self.assertEqual(there.transact(DB, select("gone"))[0]["rows"], [])

    def test_read_only_clients_stay_so(self):
        source = self.main_server()
        config = self.scratch.path / "relay.json"
        config.write_text(json.dumps({
            "remotes": {"punix:relay.sock": {"read-only": True}},
            "databases": {DB: {"service-model": "relay", "source": {source.socket: None}}}}))
        relay = self.configured_server("relay", config.name)
        self.wait_ready(relay)
        with relay.connect() as client:
            self.assertEqual(client.result("transact", DB, insert("a")), [
                {"error": "not allowed",
                 "details": "insert operation not allowed when database server is in read only mode"}])
            self.assertEqual(client.transact(DB, select()), [{"rows": []}])

    def test_monitors_resume_across_restarts(self):
        source = self.main_server()
        relay = self.relay("relay", source)
        watch = {"Switch": [{"columns": ["name"]}]}
        with relay.connect() as client:
            found, last, _ = client.result("monitor_cond_since", DB, "m", watch, ZEROS)
            self.assertFalse(found)
            client.result("set_db_change_aware", True)
            for name in ("a", "b"):
                client.transact(DB, insert(name))
            last = client.notifications[0]["params"][1]
            self.assertEqual([note["method"] for note in client.notifications], ["update3", "update3"])
            client.notifications.clear()
            # The source is started anew: it still knows the ids, and nobody hears of it.
            source.kill()
            source.start()
            wait_until(lambda: relay.log().count(f"{DB}: relaying") == 2, "the relay to be back")
            self.assertIn('received reply, result=[true,', relay.log())
            client.transact(DB, insert("c"))
            self.assertEqual(len(client.notifications), 1)
            newest = client.notifications[0]["params"][1]
        with relay.connect() as client:
            found, _, updates = client.result("monitor_cond_since", DB, "m", watch, last)
            self.assertTrue(found)
            self.assertEqual(sorted(row["insert"]["name"] for row in updates["Switch"].values()), ["b", "c"])
        # The relay is: its clients have what it has.
        relay.kill()
        relay.start()
        self.wait_ready(relay)
        with relay.connect() as client:
            self.assertEqual(client.result("monitor_cond_since", DB, "m", watch, newest), [True, newest, {}])
        self.no_warnings(source, relay)

    def test_another_history_changes_what_differs(self):
        """The source comes back with other contents, and ids that the relay does not know."""
        source = self.main_server()
        relay = self.relay("relay", source)
        with relay.connect() as client:
            client.transact(DB, insert("stays"), insert("goes"), insert("changes", number=1))
            client.result("monitor_cond_since", DB, "m", {"Switch": [{"columns": ["name", "number"]}]}, ZEROS)
            client.result("set_db_change_aware", True)
            source.kill()
            self.scratch.run("ovsdb-tool", "compact", "main.db")
            for operations in ([{"op": "delete", "table": "Switch", "where": [["name", "==", "goes"]]}],
                               [{"op": "update", "table": "Switch", "where": [["name", "==", "changes"]],
                                 "row": {"number": 2}}]):
                self.scratch.run("ovsdb-tool", "transact", "main.db", json.dumps([DB, *operations]))
            source.start()
            note = client.receive()
            self.assertEqual(note["method"], "update3")
            self.assertEqual(sorted(list(row) for row in note["params"][2]["Switch"].values()),
                             [["delete"], ["modify"]])
            client.transact(DB, insert("more"))
        self.assertEqual(source.dump(DB), relay.dump(DB))

    def test_the_schema_follows_the_sources(self):
        for binary in (environment.SERVER, STOCK):
            name = "ours" if binary != STOCK else "stock"
            source = self.main_server(binary, name)
            relay = self.relay(f"relay-{name}", source)
            wider = json.loads(json.dumps(load.SCHEMA))
            wider["version"] = "1.1.0"
            wider["tables"]["Switch"]["columns"]["new"] = {"type": "string"}
            with relay.connect() as aware, relay.connect() as unaware, source.connect() as there:
                aware.result("set_db_change_aware", True)
                aware.result("monitor_cond", DB, "m", {"Switch": [{}]})
                unaware.result("monitor_cond", DB, "m", {"Switch": [{}]})
                there.transact(DB, insert("a"))
                there.result("convert", DB, wider)
                wait_until(lambda: aware.result("get_schema", DB)["version"] == "1.1.0", f"the schema of {name}")
                self.assertIn(["m"], [note["params"] for note in aware.notifications
                                      if note["method"] == "monitor_canceled"])
                with self.assertRaises(Closed):
                    while True:
                        unaware.receive(timeout=5)
                aware.transact(DB, insert("b", new="x"))
                self.assertEqual(sorted(row["new"] for row in aware.transact(DB, select(None, ["name", "new"]))[0]["rows"]),
                                 ["", "x"])

    def test_lost_in_mid_flight(self):
        """What was sent and not answered may have happened: the client's connection breaks, as the source's did."""
        source = self.main_server()
        relay = self.relay("relay", source)
        with relay.connect() as waiting, relay.connect() as other:
            waiting.request("transact", [DB, wait_for("never"), insert("a")])
            other.transact(DB, insert("b"))
            source.kill()
            with self.assertRaises(Closed):
                waiting.receive(timeout=10)
            # Who has nothing under way stays, reads, and writes when there is a source again.
            held = other.request("transact", [DB, insert("c")])
            self.assertEqual(other.transact(DB, select("b"))[0]["rows"], [{"name": "b"}])
            self.assertTrue(self.shown(relay)["connected"])
            source.start()
            self.assertIn("uuid", other.reply(held)["result"][0])
            self.assertEqual(other.transact(DB, select("c"))[0]["rows"], [{"name": "c"}])
        self.no_warnings(source, relay)

    def test_the_next_source(self):
        first, second = self.main_server(), self.main_server(name="second")
        with second.connect() as client:
            client.transact(DB, insert("second"))
        relay = self.relay("relay", f"unix:{self.scratch.path}/nobody.sock", first, second)
        self.assertEqual(relay.dump(DB), first.dump(DB))
        first.appctl("ovsdb-server/remove-db", DB)
        wait_until(lambda: relay.dump(DB) == second.dump(DB), "the relay to move")
        second.stop()
        first.appctl("ovsdb-server/add-db", "main.db")
        wait_until(lambda: relay.dump(DB) == first.dump(DB), "the relay to move back")
        self.no_warnings(relay)

    def test_it_moves_with_the_active_server(self):
        a = self.server("a", [self.database("a.db", load.SCHEMA)], "--advertise-role=leader")
        b = self.server("b", [self.database("b.db", load.SCHEMA)], "--advertise-role=leader", f"--sync-from={a.socket}")
        b.appctl("tandem/wait-synced", "--timeout", "10")
        relay = self.relay("relay", b, a)
        with relay.connect() as client:
            client.result("monitor_cond_since", DB, "m", {"Switch": [{}]}, ZEROS)
            client.result("set_db_change_aware", True)
            for number in range(6):
                client.transact(DB, insert(f"s{number}"))
                active, backup = (a, b) if number % 2 == 0 else (b, a)
                active.appctl("tandem/demote", backup.socket)
                backup.appctl("tandem/promote")
            client.transact(DB, insert("last"))
            self.assertEqual([list(note["params"][2]["Switch"].values())[0]["insert"]["name"]
                              for note in client.notifications], [f"s{n}" for n in range(6)] + ["last"])
        self.no_warnings(relay)

    def test_a_circle_is_no_source(self):
        path = self.scratch.path
        itself = self.relay("itself", f"unix:{path}/itself.sock", ready=False)
        one = self.relay("one", f"unix:{path}/two.sock", ready=False)
        two = self.relay("two", one, ready=False)
        time.sleep(1)
        for server in (itself, one, two):
            self.assertFalse(self.shown(server)["connected"])
            self.assertIn("the source has not got this database yet", server.appctl("tandem/status"))
            self.assertLess(len(server.log().splitlines()), 400)


    def test_a_circle_that_had_a_source(self):
        """Two relays that would take each other for the source when that is gone; clients' writes wait."""
        source = self.main_server()
        path = self.scratch.path
        one = self.relay("one", source, f"unix:{path}/two.sock")
        two = self.relay("two", one)
        with two.connect() as client, one.connect() as other:
            client.transact(DB, insert("a"))
            source.stop()
            wait_until(lambda: "they are a circle" in one.log(), "the circle to be seen")
            held = [client.request("transact", [DB, insert("b")]), other.request("transact", [DB, insert("c")])]
            time.sleep(2)
            for connection in (client, other):
                self.assertEqual(connection.transact(DB, select("a"))[0]["rows"], [{"name": "a"}])
            self.assertLess(one.log().count('method="transact"'), 100)
            source.start()
            self.assertIn("uuid", other.reply(held[1])["result"][0])
            self.assertIn("uuid", client.reply(held[0])["result"][0])
        wait_until(lambda: one.dump(DB) == source.dump(DB) == two.dump(DB), "all to be equal")

    def test_a_source_that_stalls_holds_up_only_what_it_executes(self):
        source = self.main_server()
        relay = self.relay("relay", source)
        with relay.connect() as client, relay.connect() as other:
            client.transact(DB, insert("a"))
            source.suspend()
            written = [client.request("transact", [DB, insert(f"b{number}")]) for number in range(200)]
            for connection in (client, other):
                self.assertEqual(connection.transact(DB, select("a"))[0]["rows"], [{"name": "a"}])
                self.assertEqual(len(connection.result("monitor", DB, "m", {"Switch": [{}]})["Switch"]), 1)
            self.assertIn("role: relay", relay.appctl("tandem/status"))
            source.process.send_signal(signal.SIGCONT)
            for request in written:
                self.assertIn("uuid", client.reply(request)["result"][0])

    def test_a_relay_that_is_removed(self):
        """What was not sent is canceled; of what was, nobody knows."""
        source = self.main_server()
        relay = self.relay("relay", source)
        with relay.connect() as sent, relay.connect() as aware, relay.connect() as late:
            for client in (sent, aware, late):
                client.result("set_db_change_aware", True)
            waiting = sent.request("transact", [DB, wait_for("never"), insert("a")])
            aware.result("monitor", DB, "m", {"Switch": [{}]})
            source.stop()
            with self.assertRaises(Closed):
                sent.reply(waiting)
            held = late.request("transact", [DB, insert("b")])
            time.sleep(0.2)
            relay.appctl("ovsdb-server/remove-db", DB)
            self.assertEqual(late.reply(held)["error"], "canceled")
            self.assertEqual(aware.call("transact", DB)["error"]["error"], "unknown database")
            self.assertEqual(aware.notifications[-1]["method"], "monitor_canceled")


class Configured(RelayTest):
    def test_the_configuration_file(self):
        source = self.main_server()
        config = self.scratch.path / "relay.json"

        def write(databases):
            config.write_text(json.dumps({"remotes": {"punix:relay.sock": None}, "databases": databases}))

        def of(remote, **options):
            return {"service-model": "relay", "source": {remote: options or None}}

        write({DB: of(source.socket, **{"inactivity-probe": 10000, "max-backoff": 8000, "dscp": 42})})
        relay = self.configured_server("relay", config.name)
        self.wait_ready(relay)
        write({DB: of(source.socket), "Other": of("punix:nobody.sock")})
        relay.appctl("ovsdb-server/reload")
        self.assertEqual(relay.appctl("ovsdb-server/list-dbs"), f"{DB}\nOther\n_Server\n")
        self.assertFalse(self.shown(relay, "Other")["connected"])
        self.wait_ready(relay)
        write({})
        relay.appctl("ovsdb-server/reload")
        self.assertEqual(relay.appctl("ovsdb-server/list-dbs"), "_Server\n")
        write({DB: of("unix:main.sock")})  # relative to the folder of sockets
        relay.appctl("ovsdb-server/reload")
        self.wait_ready(relay)
        self.no_warnings(relay)

    def test_remotes_in_the_database(self):
        """Connection rows are read through the relay once it has them; before, there are none."""
        schema = {"name": "S", "tables": {"T": {"isRoot": True, "columns": {
            "remotes": {"type": {"key": "string", "min": 0, "max": "unlimited"}}}}}}
        source = Server(self.scratch, "source", [self.database("s.db", schema)])
        self.addCleanup(source.stop)
        relay = self.server("relay", [f"relay:S:{source.socket}"], "--remote=db:S,T,remotes")
        source.start()
        with source.connect() as client:
            client.transact("S", {"op": "insert", "table": "T", "row": {"remotes": "punix:more.sock"}})
        with Connection(f"unix:{self.scratch.path}/more.sock") as client:
            self.assertEqual(client.result("get_schema", "S")["name"], "S")
        self.no_warnings(relay)


if __name__ == "__main__":
    main()
