"""What a client knows from one monitor: its initial rows and all updates since.

A server may merge updates, so those of a session that did not cause them are not compared one by one:
what they add up to is.
"""

import json

_DEFAULTS = {"integer": 0, "real": 0.0, "boolean": False, "string": "",
             "uuid": ["uuid", "00000000-0000-0000-0000-000000000000"]}
_ALL = ("initial", "insert", "delete", "modify")


class Shadow:
    """The rows of one monitor. `complete` is false when its `select` leaves changes out."""

    def __init__(self, method, schema, requests):
        self._differences = method != "monitor"
        self._tables = schema["tables"]
        self._columns = {}
        self.complete = True
        for table, table_requests in requests.items():
            if isinstance(table_requests, dict):
                table_requests = [table_requests]
            columns = self._columns.setdefault(table, set())
            for request in table_requests:
                columns.update(request.get("columns", self._tables[table]["columns"]))
                select = request.get("select", {})
                self.complete = self.complete and all(select.get(kind, True) for kind in _ALL)
        self._rows = {}
        self._texts = {}

    def apply(self, updates):
        """Takes the table updates of a reply or a notification."""
        for table, rows in updates.items():
            for uuid, change in rows.items():
                if change == {"modify": {}}:
                    continue  # says nothing, and stock says it of rows that are not there, too
                key = (table, uuid)
                self._texts.pop(key, None)
                if self._differences:
                    self._apply_difference(key, change)
                elif "new" in change:
                    self._rows[key] = change["new"]
                else:
                    self._rows.pop(key, None)

    def _apply_difference(self, key, change):
        if "delete" in change:
            self._rows.pop(key, None)
        elif "modify" in change:
            row = self._rows.setdefault(key, {})
            for column, difference in change["modify"].items():
                row[column] = self._changed(key[0], column, row.get(column), difference)
        else:
            given = change.get("insert", change.get("initial"))
            self._rows[key] = {column: given[column] if column in given else self._default(key[0], column)
                               for column in self._columns[key[0]] if column in given or column[0] != "_"}

    def _default(self, table, column):
        type_ = self._tables[table]["columns"][column]["type"]
        if isinstance(type_, dict):
            if type_.get("min", 1) == 0:
                return ["map" if "value" in type_ else "set", []]
            key = _DEFAULTS[_atomic(type_["key"])]
            return ["map", [[key, _DEFAULTS[_atomic(type_["value"])]]]] if "value" in type_ else key
        return _DEFAULTS[type_]

    def _changed(self, table, column, old, difference):
        """OLD after DIFFERENCE, by the rules of update2."""
        if column == "_version":
            return difference
        type_ = self._tables[table]["columns"][column]["type"]
        if not isinstance(type_, dict) or type_.get("max", 1) == 1:
            return difference
        if "value" in type_:
            merged = {json.dumps(key): (key, value) for key, value in (old or ["map", []])[1]}
            for key, value in difference[1]:
                text = json.dumps(key)
                if text in merged and merged[text][1] == value:
                    del merged[text]
                else:
                    merged[text] = (key, value)
            return ["map", [list(pair) for pair in merged.values()]]
        merged = {json.dumps(atom): atom for atom in _atoms(old)}
        for atom in _atoms(difference):
            text = json.dumps(atom)
            if text in merged:
                del merged[text]
            else:
                merged[text] = atom
        return merged.popitem()[1] if len(merged) == 1 else ["set", list(merged.values())]

    def text(self, names):
        """All rows, canonical."""
        for key, row in self._rows.items():
            if key not in self._texts:
                self._texts[key] = names.text({key[0]: {key[1]: row}})
        return "\n".join(sorted(self._texts[key] for key in self._rows))


def _atoms(value):
    if value is None:
        return []
    return value[1] if isinstance(value, list) and value[0] == "set" else [value]


def _atomic(base):
    return base["type"] if isinstance(base, dict) else base
