"""Names for what servers make up or may choose, so that answers of two servers can be compared.

Rows are called by the labels of their inserts, versions by their number in a row's life; sets, maps and
lists of rows are sorted. With a salt, tables, columns and the UUIDs that clients choose get other names on
the way to the server and back: what depends on their order in a hash table then shows.
"""

import hashlib
import json
import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_LABEL = re.compile(r"@[rx]\d+")
_UUID_LENGTH = 36


class Names:
    """What one server calls tables, columns and rows. Belongs to a database file, and moves with it."""

    def __init__(self, schema, salt, has_versions=True):
        self._salt = salt
        self._has_versions = has_versions  # that mean something: other copies have others
        self._uuids = {}
        self._labels = {"00000000-0000-0000-0000-000000000000": "@zero"}
        self._versions = {}
        self._there, self._back = self._renamings() if salt else (_unchanged, _unchanged)
        self.schema = self.sent(schema)

    def adopt(self, schema):
        """The database was converted."""
        self.schema = self.sent(schema)

    def _renamings(self):
        """Two functions on texts: from the names that cases use to salted ones, and back."""
        names = {"nope", "Table", "extra", *(f"{kind}{number}" for kind in "Tc" for number in range(20))}
        salted = {name: name[0] + self._digest(name)[:6] for name in names}
        return _replacing(salted), _replacing({other: name for name, other in salted.items()})

    def bind(self, label, uuid):
        self._uuids[label] = uuid
        self._labels[uuid] = label

    def label(self, uuid):
        return self._labels.get(uuid, "@unknown")

    def sent(self, value):
        """VALUE as the server gets it: with UUIDs, made up if need be, in place of labels."""
        text = _LABEL.sub(lambda match: self._uuid(match.group()), json.dumps(value))
        return json.loads(self._there(text))

    def _uuid(self, label):
        if label not in self._uuids:
            digest = self._digest(label)
            self.bind(label, "-".join((digest[:8], digest[8:12], digest[12:16], digest[16:20], digest[20:])))
        return self._uuids[label]

    def _digest(self, text):
        return hashlib.md5(f"{self._salt}{text}".encode()).hexdigest()

    def text(self, value, row=None):
        """The canonical text of VALUE, which may be part of ROW (a UUID)."""
        if self._salt:
            value = json.loads(self._back(json.dumps(value)))
        return json.dumps(self._canonical(value, self._labels.get(row)), sort_keys=True)

    def _canonical(self, value, row=None):
        kind = type(value)
        if kind is str:
            if len(value) < _UUID_LENGTH:
                return value
            return UUID.sub(lambda match: self.label(match.group()), value)
        if kind is list:
            items = [self._canonical(item, row) for item in value]
            if len(items) == 2 and items[0] in ("set", "map") and type(items[1]) is list:
                items[1].sort(key=json.dumps)
            return items
        if kind is dict:
            return self._canonical_members(value, row)
        return value

    def _canonical_members(self, members, row):
        if "_uuid" in members:
            row = self._labels.get(members["_uuid"][1])
        canonical = {}
        for key in sorted(members):
            value = members[key]
            if key == "_version":
                canonical[key] = self._version(row, value[1])
            elif key == "rows" and type(value) is list:
                # Each once: stock shows rows apart that differ only in the sign of a zero.
                rows = {json.dumps(row, sort_keys=True): row for row in map(self._canonical, value)}
                canonical[key] = [rows[text] for text in sorted(rows)]
            elif key == "syntax":
                canonical[key] = self._canonical(_sorted_text(value))
            elif len(key) == _UUID_LENGTH:
                label = self.label(key)
                canonical[label] = self._canonical(value, label)
            else:
                canonical[key] = self._canonical(value, row)
        return canonical

    def _version(self, row, uuid):
        if row is None or not self._has_versions:
            return "some version"
        versions = self._versions.setdefault(row, {})
        return versions.setdefault(uuid, f"version {len(versions)}")


def _sorted_text(text):
    """The JSON text TEXT with the members of objects in order: other names have come into it."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except ValueError:
        return text


def _unchanged(text):
    return text


def _replacing(names):
    """A function that puts other names in a text, by a table of names."""
    pattern = re.compile(r"\b(" + "|".join(names) + r")\b")
    return lambda text: pattern.sub(lambda match: names[match.group()], text)
