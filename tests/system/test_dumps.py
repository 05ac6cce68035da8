#!/usr/bin/python3
"""Database files made by stock programs are served with the same contents, and given back intact."""

import lzma
import shutil

from harness import environment
from harness.case import SystemTest, main
from harness.ovn import make_pair_files
from harness.server import Server

DATABASES = {"nb": "OVN_Northbound", "sb": "OVN_Southbound"}


class Dumps(SystemTest):
    """Uses the large pair of the shared data where it is there, a pair made on the spot otherwise."""

    def setUp(self):
        super().setUp()
        if environment.SHARED_DATA.is_dir():
            self.files = {db: self._unpack(environment.SHARED_DATA / f"{db}-large.db.xz") for db in DATABASES}
        else:
            self.files = make_pair_files(self.scratch, self.scratch.path)

    def _unpack(self, archive):
        file = self.scratch.path / archive.stem
        with lzma.open(archive) as source, open(file, "wb") as target:
            shutil.copyfileobj(source, target)
        return file

    def _dump(self, binary, file, db):
        server = Server(self.scratch, "dumper", [file], binary=binary).start()
        try:
            return server.dump(db)
        finally:
            server.stop()

    def test_dumps_equal_those_of_the_stock_server(self):
        for short, db in DATABASES.items():
            with self.subTest(db):
                expected = self._dump(environment.STOCK_SERVER, self.files[short], db)
                self.assertGreater(sum(map(len, expected)), 100)
                self.assertTrue(self._dump(environment.SERVER, self.files[short], db) == expected,
                                f"dumps of {db} differ")

    def test_a_file_that_we_changed_and_compacted_is_read_by_stock(self):
        server = self.server("nb", [self.files["nb"]])
        nbctl = ("ovn-nbctl", f"--db={server.socket}", "--timeout=30")
        for i in range(20):
            self.scratch.run(*nbctl, "ls-add", f"new{i}", "--", "lsp-add", f"new{i}", f"newport{i}")
        server.appctl("ovsdb-server/compact")
        self.scratch.run(*nbctl, "ls-del", "new3", "--", "set", "Logical_Switch", "new4", "other_config:a=b")
        ours = server.dump(DATABASES["nb"])
        server.stop()
        self.scratch.run("ovsdb-tool", "show-log", self.files["nb"])
        self.assertTrue(self._dump(environment.STOCK_SERVER, self.files["nb"], DATABASES["nb"]) == ours)
        self.scratch.run("ovsdb-tool", "compact", self.files["nb"])
        self.assertTrue(self._dump(environment.SERVER, self.files["nb"], DATABASES["nb"]) == ours)


if __name__ == "__main__":
    main()
