"""What may differ between the stock server and ours, by name. Each entry is in docs/differences.md.

A normalisation takes a message and the method of the request that it answers (None for a notification)
and changes what may differ into something fixed. All else has to be equal.
"""

import re


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
    """Stock tells of a row that changed only in a column that is in the condition and not monitored."""
    if message.get("method") in ("update2", "update3"):
        tables = message["params"][-1]
        for table in list(tables):
            tables[table] = {row: change for row, change in tables[table].items() if change != {"modify": {}}}
            if not tables[table]:
                del tables[table]


NORMALISATIONS = [transaction_ids, wait_duration, duplicate_uuid, empty_modify]


def normalise(message, method=None):
    """MESSAGE without what may differ; a notification that says nothing after that has empty updates."""
    for normalisation in NORMALISATIONS:
        normalisation(message, method)
    return message


# What stock 3.1 logs when it fails to read, in a file that it wrote itself or that we wrote, a difference
# of a set with more members than the set may have. It then leaves out the rest of the file.
MISREAD = re.compile(r"must have \d+ to \d+ members but|Datum crated by diff has size error")


# Messages of commits that break a rule more than once: which place is named depends on the order of UUIDs.
# Of an index it is any pair of rows in any order, too many to verify by trying.
_INDEX = re.compile(
    r"identical values .* for index on column.*?First row, with UUID .*Second row, with UUID @\w+, "
    r"(existed in the database before this transaction and was not modified by the transaction"
    r"|existed in the database before this transaction, which modified some of the row's columns but not any "
    r"columns in this index|was inserted by this transaction"
    r"|had the following index values before the transaction: .*?)\.(?=\", \"error)")
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
