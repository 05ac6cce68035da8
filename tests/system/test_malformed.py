#!/usr/bin/python3
"""Whatever comes over a connection, the answer is a clear error or its end, and the server goes on."""

import json
import unittest

from harness import environment, load
from harness.case import SystemTest, main
from harness.jsonrpc import Closed, Connection

CLOSED = "closed"


class Malformed(SystemTest):
    def setUp(self):
        super().setUp()
        self.under_test = self.server("db", [self.database("db.db", load.SCHEMA)])
        self.bystander = self.under_test.connect()
        self.addCleanup(self.bystander.close)

    def answer(self, data, timeout=30):
        """Sends DATA on a fresh connection; returns the error of the reply, or CLOSED."""
        with Connection(self.under_test.socket) as connection:
            try:
                connection.send_bytes(data)
                reply = connection.receive(environment.timeout_s(timeout))
            except Closed:
                return CLOSED
            self.assertIsNotNone(reply.get("error"), f"{data[:80]} was taken: {str(reply)[:200]}")
            return reply["error"]

    def goes_on(self):
        """The server serves its older session and a new one."""
        self.assertTrue(self.under_test.alive())
        self.assertEqual(self.bystander.transact(load.DB), [])
        with self.under_test.connect() as fresh:
            self.assertEqual(fresh.result("echo", 1, "two"), [1, "two"])

    def test_what_is_not_json_rpc_closes_the_connection(self):
        for data in (b"}", b"[]", b"null ", b"17 ", b'"text"', b"hello ", b"GET / HTTP/1.0\r\n\r\n",
                     b"{}", b'{"id":1}', b'{"method":5,"id":1,"params":[]}', b'{"id":1,"method":"echo"}',
                     b'{"id":1,"method":"echo","params":7}', b'{"id":1,"method":"echo","params":[],}',
                     b'{"id":1 "method":"echo","params":[]}', b'{"id":1,"method":"echo","params":[01]}',
                     b'{"id":1,"method":"echo","params":["\\u12"]}', b'{"id":1,"method":"echo","params":["\\q"]}',
                     b'{"id":1,"method":"echo","params":["\n"]}', b'{"id":1,"method":"echo","params":[tru]}',
                     b'{"id":null,"method":"echo","params":["\x00"]}', b"\x16\x03\x01\x02\x00\x01\x00",
                     b'{"id":1,"result":[],"error":null}', b'{"id":"x","result":null,"error":"no"}'):
            with self.subTest(data=data):
                self.assertEqual(self.answer(data, timeout=10), CLOSED)
                self.goes_on()
        for text in ("received SSL data on JSON-RPC channel", "received unexpected reply message",
                     "received unexpected error message"):
            self.assertEqual(self.under_test.log().count(text), 1, text)

    def test_an_unfinished_message_is_no_message(self):
        with Connection(self.under_test.socket) as connection:
            connection.send_bytes(b'{"id":1,"method":"ec')
            self.goes_on()
        self.goes_on()

    def test_invalid_utf8_is_not_stored(self):
        for text in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80"):
            with self.subTest(text=text):
                insert = {"op": "insert", "table": "Switch", "row": {"name": "@"}}
                request = json.dumps({"id": 1, "method": "transact", "params": [load.DB, insert]})
                with self.under_test.connect() as connection:
                    try:
                        connection.send_bytes(request.encode().replace(b"@", text))
                        reply = connection.receive()
                        self.assertTrue(reply["error"] or reply["result"][-1].get("error"), reply)
                    except Closed:
                        pass
                self.goes_on()

    def test_unknown_methods_are_answered(self):
        for method in ("nonsense", "", "Transact", "tandem_nonsense"):
            with self.subTest(method=method):
                request = {"id": 1, "method": method, "params": []}
                self.assertEqual(self.answer(json.dumps(request).encode()), "unknown method")
        self.goes_on()

    def test_wrong_types_are_answered(self):
        db, wrong = load.DB, (None, True, 5, -1.5, "x", [], ["x"], {}, {"x": 1}, [[]], [{"op": 1}])
        requests = [(method, [value]) for value in wrong for method in
                    ("get_schema", "transact", "monitor", "monitor_cond", "monitor_cond_since", "lock",
                     "steal", "unlock", "monitor_cancel", "monitor_cond_change", "set_db_change_aware", "convert")]
        requests += [("convert", [db, value]) for value in wrong]
        if not environment.is_stock(environment.SERVER):  # a short list of parameters kills it
            requests += [(method, [db, value]) for value in wrong for method in
                         ("monitor", "monitor_cond", "monitor_cond_since")]
        requests += [(method, [db, "m", value]) for value in wrong[:-5] for method in
                     ("monitor", "monitor_cond", "monitor_cond_since")]
        requests += [(method, []) for method in ("get_schema", "transact", "monitor", "lock", "convert")]
        right = [("set_db_change_aware", [True]), ("lock", ["x"]), ("steal", ["x"])]
        for method, params in requests:
            if (method, params) not in right:
                with self.subTest(method=method, params=params):
                    self.answer(json.dumps({"id": 1, "method": method, "params": params}).encode())
        self.goes_on()

    def test_wrong_operations_are_answered(self):
        wrong = (None, True, 5, "x", [], {}, {"op": 1}, {"op": "dance"}, {"op": "insert"},
                 {"op": "insert", "table": "None", "row": {}}, {"op": "insert", "table": "Switch", "row": []},
                 {"op": "insert", "table": "Switch", "row": {"name": 5}},
                 {"op": "insert", "table": "Switch", "row": {"name": ["set", ["a", "b"]]}},
                 {"op": "insert", "table": "Switch", "row": {"external_ids": ["map", [["a"]]]}},
                 {"op": "select", "table": "Switch", "where": [["name", "<>", "a"]]},
                 {"op": "select", "table": "Switch", "where": [["name"]]},
                 {"op": "mutate", "table": "Switch", "where": [], "mutations": [["number", "/=", 0]], "x": 1},
                 {"op": "wait", "table": "Switch", "where": [], "columns": [], "until": "~", "rows": []})
        for operation in wrong:
            with self.subTest(operation=operation):
                reply = self.bystander.call("transact", load.DB, operation)
                outcome = reply["error"] or reply["result"][0]
                self.assertTrue(outcome.get("error"), reply)
        self.goes_on()

    def test_deep_nesting_is_refused(self):
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            with self.subTest(opening=opening):
                deep = opening * 10000 + b"1" + closing * 10000
                self.answer(b'{"id":1,"method":"transact","params":[' + deep + b"]}")
                self.goes_on()
                self.answer(opening * 1000000)
                self.goes_on()

    @unittest.skipIf(environment.is_stock(environment.SERVER), "stock reads it all and echoes it")
    def test_a_message_of_a_gigabyte_does_not_take_the_server_down(self):
        with Connection(self.under_test.socket, timeout=120) as connection:
            chunk = b"a" * (1 << 20)
            try:
                connection.send_bytes(b'{"id":1,"method":"transact","params":["')
                for _ in range(1024):
                    connection.send_bytes(chunk)
                connection.send_bytes(b'"]}')
                self.assertIsNotNone(connection.receive()["error"])
            except Closed:
                pass
        self.goes_on()
        status = (environment.pathlib.Path("/proc") / str(self.under_test.process.pid) / "status").read_text()
        resident_kb = int(status.split("VmRSS:")[1].split()[0])
        self.assertLess(resident_kb, 512 * 1024, "the memory of the message was not given back")


if __name__ == "__main__":
    main()
