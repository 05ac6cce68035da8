"""What a client says is not written down at any length."""

import os

from measure import DB, Input
from messages import insert, request, transact

LONG = "x" * (20 << 20)


def logged(attack, most_mb=1):
    """ATTACK, after which the log may have grown by MOST_MB at most, and has no control characters."""
    def checked(target):
        log = target.scratch.path / "target.log"
        before = os.path.getsize(log)
        attack(target)
        target.settle()
        text = log.read_bytes()
        if not target.is_stock:
            assert len(text) - before < most_mb * (1 << 20), f"{(len(text) - before) >> 20} MB of log"
            assert not any(byte in text for byte in b"\x1b\r\x07\x00"), "control characters in the log"
    return checked


def close_after(*messages):
    """Each message on a connection of its own: most are answered by its end."""
    def attack(target):
        for message in messages:
            client = target.client()
            client.pour(message)
            client.swallow()
            client.close()
    return attack


def strangers(target):
    """Connections that end with an error each: their log lines are limited."""
    for _ in range(3_000):
        client = target.client()
        client.pour(b'{"bad":1}')
        client.close()
        target.clients.pop()


NASTY = "\x1b[31m\r2026-01-01T00:00:00Z|00001|ovsdb_server|ERR|forged\n\x07\u202e"
MEMBERS = ["{\"%s\":0}" % ("m" * (20 << 20)), '{"id":1,"method":"echo","params":[],"%s":0}' % ("m" * (20 << 20))]

INPUTS = [
    Input("member names of 20 MB", logged(close_after(*[text.encode() for text in MEMBERS]))),
    Input("a method's name of 20 MB", logged(close_after(request(LONG))), by_hand=True),
    Input("a table's name of 20 MB", logged(close_after(transact(insert(LONG)), request("monitor", DB, "m", {LONG: {}})))),
    Input("a database's name of 20 MB", logged(close_after(request("get_schema", LONG), request("transact", LONG)))),
    Input("a comment of 20 MB", logged(close_after(transact({"op": "comment", "comment": LONG})))),
    Input("a lock's name of 20 MB", logged(close_after(request("lock", "a" + LONG), request("unlock", "a" + LONG))), by_hand=True),
    Input("ids of 20 MB", logged(close_after(request("nonsense", request_id=LONG), request("monitor_cancel", LONG))), by_hand=True),
    Input("escapes and line ends in names", logged(close_after(
        request(NASTY), transact(insert(NASTY)), request("lock", NASTY), request("get_schema", NASTY),
        b'{"\x1b[31m\\r\\n":1}', b'{"id":1,"method":"echo","params":[],"\\u001b\\r\\n":1}', b"\x1b\r\x07",
        transact({"op": "comment", "comment": NASTY}), request("convert", DB, {"name": NASTY}),
        b'{"id":null,"result":"\\u001b","error":null}'))),
    Input("3,000 messages that are none", logged(strangers), by_hand=True),
    Input("a schema of 20 MB that is none", logged(close_after(
        request("convert", DB, {"name": DB, "tables": {LONG: {}}}), request("convert", DB, {"name": LONG, "tables": {}})))),
]
