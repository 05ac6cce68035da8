"""Random database schemas: every kind of type and constraint of RFC 7047 section 3.2."""

import json

STRINGS = ["", "a", "b", "ab", "é", "\u20ac\n", "q\"\\/", "\u0001", "zz z", "1", "true", "\U0001f600"]
INTEGERS = [0, 1, 2, 3, -1, -2, 7, 10, 100, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]
REALS = [0.0, 1.0, -1.0, 0.5, 1.5, -2.25, 3.0, 0.1, 1e20, 1e-9, 1e300, 123456789.125]
ATOMS = {"string": STRINGS, "integer": INTEGERS, "real": REALS, "boolean": [False, True]}


def random_schema(rng):
    """A schema that the stock server accepts, named `D`, with tables T0, T1, … and columns c0, c1, …"""
    names = [f"T{i}" for i in range(rng.randint(1, 5))]
    tables = {name: _table(rng, name, names) for name in names}
    if rng.random() < 0.8:
        for name in names:
            if rng.random() < 0.6:
                tables[name]["isRoot"] = True
    schema = {"name": "D", "version": "1.2.3", "tables": tables}
    if rng.random() < 0.3:
        schema["cksum"] = "12345 678"
    return schema


def changed_schema(rng, schema):
    """SCHEMA with some changes, to convert a database to; not always one that its rows, or the server, accept."""
    schema = json.loads(json.dumps(schema))
    schema["version"] = f"{rng.randint(1, 9)}.0.0"
    for _ in range(rng.randint(1, 3)):
        tables = schema["tables"]
        name = rng.choice(list(tables))
        table = tables[name]
        columns = table["columns"]
        column = rng.choice(list(columns))
        kind = rng.random()
        if kind < 0.25:
            columns[f"c{rng.randint(0, 9)}"] = _column(rng, name, list(tables))
        elif kind < 0.45:
            if len(columns) > 1:
                del columns[column]
                table.pop("indexes", None)
        elif kind < 0.55:
            columns[column]["type"] = _type(rng, name, list(tables))
            table.pop("indexes", None)
        elif kind < 0.65:
            columns[column].pop("mutable", None)
            columns[column].pop("ephemeral", None)
        elif kind < 0.7:
            table.pop("indexes", None)
            table["indexes"] = [[rng.choice(list(columns))]]
        elif kind < 0.8:
            table.pop("maxRows", None)
        elif kind < 0.85:
            table["maxRows"] = rng.randint(1, 6)
        elif kind < 0.95:
            tables[f"T{rng.randint(0, 6)}"] = _table(rng, name, list(tables))
        elif len(tables) > 1:
            del tables[name]
    return schema


def _table(rng, name, tables):
    columns = {f"c{i}": _column(rng, name, tables) for i in range(rng.randint(1, 7))}
    table = {"columns": columns}
    if rng.random() < 0.2:
        table["maxRows"] = rng.randint(1, 6)
    stored = [name for name, column in columns.items() if not column.get("ephemeral")]
    if stored and rng.random() < 0.25:
        table["indexes"] = [rng.sample(stored, rng.randint(1, min(2, len(stored))))
                            for _ in range(rng.randint(1, 2))]
    return table


def _column(rng, table, tables):
    column = {"type": _type(rng, table, tables)}
    if rng.random() < 0.15:
        column["ephemeral"] = True
    elif rng.random() < 0.1:
        column["mutable"] = False
    return column


def _type(rng, table, tables):
    key = _base(rng, table, tables)
    kind = rng.random()
    if kind < 0.4:
        return key["type"] if len(key) == 1 and rng.random() < 0.5 else {"key": key}
    bounds = {"min": rng.choice([0, 0, 1]), "max": rng.choice([1, 2, 3, "unlimited", "unlimited"])}
    if kind < 0.75:
        return {"key": key, **bounds}
    value = _base(rng, table, tables)
    if "refTable" in key and "refTable" in value:
        # Stock loses count of strong references that go with weak ones of the same element.
        key["refType"] = value["refType"] = "strong"
    return {"key": key, "value": value, **bounds}


def _base(rng, table, tables):
    atomic = rng.choice(["integer", "real", "boolean", "string", "string", "integer", "uuid", "uuid"])
    base = {"type": atomic}
    if atomic == "uuid":
        if rng.random() < 0.85:
            base["refTable"] = rng.choice(tables)
            # Stock leaves weak references dangling when several rows of their own table go at once.
            base["refType"] = "strong" if base["refTable"] == table else rng.choice(["strong", "weak"])
        return base
    constraint = rng.random()
    if constraint < 0.12:
        values = rng.sample(ATOMS[atomic], rng.randint(1, min(4, len(ATOMS[atomic]))))
        base["enum"] = ["set", values]
    elif constraint < 0.3:
        if atomic == "integer":
            base.update(rng.choice([{"minInteger": 0}, {"maxInteger": 10}, {"minInteger": -1, "maxInteger": 7}]))
        elif atomic == "real":
            base.update(rng.choice([{"minReal": 0}, {"maxReal": 1.5}, {"minReal": -1.0, "maxReal": 3.5}]))
        elif atomic == "string":
            base.update(rng.choice([{"minLength": 1}, {"maxLength": 2}, {"minLength": 1, "maxLength": 3}]))
    return base
