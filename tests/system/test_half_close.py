#!/usr/bin/python3
"""Clients that say nothing more, or nothing that can be understood, and still listen; and the order of what a session is
answered."""

import json
import socket

from harness.case import SystemTest, main
from harness.jsonrpc import Closed

SCHEMA = {"name": "D", "version": "1.0.0", "tables": {"T": {"columns": {"n": {"type": "integer"}, "s": {"type": "string"}},
                                                           "isRoot": True}}}


def insert(rows, size=100):
    return ["D"] + [{"op": "insert", "table": "T", "row": {"n": number, "s": "x" * size}} for number in range(rows)]


def wait_for(number):
    return ["D", {"op": "wait", "table": "T", "where": [["n", "==", number]], "columns": ["n"], "until": "==",
                  "rows": [{"n": number}]}]


SHORT = ("transact", insert(1))
LONG = ("transact", insert(3000))
DURABLE = ("transact", insert(1) + [{"op": "commit", "durable": True}])
WAIT = ("transact", wait_for(-1))
SELECT = ("transact", ["D", {"op": "select", "table": "T", "where": []}])
MONITOR = ("monitor", ["D", "m", {"T": {}}])
SCHEMA_OF = ("get_schema", ["D"])


class HalfClose(SystemTest):
    def setUp(self):
        super().setUp()
        self.under_test = self.server("db", [self.database("db.db", SCHEMA)])

    def answered(self, *requests, behind=b""):
        """The ids of all answers when these requests and what is BEHIND them are sent at once, before the connection ends:
        without anything behind them the client ends its side."""
        with self.under_test.connect() as client:
            client.send_bytes(b"".join(json.dumps({"id": number, "method": method, "params": params}).encode()
                                       for number, (method, params) in enumerate(requests)) + behind)
            if not behind:
                client.sock.shutdown(socket.SHUT_WR)
            answered = []
            try:
                while True:
                    message = client.receive()
                    if message.get("method") is None:
                        self.assertIsNone(message["error"])
                        answered.append(message["id"])
            except Closed:
                return answered

    def test_all_that_was_asked_is_answered(self):
        for name, requests in {
                "a short one": [SHORT], "a long one": [LONG], "long ones and short ones": [SHORT, LONG, SHORT, LONG, SHORT],
                "many": [SHORT] * 40, "a durable one": [DURABLE], "a monitor": [MONITOR, SHORT],
                "long answers": [SELECT, SELECT], "what is no transaction": [LONG, ("list_dbs", []), SCHEMA_OF],
                "nothing": []}.items():
            with self.subTest(asked=name):
                self.assertEqual(self.answered(*requests), list(range(len(requests))))

    def test_all_before_a_bad_message_is_answered_and_nothing_behind_it(self):
        good = json.dumps({"id": "behind", "method": "transact", "params": insert(1)}).encode()
        for bad in (b"garbage ", b"]", b"[]", b'{"id":5,"method":"x"}', b'{"id":5,"method":"echo","params":[01]}',
                    b'{"id":5,"result":[],"error":null}', b'{"id":"\\q","method":"echo","params":[]}'):
            for requests in ([SHORT], [DURABLE], [LONG, ("list_dbs", []), SHORT], [MONITOR, SHORT], [SELECT] * 3, [WAIT]):
                with self.subTest(bad=bad, asked=[method for method, _ in requests]):
                    answers = [] if requests == [WAIT] else list(range(len(requests)))
                    self.assertEqual(self.answered(*requests, behind=bad + good), answers)

    def test_a_wait_that_blocks_keeps_nobody(self):
        self.assertEqual(self.answered(SHORT, WAIT, SHORT), [0, 2])

    def test_answers_come_in_the_order_of_the_requests_also_behind_a_conversion(self):
        newer = json.loads(json.dumps(SCHEMA))
        newer["tables"]["T"]["columns"]["k"] = {"type": "integer"}
        with self.under_test.connect() as client:
            client.result("set_db_change_aware", True)
            client.result("monitor", "D", "m", {"T": {}})
            for method, params in (LONG, ("list_dbs", []), ("transact", ["none"]), SHORT, ("convert", ["D", newer]), SCHEMA_OF,
                                   ("monitor", ["D", "m", {"T": {"columns": ["k"]}}]), ("no_such_method", [])):
                client.send({"id": method, "method": method, "params": params})
            replies = []
            while len(replies) < 8:
                message = client.receive()
                if message.get("method") is None:
                    replies.append(message)
        self.assertEqual([reply["id"] for reply in replies], ["transact", "list_dbs", "transact", "transact", "convert",
                                                              "get_schema", "monitor", "no_such_method"])
        self.assertIn("k", replies[5]["result"]["tables"]["T"]["columns"])
        self.assertIsNone(replies[6]["error"])


if __name__ == "__main__":
    main()
