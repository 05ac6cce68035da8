"""The text of messages, as bytes; for floods it is repeated as it is."""

import json

from data import DB


def request(method, *params, request_id=1):
    return json.dumps({"id": request_id, "method": method, "params": params}, separators=(",", ":")).encode()


def transact(*operations, request_id=1):
    return request("transact", DB, *operations, request_id=request_id)


def select(table, *where, columns=None):
    operation = {"op": "select", "table": table, "where": list(where)}
    return operation | ({"columns": columns} if columns else {})


def insert(table, uuid_name=None, /, **row):
    return {"op": "insert", "table": table, "row": row} | ({"uuid-name": uuid_name} if uuid_name else {})


def mutate(table, where, *mutations):
    return {"op": "mutate", "table": table, "where": where, "mutations": list(mutations)}


def update(table, where, **row):
    return {"op": "update", "table": table, "where": where, "row": row}


def delete(table, *where):
    return {"op": "delete", "table": table, "where": list(where)}


def wait_for_nothing(timeout_ms=600_000):
    """Blocks until there is a row that nobody makes."""
    return {"op": "wait", "table": "Meter", "where": [["name", "==", "nobody"]], "columns": ["name"], "until": "==",
            "rows": [{"name": "nobody"}], "timeout": timeout_ms}


def uuid(number, table=0):
    """Of no row. The number is spread over the first digits: the stock server tells UUIDs apart by them."""
    return f"{(number * 2654435761 + table) & 0xffffffff:08x}-0000-4000-8000-{number:012x}"


def strings(first, last):
    return ["set", [f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}" for i in range(first, last)]]
