"""Random operations of RFC 7047 section 5.2, most of them valid, on a known schema.

Row UUIDs appear as labels: `@r5` is the row that the insert labelled r5 (its member "@") made, `@x5` a
UUID that the client chose. Each participant puts its own UUIDs in their place (participant.py).
"""

import copy
import json

from schemas import ATOMS

MUTATORS = ["+=", "-=", "*=", "/=", "%=", "insert", "delete"]
FUNCTIONS = ["==", "!=", "includes", "excludes", "<", "<=", ">", ">="]
JUNK = [None, True, 0, -1, 1.5, "", "x", [], {}, ["set", []], ["set", [1, 1]], ["map", [["a", 1]]], ["uuid", "x"],
        ["named-uuid", "no such"], ["named-uuid", "1x"], ["set", [["uuid", "@x0"]]], {"a": 1}, [[]], ["set"],
        ["map", [[1]]], ["set", [1, "a"]], ["map", [["a", 1], ["a", 2]]], 9223372036854775808]


# Integer arithmetic that kills the stock server, or overflows without its noticing.
_DEADLY = [("/=", -1), ("%=", -1)]


def _defused(operations):
    """OPERATIONS without arithmetic that the stock server cannot do."""
    for operation in operations:
        mutations = operation.get("mutations") if isinstance(operation, dict) else None
        for mutation in mutations if isinstance(mutations, list) else []:
            if isinstance(mutation, list) and len(mutation) == 3 and type(mutation[2]) is int \
                    and (tuple(mutation[1:]) in _DEADLY or mutation[1] == "*=" and mutation[2] <= 0):
                mutation[2] = 2
    return operations


class Rows:
    """The labels of the rows that there are, by table, and the next labels to give."""

    def __init__(self, schema):
        self.by_table = {name: [] for name in schema["tables"]}
        self._next = 0

    def label(self, kind):
        self._next += 1
        return f"@{kind}{self._next}"


class Operations:
    """Makes operations for one schema."""

    def __init__(self, rng, schema, rows, locks):
        self.rng = rng
        self.schema = schema
        self.rows = rows
        self.locks = locks
        self.tables = list(schema["tables"])
        self._named = {}

    def adopt(self, schema):
        """Goes on with another schema."""
        self.schema = schema
        self.tables = list(schema["tables"])

    def transaction(self):
        """The operations of one transaction."""
        rng = self.rng
        self._named = {}
        operations = []
        for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4, 6])):
            operations.append(self._operation())
        if rng.random() < 0.01:
            operations.insert(rng.randint(0, len(operations)), rng.choice(JUNK))
        return _defused(operations)

    def wait(self, timeout_ms):
        """A transaction that waits, up to TIMEOUT_MS (None: for ever), and then does something."""
        self._named = {}
        operations = [self._wait(timeout_ms)]
        return _defused(operations + [self._operation() for _ in range(self.rng.randint(0, 2))])

    def _operation(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.36:
            operation = self._insert()
        elif kind < 0.50:
            operation = self._update()
        elif kind < 0.66:
            operation = self._mutate()
        elif kind < 0.74:
            operation = {"op": "delete", **self._target(0.03)}
        elif kind < 0.88:
            operation = self._select()
        elif kind < 0.93:
            operation = self._wait(0)
        else:
            operation = self._other()
        if rng.random() < 0.025:
            operation = self.corrupt(operation)
        return operation

    def _other(self):
        rng = self.rng
        kind = rng.random()
        if kind < 0.1:
            return {"op": "abort"}
        if kind < 0.25:
            return {"op": "assert", "lock": rng.choice(self.locks)}
        if kind < 0.5:
            return {"op": "commit", "durable": rng.random() < 0.2}
        return {"op": "comment", "comment": rng.choice(["", "a comment", "é\n"])}

    def _insert(self):
        rng = self.rng
        table = rng.choice([table for table in self.tables if self._has_needed_rows(table)] or self.tables)
        columns = self.schema["tables"][table]["columns"]
        operation = {"op": "insert", "table": table}
        name = f"n{sum(map(len, self._named.values()))}" if rng.random() < 0.98 else "n0"
        own_name_known = rng.random() < 0.1
        if own_name_known:
            self._named.setdefault(table, []).append(name)
        operation["row"] = {column: self.value(definition["type"]) for column, definition in columns.items()
                            if rng.random() < 0.7 or (_needs_row(definition["type"]) and rng.random() < 0.95)}
        if rng.random() < 0.35:
            known = self.rows.by_table[table]
            operation["uuid"] = rng.choice(known) if known and rng.random() < 0.04 else self.rows.label("x")
        else:
            operation["@"] = self.rows.label("r")
        if own_name_known or rng.random() < 0.5:
            operation["uuid-name"] = name
            self._named.setdefault(table, []).append(name)
        return operation

    def _has_needed_rows(self, table):
        """True when there are rows for all references that a row of TABLE must have."""
        types = [column["type"] for column in self.schema["tables"][table]["columns"].values()]
        return all(self._has_rows(base) for type_ in types if isinstance(type_, dict) and type_.get("min", 1) > 0
                   for base in (type_["key"], type_.get("value", "string")))

    def _has_rows(self, base):
        """True when there are rows for a reference of type BASE, or it is none."""
        table = base.get("refTable") if isinstance(base, dict) else None
        return table is None or bool(self.rows.by_table[table] or self._named.get(table))

    def _update(self):
        target = self._target()
        columns = self.schema["tables"][target["table"]]["columns"]
        chosen = self._mutable(columns)
        chosen = self.rng.sample(chosen, self.rng.randint(1, min(3, len(chosen))))
        return {"op": "update", **target,
                "row": {name: self.value(columns[name]["type"]) for name in chosen}}

    def _mutable(self, columns):
        """The names of the mutable COLUMNS; at times, or when there is none, of all."""
        mutable = [name for name, column in columns.items() if column.get("mutable", True)]
        return mutable if mutable and self.rng.random() < 0.95 else list(columns)

    def _mutate(self):
        target = self._target()
        columns = self.schema["tables"][target["table"]]["columns"]
        mutations = [self._mutation(columns) for _ in range(self.rng.choice([0, 1, 1, 1, 2, 3]))]
        return {"op": "mutate", **target, "mutations": mutations}

    def _mutation(self, columns):
        rng = self.rng
        names = self._mutable(columns)
        suitable = [name for name in names if _is_set(columns[name]["type"])
                    or _atomic(columns[name]["type"]) in ("integer", "real")]
        name = rng.choice(suitable or names)
        type_ = columns[name]["type"]
        atomic = _atomic(type_)
        is_map = isinstance(type_, dict) and "value" in type_
        if rng.random() < 0.03 or not is_map and not _is_set(type_) and atomic not in ("integer", "real"):
            return [name, rng.choice(MUTATORS), self.value(type_)]
        if atomic in ("integer", "real") and not is_map and (rng.random() < 0.5 or not _is_set(type_)):
            mutator = rng.choice(MUTATORS[:5])
            operand = rng.choice(ATOMS[atomic])
            return [name, mutator, operand]
        if is_map and rng.random() < 0.4:
            keys = [self._atom(type_["key"]) for _ in range(rng.randint(0, 2))]
            return [name, "delete", ["set", keys]]
        loose = {**type_, "min": 0, "max": "unlimited"} if isinstance(type_, dict) else type_
        return [name, rng.choice(["insert", "delete"]), self.value(loose)]

    def _select(self):
        rng = self.rng
        operation = {"op": "select", **self._target(0.4)}
        if rng.random() < 0.6:
            columns = list(self.schema["tables"][operation["table"]]["columns"])
            chosen = rng.sample(columns, rng.randint(0, len(columns)))
            extra = rng.random()
            if extra < 0.3:
                chosen.append("_uuid")
            elif extra < 0.45:
                chosen += ["_uuid", "_version"]
            elif extra < 0.47:
                chosen.append(rng.choice(["nope", "c0", "_version_"]))
            operation["columns"] = chosen
        return operation

    def _wait(self, timeout_ms):
        rng = self.rng
        until = rng.choice(["==", "!="] if timeout_ms else ["==", "!=", "!=", "!="])
        operation = {"op": "wait", **self._target(0.2), "until": until}
        if timeout_ms is not None:
            operation["timeout"] = timeout_ms
        columns = self.schema["tables"][operation["table"]]["columns"]
        chosen = rng.sample(list(columns), rng.randint(1, min(2, len(columns))))
        operation["columns"] = chosen
        operation["rows"] = [{name: self.value(columns[name]["type"]) for name in chosen}
                             for _ in range(rng.choice([0, 0, 1, 1, 2]))]
        return operation

    def _target(self, everything=0.08):
        table = self.rng.choice(self.tables)
        return {"table": table, "where": self.where(table, everything)}

    def where(self, table, everything=0.1):
        """A list of conditions on TABLE."""
        rng = self.rng
        kind = rng.random()
        if kind < everything:
            return []
        if kind < 0.5:
            return [["_uuid", rng.choice(["==", "==", "==", "includes", "!=", "excludes"]), self._row_uuid(table)]]
        clauses = [self.clause(table) for _ in range(rng.choice([1, 1, 1, 2]))]
        if rng.random() < 0.03:
            clauses.append(rng.random() < 0.5)
        return clauses

    def clause(self, table):
        """One condition on TABLE, of any function, not always one that suits the column."""
        rng = self.rng
        columns = self.schema["tables"][table]["columns"]
        name = rng.choice(list(columns))
        type_ = columns[name]["type"]
        ordered = not _is_set(type_) and _atomic(type_) in ("integer", "real")
        function = rng.choice(FUNCTIONS if ordered or rng.random() < 0.03 else FUNCTIONS[:4])
        if _is_set(type_) and rng.random() < 0.5:
            type_ = {**type_, "min": 0, "max": "unlimited"}
        if rng.random() < 0.02:
            name = rng.choice(["_version", "nope", "_uuid"])
        return [name, function, self.value(type_)]

    def value(self, type_):
        """A value of TYPE_, usually one that its constraints allow."""
        rng = self.rng
        if rng.random() < 0.003:
            return copy.deepcopy(rng.choice(JUNK))
        if isinstance(type_, str):
            return self._atom({"type": type_})
        least = type_.get("min", 1)
        most = type_.get("max", 1)
        top = 4 if most == "unlimited" else most
        if rng.random() < 0.01:
            least, top = 0, top + 1
        if not all(self._has_rows(type_[part]) for part in ("key", "value") if part in type_):
            top = 0
        count = rng.randint(least, max(least, top))
        if "value" in type_:
            pairs = [[self._atom(type_["key"]), self._atom(type_["value"])] for _ in range(count)]
            return ["map", _distinct(pairs, rng, lambda pair: pair[0])]
        atoms = _distinct([self._atom(type_["key"]) for _ in range(count)], rng, lambda atom: atom)
        return atoms[0] if len(atoms) == 1 and rng.random() < 0.7 else ["set", atoms]

    def _atom(self, base):
        rng = self.rng
        if isinstance(base, str):
            base = {"type": base}
        if base["type"] == "uuid":
            return self._row_uuid(base.get("refTable", self.tables[0]))
        pool = base["enum"][1] if "enum" in base and rng.random() < 0.95 else ATOMS[base["type"]]
        atom = rng.choice(pool)
        if rng.random() < 0.95:
            for _ in range(8):
                if _allowed(base, atom):
                    break
                atom = rng.choice(pool)
        return atom

    def _row_uuid(self, table):
        rng = self.rng
        named = self._named.get(table)
        if named and rng.random() < 0.5:
            return ["named-uuid", rng.choice(named) if rng.random() < 0.98 else "undefined"]
        known = self.rows.by_table[table]
        if known and rng.random() < 0.98:
            return ["uuid", rng.choice(known)]
        return ["uuid", rng.choice(["@x0", "00000000-0000-0000-0000-000000000000"])]

    def corrupt(self, thing):
        """THING with one random mistake in it: a member lost, added, renamed or replaced."""
        rng = self.rng
        thing = copy.deepcopy(thing)
        place = thing
        while True:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            keys = [key for key in keys if key != "@"]
            if not keys:
                return thing
            key = rng.choice(keys)
            if isinstance(place[key], (dict, list)) and place[key] and rng.random() < 0.6:
                place = place[key]
                continue
            break
        mistake = rng.random()
        if mistake < 0.3:
            del place[key]
        elif mistake < 0.4 and isinstance(place, dict):
            # Elsewhere only names that are salted: which of two mistakes stock sees first depends on names.
            members = ["extra", "row", "where", "columns", "uuid"] if "op" in place else ["extra", "c0"]
            place[rng.choice(members)] = copy.deepcopy(rng.choice(JUNK))
        elif mistake < 0.5 and isinstance(place, dict):
            place[rng.choice(["nope", "Table", "c1"])] = place.pop(key)
        else:
            place[key] = copy.deepcopy(rng.choice(JUNK))
        return thing


def _atomic(type_):
    base = type_["key"] if isinstance(type_, dict) else type_
    return base["type"] if isinstance(base, dict) else base


def _is_set(type_):
    """True for sets and maps that may hold more than one element."""
    return isinstance(type_, dict) and type_.get("max", 1) != 1


def _needs_row(type_):
    """True when the default value of TYPE_ is a reference, which leads nowhere."""
    return isinstance(type_, dict) and type_.get("min", 1) > 0 and "uuid" in json.dumps(type_)


def _allowed(base, atom):
    if isinstance(atom, str):
        return base.get("minLength", 0) <= len(atom) <= base.get("maxLength", 1 << 30)
    least = base.get("minInteger", base.get("minReal"))
    most = base.get("maxInteger", base.get("maxReal"))
    return (least is None or atom >= least) and (most is None or atom <= most)


def _distinct(items, rng, key):
    """ITEMS without those whose key was there already; rarely as they are, for the error."""
    if rng.random() < 0.01:
        return items
    seen, kept = set(), []
    for item in items:
        mark = str(key(item))
        if mark not in seen:
            seen.add(mark)
            kept.append(item)
    return kept
