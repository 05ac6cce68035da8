#!/usr/bin/python3
"""Monitors from their request to their end: ids that are used again, requests about several databases, sessions that go."""

from harness import load
from harness.case import SystemTest, main

GATE = ("--sync-replicas=1", "--sync-fallback=block", "--sync-timeout=300")


class MonitorLifecycle(SystemTest):
    def insert(self, name):
        return {"op": "insert", "table": "Switch", "row": {"name": name}}

    def test_an_id_is_used_again_for_another_database_while_the_first_waits_for_a_gate(self):
        self.database("one.db", load.SCHEMA)
        server = self.server("one", ["one.db"], *GATE)
        with server.connect() as writer:
            writer.request("transact", [load.DB, self.insert("waits")])
            writer.result("echo")  # it has been read
            client = server.connect()
            started = client.request("monitor", [load.DB, "B", {"Switch": {}}])
            cancelled = client.request("monitor_cancel", ["B"])
            again = client.request("monitor", ["_Server", "B", {"Database": {"columns": ["name"]}}])
            client.request("echo", ["here"])
            self.assertEqual(client.receive()["result"], ["here"])
            client.close()
            other = server.connect()
            started = other.request("monitor", [load.DB, "B", {"Switch": {}}])
            cancelled = other.request("monitor_cancel", ["B"])
            again = other.request("monitor", ["_Server", "B", {"Database": {"columns": ["name"]}}])
            other.request("echo", ["here"])
            self.assertEqual(other.receive()["result"], ["here"])  # and nothing before it
            server.control("tandem/sync-replicas", "0")
            self.assertEqual([other.receive()["id"] for _ in range(3)], [started, cancelled, again])
            self.assertEqual(other.call("monitor_cancel", "B")["result"], {})
            other.call("set_db_change_aware", True)
            writer.call("set_db_change_aware", True)
            self.assertEqual(writer.call("convert", load.DB, load.SCHEMA)["result"], {})
            self.assertEqual(other.call("monitor", load.DB, "B", {"Switch": {"columns": ["name"]}})["error"], None)
            other.close()

    def test_changes_of_conditions_are_answered_in_order_however_slowly_they_are_read(self):
        self.database("one.db", load.SCHEMA)
        server = self.server("one", ["one.db"])
        with server.connect() as client:
            for start in range(0, 20000, 2000):
                client.transact(load.DB, *(self.insert(f"switch{i}") for i in range(start, start + 2000)))
            client.result("monitor_cond", load.DB, "m", {"Switch": {"columns": ["name"], "where": [False]}})
            asked = [
                client.request("monitor_cond_change", ["m", "m", {"Switch": [{"where": [i % 2 == 0]}]}])
                for i in range(60)
            ]
            rows = set()
            for i, request in enumerate(asked):
                reply = client.reply(request, timeout=60)
                self.assertIsNone(reply["error"])
                updates, client.notifications = client.notifications, []
                self.assertEqual(len(updates), 1)
                for uuid, update in updates[0]["params"][1]["Switch"].items():
                    if i % 2 == 0:
                        self.assertIn("insert", update)
                        rows.add(uuid)
                    else:
                        self.assertEqual(update, {"delete": None})
                        rows.remove(uuid)
                self.assertEqual(len(rows), 20000 if i % 2 == 0 else 0)


if __name__ == "__main__":
    main()
