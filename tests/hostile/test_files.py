#!/usr/bin/python3
"""Whatever a database file holds, each program opens it or says in a line why not; none crashes, none takes forever.

A file is a schema and records as text. What is sound ours read as the stock programs do.
"""

import hashlib
import subprocess
import unittest

import measure  # for the path of the harness
from harness import environment
from harness.scratch import Scratch

ROW = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
COLUMNS = ('"n":{"type":"integer"},"s":{"type":{"key":"string","min":0,"max":"unlimited"}},'
           '"m":{"type":{"key":"string","value":"string","min":0,"max":"unlimited"}},'
           '"r":{"type":{"key":{"type":"uuid","refTable":"T"},"min":0,"max":"unlimited"}}')
SCHEMA = f'{{"name":"D","version":"1.0.0","tables":{{"T":{{"isRoot":true,"columns":{{{COLUMNS}}}}}}}}}'
MANY = 30_000
LAST = 2**63 - 1


def rows(count):
    return ",".join(f'"{i:08x}-1111-4111-8111-111111111111":{{"n":{i}}}' for i in range(count))


def _marked(text):
    """A record with a mark of ours, which a stock server takes for a comment."""
    return f'{{"_comment":"tandem: {text}"}}'


# What the file holds: a name, and the bodies of its records.
FILES = {
    "a table twice, its row gone": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}}}}', f'{{"T":{{"{ROW}":null}},"T":{{"{ROW}":null}}}}'],
    "a table twice, a row in each": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}},"T":{{"{OTHER}":{{"n":2}}}}}}'],
    "a table twice, the same row": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}},"T":{{"{ROW}":{{"n":2}}}}}}'],
    "a table twice, made and gone": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}},"T":{{"{ROW}":null}}}}'],
    "a row twice": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}},"{ROW}":{{"n":2}}}}}}'],
    "a row twice, gone": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}}}}', f'{{"T":{{"{ROW}":null,"{ROW}":null}}}}'],
    "a row twice, in other letters": [SCHEMA, '{"T":{"aaaaaaaa-1111-4111-8111-111111111111":{"n":1},"AAAAAAAA-1111-4111-8111-111111111111":{"n":2}}}'],
    "a column twice": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1,"n":2}}}}}}'],
    "a column twice, as differences": [SCHEMA, f'{{"T":{{"{ROW}":{{"s":["set",["a"]]}}}}}}',
                                       f'{{"_is_diff":true,"T":{{"{ROW}":{{"s":["set",["a","b"]],"s":["set",["b"]]}}}}}}'],
    "a key twice in a map": [SCHEMA, f'{{"T":{{"{ROW}":{{"m":["map",[["a","1"],["a","2"]]]}}}}}}'],
    "a value twice in a set": [SCHEMA, f'{{"T":{{"{ROW}":{{"s":["set",["a","a"]]}}}}}}'],
    "is_diff twice": [SCHEMA, f'{{"_is_diff":true,"_is_diff":false,"T":{{"{ROW}":{{"n":1}}}}}}'],
    "is_diff of another type": [SCHEMA, f'{{"_is_diff":1,"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a date that is none": [SCHEMA, f'{{"_date":"x","T":{{"{ROW}":{{"n":1}}}}}}'],
    "a date out of range": [SCHEMA, f'{{"_date":99999999999999999999999,"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a comment that is none": [SCHEMA, f'{{"_comment":{{"a":1}},"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a reference to nothing": [SCHEMA, f'{{"T":{{"{ROW}":{{"r":["uuid","{OTHER}"]}}}}}}'],
    "a difference of a row that is not there": [SCHEMA, f'{{"_is_diff":true,"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a difference too long for its type": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}}}}', f'{{"_is_diff":true,"T":{{"{ROW}":{{"n":["set",[2,3]]}}}}}}'],
    "an empty difference": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1}}}}}}', f'{{"_is_diff":true,"T":{{"{ROW}":{{"n":["set",[]]}}}}}}'],
    "an unknown table": [SCHEMA, f'{{"X":{{"{ROW}":{{"n":1}}}}}}'],
    "an unknown column": [SCHEMA, f'{{"T":{{"{ROW}":{{"x":1}}}}}}'],
    "a column that the server makes": [SCHEMA, f'{{"T":{{"{ROW}":{{"_uuid":["uuid","{OTHER}"],"_version":["uuid","{OTHER}"]}}}}}}'],
    "names with escapes": [SCHEMA, f'{{"\\u0054":{{"{ROW}":{{"\\u006e":1}}}}}}'],
    "a null in a string": [SCHEMA, f'{{"T":{{"{ROW}":{{"s":"a\\u0000b"}}}}}}'],
    "half a surrogate": [SCHEMA, f'{{"T":{{"{ROW}":{{"s":"\\ud800"}}}}}}'],
    "integers out of range": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":9223372036854775808}}}}}}'],
    "an integer with a fraction of nothing": [SCHEMA, f'{{"T":{{"{ROW}":{{"n":1e3}}}}}}'],
    "no object": [SCHEMA, "[]"],
    "a table that is no object": [SCHEMA, '{"T":[]}'],
    "a row that is no object": [SCHEMA, f'{{"T":{{"{ROW}":[]}}}}'],
    "a row that is true": [SCHEMA, f'{{"T":{{"{ROW}":true}}}}'],
    "an empty record": [SCHEMA, "{}"],
    "deep brackets": [SCHEMA, '{"T":' + "[" * 100_000],
    "deep brackets that end": [SCHEMA, '{"_comment":' + "[" * 100_000 + "]" * 100_000 + "}"],
    "deep brackets in a value": [SCHEMA, f'{{"T":{{"{ROW}":{{"s":' + "[" * 100_000 + "]" * 100_000 + "}}}"],
    "a schema of no table": ['{"name":"D","version":"1.0.0","tables":{}}', "{}"],
    "a schema twice": [SCHEMA, SCHEMA],
    "a table twice in the schema": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}}},"T":{"columns":{"x":{"type":"integer"}}}}}'],
    "a column twice in the schema": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"},"n":{"type":"string"}}}}}'],
    "an index twice": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}},"indexes":[["n"],["n"]]}}}', f'{{"T":{{"{ROW}":{{"n":1}}}}}}'],
    "an index of a column twice": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}},"indexes":[["n","n"]]}}}', f'{{"T":{{"{ROW}":{{"n":1}}}}}}'],
    "rows that break an index": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":"integer"}},"indexes":[["n"]]}}}',
                                 f'{{"T":{{"{ROW}":{{"n":1}},"{OTHER}":{{"n":1}}}}}}'],
    "more rows than maxRows": ['{"name":"D","tables":{"T":{"maxRows":1,"columns":{"n":{"type":"integer"}}}}}',
                               f'{{"T":{{"{ROW}":{{"n":1}},"{OTHER}":{{"n":1}}}}}}'],
    "a minimum above the maximum": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":{"key":"integer","min":1,"max":0}}}}}}'],
    "a set for 2^32 members": ['{"name":"D","tables":{"T":{"columns":{"n":{"type":{"key":"integer","min":0,"max":4294967296}}}}}}', f'{{"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a snapshot out of range": [SCHEMA, _marked("snapshot epoch=9223372036854775808 index=1 digest=" + ROW)],
    "a snapshot at the end of the range": [
        SCHEMA, _marked(f"snapshot epoch={LAST} index={LAST} digest={ROW}"), f'{{"T":{{"{ROW}":{{"n":1}}}}}}'],
    "epochs that go back": [
        SCHEMA, _marked(f"snapshot epoch=5 index=5 digest={ROW}\\ntandem: epochs 9/9/{ROW} 3/1/{OTHER} 3/1/{ROW}"),
        f'{{"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a promotion to the last epoch": [SCHEMA, _marked(f"promotion epoch={LAST} server={ROW}"), f'{{"T":{{"{ROW}":{{"n":1}}}}}}'],
    "a promotion beyond the last epoch": [SCHEMA, _marked(f"promotion epoch=18446744073709551616 server={ROW}")],
    "a promotion to an epoch before": [
        SCHEMA, _marked(f"promotion epoch=7 server={ROW}"), _marked(f"promotion epoch=3 server={ROW}")],
    "30,000 records": [SCHEMA] + [f'{{"T":{{"{ROW}":{{"n":{i}}}}}}}' for i in range(MANY)],
    "30,000 rows twice": [SCHEMA, f'{{"T":{{{rows(MANY)}}},"T":{{{rows(MANY)}}}}}'],
    "a table 20,000 times": [SCHEMA, "{" + ",".join(f'"T":{{"{i:08x}-1111-4111-8111-111111111111":{{"n":1}}}}' for i in range(20_000)) + "}"],
    "a column 30,000 times": [SCHEMA, f'{{"T":{{"{ROW}":{{' + ",".join(f'"n":{i}' for i in range(MANY)) + "}}}"],
    "200 differences of a set of 30,000": [
        SCHEMA, f'{{"T":{{"{ROW}":{{"s":["set",[' + ",".join(f'"{i}"' for i in range(MANY)) + "]]}}}"] + [
            f'{{"_is_diff":true,"T":{{"{ROW}":{{"s":"x{i}"}}}}}}' for i in range(200)],
    "a schema of 20,000 columns": ['{"name":"D","tables":{"T":{"columns":{' + ",".join(f'"c{i}":{{"type":"integer"}}' for i in range(20_000)) + "}}}}",
                                   f'{{"T":{{"{ROW}":{{"c7":1}}}}}}'],
    "a record twice as long as its header says": None,
    "a header of 2^64": None,
    "a header of -1": None,
    "no header": None,
}
# Nothing is wrong with these: both read the same rows.
SOUND = ("a comment that is none", "an integer with a fraction of nothing", "an empty record", "30,000 records",
         "200 differences of a set of 30,000", "a schema of 20,000 columns")


def text_of(name):
    if FILES[name] is not None:
        return b"".join(record(body.encode()) for body in FILES[name])
    body = b'{"T":{}}\n'
    sha1 = hashlib.sha1(body).hexdigest().encode()
    length = {"a record twice as long as its header says": b"4", "a header of 2^64": b"18446744073709551615",
              "a header of -1": b"-1"}.get(name)
    return record(SCHEMA.encode()) + (b"x" * 100 if length is None else b"OVSDB JSON " + length + b" " + sha1 + b"\n" + body)


def record(body):
    body += b"\n"
    return b"OVSDB JSON %d %s\n" % (len(body), hashlib.sha1(body).hexdigest().encode()) + body


class Files(unittest.TestCase):
    def setUp(self):
        self.scratch = Scratch()
        self.addCleanup(self.scratch.close)

    def run_program(self, *words):
        """Its status and output; status None if it takes too long."""
        try:
            done = subprocess.run([str(word) for word in words], env=self.scratch.env, cwd=self.scratch.path, check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=environment.timeout_s(10))
        except subprocess.TimeoutExpired:
            return None, b""
        return done.returncode, done.stdout

    def outcomes(self, text, server, tool):
        """What the programs of one kind do with a file of TEXT: statuses, and the rows if they take it."""
        found = {}
        for name, words in {
                "query": [tool, "query", "db", '["D",{"op":"select","table":"T","where":[],"columns":["_uuid","n"]}]'],
                "show-log": [tool, "-mm", "show-log", "db"],
                "compact": [tool, "compact", "db"],
                "server": [server, "db", "--remote=punix:s.sock", "--unixctl=c.ctl", "-vconsole:off", "--run=true"]}.items():
            (self.scratch.path / "db").write_bytes(text)
            status, output = self.run_program(*words)
            found[name] = (status, output if name == "query" and status == 0 else b"")
        return found

    def test_files(self):
        for name in FILES:
            with self.subTest(name):
                text = text_of(name)
                stock = self.outcomes(text, environment.STOCK_SERVER, environment.STOCK_TOOL)
                ours = self.outcomes(text, environment.SERVER, environment.TOOL)
                table = {key: (ours[key][0], stock[key][0]) for key in ours}
                print(name, "|", table, flush=True)
                for key, (status, _) in ours.items():
                    self.assertIsNotNone(status, f"{key} takes forever")
                    self.assertGreaterEqual(status, 0, f"{key} crashes")
                if name in SOUND:
                    self.assertEqual(ours["query"], stock["query"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
