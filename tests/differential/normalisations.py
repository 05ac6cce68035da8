"""What may differ between the stock server and ours, by name. Each entry is in docs/differences.md.

A normalisation takes a message and the method of the request that it answers (None for a notification)
and changes what may differ into something fixed. All else has to be equal.
"""

import json
import re
import sys


def transaction_ids(message, method):
    """Stock's standalone server has no transaction ids and sends zeros; ours are real."""
    if message.get("method") == "update3":
        message["params"][1] = "transaction id"
    elif method == "monitor_cond_since" and isinstance(message.get("result"), list):
        message["result"][1] = "transaction id"


def wait_duration(message, method):
    """How long a wait has really waited is not up to the server."""
    for outcome in message.get("result") or [] if method == "transact" else []:
        if isinstance(outcome, dict) and "details" in outcome:
            outcome["details"] = re.sub(r"timed out after \d+ ms", "timed out after a while", outcome["details"])


def duplicate_uuid(message, method):
    """Newer servers name the table."""
    for outcome in message.get("result") or [] if method == "transact" else []:
        if isinstance(outcome, dict) and outcome.get("error") == "duplicate uuid":
            outcome["details"] = re.sub(r'the "\w+" table or deleted from this table within',
                                        "the table or deleted within", outcome["details"])


def empty_modify(message, method):
    """Stock tells of rows that changed only in columns that are not monitored for changes."""
    if message.get("method") in ("update", "update2", "update3"):
        tables = message["params"][-1]
        for table in list(tables):
            tables[table] = {row: change for row, change in tables[table].items()
                             if change != {"modify": {}} and change.get("old") != {}}
            if not tables[table]:
                del tables[table]


def subnormal_reals(message, _method):
    """Ours are 0; nobody reads stock's."""
    def read(value):
        if isinstance(value, dict):
            return {name: read(member) for name, member in value.items()}
        if isinstance(value, list):
            return [read(element) for element in value]
        return 0.0 if isinstance(value, float) and 0 < abs(value) < sys.float_info.min else value
    for name in message:
        message[name] = read(message[name])


def is_cancellation(message):
    """Stock never answers a transaction that was canceled."""
    return message.get("error") == "canceled"


NORMALISATIONS = [transaction_ids, wait_duration, duplicate_uuid, empty_modify, subnormal_reals]


def normalise(message, method=None):
    """MESSAGE without what may differ; a notification that says nothing after that has empty updates."""
    for normalisation in NORMALISATIONS:
        normalisation(message, method)
    return message


# What stock 3.1 logs when it fails to read, in a file that it wrote itself or that we wrote, a difference
# of a set with more members than the set may have. It then leaves out the rest of the file.
MISREAD = re.compile(r"must have \d+ to \d+ members but|Datum crated by diff has size error")


# Stock keeps 15 digits of a real in its file, and we as many as it takes.
_LONG_REAL = re.compile(r"(?<![-\w])(?=[\d.]{17})\d+\.\d+(?:e[-+]\d+)?")


def has_long_real(text):
    """True when TEXT has a number with a fraction of more than 15 digits."""
    return any(len(number.split("e")[0].lstrip("0.").replace(".", "")) > 15 for number in _LONG_REAL.findall(text))


# Messages of commits that break a rule more than once: which place is named depends on the order of UUIDs.
# Of an index it is any pair of rows in any order, too many to verify by trying.
_INDEX = re.compile(
    r"rows in \\\"\w+\\\" table to have identical values .* for index on column.*?First row, "
    r"with UUID .*Second row, with UUID @\w+, "
    r"(existed in the database before this transaction and was not modified by the transaction"
    r"|existed in the database before this transaction, which modified some of the row's columns but not any "
    r"columns in this index|was inserted by this transaction"
    r"|had the following index values before the transaction: .*?)\.(?=\", \"error)")
# Stock misses some collisions of 0 and -0 in an index: they are equal there, but their hashes are not.
_ZERO = re.compile(r'rows in \\"(\w+)\\" table to have identical values \((?:[^()]*(?:,| and|, and) )?-?0[,) ].*? '
                   r'for index on columns? (.*?)\.  First row')


def is_zero_collision(expected, actual, schema):
    """True when only ACTUAL, canonical, has a collision of zeros in an index with a column of reals."""
    found = _ZERO.search(actual)
    if not found or "for index on column" in expected:
        return False
    columns = schema["tables"].get(found[1], {}).get("columns", {})
    return any('"real"' in json.dumps(columns[name]["type"])
               for name in re.findall(r"\w+", found[2].replace("\\", "")) if name in columns)


def is_wait_for_zero(expected, actual, step):
    """True when just one has waited in vain, in a step with a wait for rows with a real that is 0."""
    return (("timed out" in expected) != ("timed out" in actual)
            and any(operation.get("op") == "wait" and re.search(r"[ \[]-?0\.0\b", json.dumps(operation.get("rows")))
                    for request in step.get("requests", []) if request["method"] == "transact"
                    for operation in request["params"][1:] if isinstance(operation, dict)))


def is_weak_collision(expected, actual):
    """True when ACTUAL refuses what deleted weak references empty, and EXPECTED a collision, which is looked for later.

    Stock overlooks weak references of rows that the transaction has changed before: it then leaves them dangling.
    """
    return "weak reference(s) to deleted" in actual and "for index on column" in expected


_ORDER_DEPENDENT = re.compile("|".join((
    r"Deletion of \d+ weak reference\(s\) to deleted .*? constraints on this column disallow an empty column",
    r"Weak reference column .*? contained all-zeros UUID .*? this column is not allowed to be empty",
    r"Table \w+ column \w+ row @\w+ references nonexistent row @\w+ in table \w+",
    r"column \w+ mentioned more than once",
    r"cannot delete \w+ row @\w+ because of \d+ remaining reference\(s\)",
)))


def without_pair(text):
    """TEXT, canonical, without the pair of rows that an index collision names."""
    return _INDEX.sub("…", text) if "for index on column" in text else text


def without_place(text):
    """TEXT, canonical, without the places named in messages that depend on the order of UUIDs."""
    return _ORDER_DEPENDENT.sub("…", without_pair(text))


# The first row that an operation cannot change is named, of many; and of the columns of a new row the first that is
# wrong, in the order of a hash table.
_VALUE = re.compile(
    r'"details": "(?:[^"\\]|\\.)*(?: is not one of the allowed values| is less than minimum allowed'
    r'| is greater than maximum allowed| is not in the valid range|Attempted to store \d+ elements'
    r'|Result of .* operation)(?:[^"\\]|\\.)*"(?:, "error": "constraint violation")?'
    r'|"details": "(?:expected|set must have exactly one member) (?:[^"\\]|\\.)*", "error": "syntax error", "syntax": "(?:[^"\\]|\\.)*"')


def without_value(text):
    """TEXT, canonical, without places, and without what a value breaks that is not right."""
    return _VALUE.sub("…", without_place(text))
